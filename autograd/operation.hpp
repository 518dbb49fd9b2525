#pragma once
// What makes a struct an operation, checked when it compiles: see apply().

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "../core/reflect.hpp"
#include "node.hpp"
#include "operand.hpp"

namespace xgrad::detail {

template <class Op>
const char* op_name([[maybe_unused]] const Op& op) {
  if constexpr (requires { op.name; }) {
    return op.name;
  } else {
    // Not a string: an operation may run when the objects of the program are being destroyed.
    static constexpr auto name = [] {
      std::array<char, type_name<Op>.size() + 1> text{};
      std::copy_n(type_name<Op>.data(), type_name<Op>.size(), text.data());
      return text;
    }();
    return name.data();
  }
}

template <class T>
inline constexpr bool is_vector = std::is_same_v<std::remove_const_t<T>, std::vector<Tensor>>;

/// A Tensor, or a vector, array, pair or tuple of them.
template <class T>
consteval bool is_tensors() {
  if constexpr (std::is_same_v<T, Tensor> || is_vector<T>)
    return true;
  else if constexpr (requires { std::tuple_size<T>::value; })
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (std::is_same_v<std::tuple_element_t<I, T>, Tensor> && ...);
    }
  (std::make_index_sequence<std::tuple_size_v<T>>());
  else return false;
}

/// How many tensors a forward takes or gives; 0 where only running it tells.
template <class T>
constexpr std::size_t tensor_count() {
  if constexpr (std::is_same_v<T, Tensor>)
    return 1;
  else if constexpr (is_vector<T>)
    return 0;
  else
    return std::tuple_size_v<T>;
}

/// Whether the output `index` has a gradient, if it is floating.
template <class Op>
constexpr bool is_differentiable(std::size_t index) {
  if constexpr (requires { Op::non_differentiable; })
    for (const auto excluded : Op::non_differentiable)
      if (static_cast<std::size_t>(excluded) == index) return false;
  return true;
}

template <class Op>
constexpr bool is_in_place() {
  if constexpr (requires { Op::in_place; })
    return Op::in_place;
  else
    return false;
}

/// Whether an object of type T keeps a bare Tensor: in a field, a container, a pointer, or in a field of a field. A
/// closure's captures cannot be seen.
template <class T>
consteval bool keeps_tensor();

struct KeepsTensor {
  template <class... Fields>
  constexpr auto operator()(Fields&...) const -> std::bool_constant<(keeps_tensor<std::remove_cv_t<Fields>>() || ...)> {
    return {};
  }
};

template <class T>
consteval bool keeps_tensor() {
  if constexpr (std::is_same_v<T, Tensor> || std::is_base_of_v<MaybeOwned, T>) {
    return true;
  } else if constexpr (std::is_trivially_destructible_v<T> || std::is_same_v<T, Saved>) {
    return false;
  } else if constexpr (std::is_array_v<T>) {
    return keeps_tensor<std::remove_cv_t<std::remove_all_extents_t<T>>>();
  } else if constexpr (requires { typename T::value_type; }) {
    return keeps_tensor<std::remove_cv_t<typename T::value_type>>();
  } else if constexpr (requires { typename T::element_type; }) {
    return keeps_tensor<std::remove_cv_t<typename T::element_type>>();
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (keeps_tensor<std::remove_cv_t<std::tuple_element_t<I, T>>>() || ...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>());
  } else if constexpr (fields_can_be_found<T>()) {
    return decltype(with_fields(std::declval<T&>(), KeepsTensor()))::value;
  } else {
    return false;
  }
}

template <class A>
concept Input = requires(const A& input) {
  as_input(input);
};
template <class A>
using InputOf = std::remove_reference_t<decltype(as_input(std::declval<const A&>()))>;
/// What forward is given for an input: a const Tensor& or const std::vector<Tensor>&; in place, a Tensor& of its own.
template <class Op, class A>
using Given = std::conditional_t<is_in_place<Op>(), std::remove_const_t<InputOf<A>>, const InputOf<A>>;

template <class Op, class... A>
concept HasForward = requires(Op& op, Given<Op, A>&... inputs) {
  op.forward(inputs...);
};
template <class Op, class... A>
using ForwardResult = std::remove_cvref_t<decltype(std::declval<Op&>().forward(std::declval<Given<Op, A>&>()...))>;

template <class T, std::size_t N>
using FixedOrVector = std::conditional_t<N == 0, std::vector<T>, std::array<T, N>>;
/// What backward is given: the gradient of the output, or those of the outputs.
template <class Result>
using GradientsOf =
    std::conditional_t<std::is_same_v<Result, Tensor>, Tensor, FixedOrVector<Tensor, tensor_count<Result>()>>;

template <class Op, class Gradients>
concept HasBackwardOfNeeds = requires(Op& op, const Gradients& gradients, Needs needs) {
  op.backward(gradients, needs);
};
template <class Op, class Gradients>
concept HasBackward = HasBackwardOfNeeds<Op, Gradients> || requires(Op& op, const Gradients& gradients) {
  op.backward(gradients);
};

template <class Op, class Gradients>
auto call_backward(Op& op, const Gradients& gradients, [[maybe_unused]] Needs needs) {
  if constexpr (HasBackwardOfNeeds<Op, Gradients>)
    return op.backward(gradients, needs);
  else
    return op.backward(gradients);
}

/// Whether as many gradients come back as there were inputs, as far as the types tell.
template <class Gradients, class... A>
consteval bool counts_agree() {
  constexpr std::size_t count = tensor_count<Gradients>();
  return count == 0 || (is_vector<InputOf<A>> || ...) || count == sizeof...(A);
}

template <class>
inline constexpr bool never = false;

/// Whether Op is an operation for these inputs; where it is not, the compiler says why.
template <class Op, class... A>
consteval bool is_operation() {
  if constexpr (!(Input<A> && ...)) {
    static_assert(never<Op>, "an input of apply() is a Tensor, a std::vector<Tensor> or a std::optional<Tensor>");
  } else if constexpr (!HasForward<Op, A...>) {
    static_assert(never<Op>,
                  "forward of the operation takes as many tensors as apply() was given: a const Tensor& for each, or a "
                  "const std::vector<Tensor>& where apply() was given a vector; it is a public member named forward");
  } else if constexpr (!is_tensors<ForwardResult<Op, A...>>()) {
    static_assert(never<Op>, "forward of an operation returns a Tensor, or a vector, array, pair or tuple of Tensors");
  } else if constexpr (!HasBackward<Op, GradientsOf<ForwardResult<Op, A...>>>) {
    static_assert(never<Op>,
                  "an operation has a member backward(grad) or backward(grad, Needs needs), const, where grad is a "
                  "const Tensor&, or for several outputs a const std::array<Tensor, n>& (std::vector where forward "
                  "returns one)");
  } else {
    using Gradients = decltype(call_backward(std::declval<Op&>(),
                                             std::declval<const GradientsOf<ForwardResult<Op, A...>>&>(), Needs()));
    if constexpr (!is_tensors<Gradients>()) {
      static_assert(never<Op>,
                    "backward of an operation returns a Tensor, or a vector, array, pair or tuple of Tensors");
    } else if constexpr (!counts_agree<Gradients, A...>()) {
      static_assert(never<Op>, "backward of an operation returns one gradient for each input of its forward");
    } else if constexpr (keeps_tensor<Op>()) {
      static_assert(never<Op>,
                    "an operation keeps tensors in members of type Saved, not Tensor: what is changed in place between "
                    "forward and backward is noticed only there");
    } else {
      return true;
    }
  }
  return false;
}

}  // namespace xgrad::detail
