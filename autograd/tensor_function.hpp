#pragma once
// Functions of tensors in one form, however many tensors they take and give.

#include <array>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

namespace detail {

using TensorFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, decltype((void(I), std::declval<const Tensor&>()))...>;
}
/// How many Tensors f takes; 0 for one that takes a vector of them; -1 where it takes neither.
template <class F, std::size_t N = 1>
constexpr int arity() {
  if constexpr (std::is_invocable_v<F&, const std::vector<Tensor>&>)
    return 0;
  else if constexpr (takes<F>(std::make_index_sequence<N>{}))
    return static_cast<int>(N);
  else if constexpr (N < 8)
    return arity<F, N + 1>();
  else
    return -1;
}

inline std::vector<Tensor> as_vector(Tensor tensor) { return {std::move(tensor)}; }
inline std::vector<Tensor> as_vector(std::vector<Tensor> tensors) { return tensors; }
template <class... T>
std::vector<Tensor> as_vector(const std::tuple<T...>& tensors) {
  return std::apply([](const auto&... tensor) { return std::vector<Tensor>{tensor...}; }, tensors);
}
template <class A, class B>
std::vector<Tensor> as_vector(const std::pair<A, B>& tensors) {
  return {tensors.first, tensors.second};
}
template <std::size_t N>
std::vector<Tensor> as_vector(const std::array<Tensor, N>& tensors) {
  return {tensors.begin(), tensors.end()};
}

/// f of a vector, which has as many tensors as f takes, or else it throws Error.
template <class F>
auto call_with(F& f, const std::vector<Tensor>& inputs) {
  constexpr int n = arity<F>();
  static_assert(n >= 0, "the function takes one to eight Tensors, or a std::vector of them");
  if constexpr (n == 0) {
    return f(inputs);
  } else {
    check(inputs.size() == static_cast<std::size_t>(n), "the function takes ", n, " tensors, ", inputs.size(),
          " were given");
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(inputs[I]...); }
    (std::make_index_sequence<static_cast<std::size_t>(n)>{});
  }
}

/// f as a function of a vector; throws Error for a wrong number of inputs.
template <class F>
TensorFunction on_vector(F f) {
  return [f = std::move(f)](const std::vector<Tensor>& inputs) mutable { return as_vector(call_with(f, inputs)); };
}

}  // namespace detail

}  // namespace xgrad
