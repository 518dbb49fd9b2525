#pragma once
// Derivatives of functions of tensors, of any order.

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "tensor_function.hpp"

namespace xgrad {

// grad, value_and_grad, vjp, jvp, jacobian, hessian and hvp take a function f and where to differentiate it: a Tensor,
// or a std::vector of them (`{a, b}`) for a function of as many Tensors or of a vector; nn/derivatives.hpp has the same
// for a module. f gives a Tensor or, for jvp, vjp and jacobian, several as std::vector, array, pair or tuple. Inputs
// and outputs have floating dtypes. Derivatives with respect to what an output does not depend on are zeros.
//
// f is called once, with handles that share the elements of the inputs, and is recorded, inside a NoGrad too. Only the
// dependence on its arguments counts: what f captures is a constant to it, even x itself. What f changes in place must
// be its own; as for backward, an operation's inputs must not change before the derivative is taken.
//
// Derivatives compose: where the caller records, and the result of f depends on anything outside that requires a
// gradient (an input that does, or a parameter that f captures), values and derivatives are recorded too and can be
// differentiated further. So `jacobian([&](const Tensor& x) { return hvp(f, x, v); }, x)` is a third derivative, and
// the second derivatives in the loss of a physics-informed network reach the network's parameters. Otherwise, and under
// NoGrad, they are constants, made by faster kernels. So where x requires a gradient only for the derivative's sake,
// x.detach() saves time.
//
// All throw Error for an undefined or integer input or output, and for a vector that has not the shape and dtype of
// what it goes with.

enum class DerivativeMode {
  automatic,  // forward where there are fewer input elements than output elements
  forward,    // a jvp for each element of the inputs
  reverse     // a vjp for each element of the outputs
};

struct JacobianOptions {
  DerivativeMode mode = DerivativeMode::automatic;
};

namespace detail {

using Tensors = std::vector<Tensor>;
struct Recording;

/// A function, and where it is to be differentiated.
struct FunctionAt {
  TensorFunction f = {};
  Tensors inputs = {};
  bool at_leaves = false;  // the inputs are leaves that f uses by itself: they are not handed to it under new handles
};

/// A function that was recorded, ready for reverse mode as often as wanted.
class RecordedPullback {
 public:
  explicit RecordedPullback(const FunctionAt& function);
  const Tensors& values() const { return values_; }
  Tensors operator()(const Tensors& gradients) const;

 private:
  std::shared_ptr<const Recording> recording_;
  Tensors values_;
};

std::pair<Tensor, Tensors> value_and_grad(const char* op, const FunctionAt& function);
std::pair<Tensors, Tensors> jvp(const FunctionAt& function, const Tensors& tangents);
std::vector<Tensors> jacobian(const FunctionAt& function, DerivativeMode mode);
std::vector<Tensors> hessian(const FunctionAt& function);
Tensors hvp(const FunctionAt& function, const Tensors& vectors);

/// Several tensors as one type: a Tensor, or a vector.
template <class T>
T packed(Tensors tensors) {
  if constexpr (std::is_same_v<T, Tensor>)
    return std::move(tensors[0]);
  else
    return tensors;
}

template <class F, class X>
auto natural_result(F& f, const X& x) {
  if constexpr (std::is_same_v<X, Tensor>)
    return f(x);
  else
    return call_with(f, x);
}
/// How the outputs of f are handed out: a Tensor where it gives one, else a vector.
template <class F, class X>
using OutputsOf = std::conditional_t<
    std::is_convertible_v<decltype(natural_result(std::declval<F&>(), std::declval<const X&>())), Tensor>, Tensor,
    Tensors>;

template <class F>
FunctionAt at(F f, const Tensor& x) {
  return {[f = std::move(f)](const Tensors& inputs) mutable { return as_vector(f(inputs[0])); }, {x}};
}
template <class F>
FunctionAt at(F f, const Tensors& inputs) {
  return {on_vector(std::move(f)), inputs};
}

/// What is not a tensor where one could stand; whether it can be called with tensors is seen when it is.
template <class F>
concept Function = !std::convertible_to<const F&, Tensor> && !std::same_as<F, Tensors>;

}  // namespace detail

/// The gradient of f at x, in the shape of x. f gives one element (an Error otherwise).
template <detail::Function F>
Tensor grad(F f, const Tensor& x) {
  return detail::value_and_grad("grad", detail::at(std::move(f), x)).second[0];
}
/// The gradient by each input.
template <detail::Function F>
std::vector<Tensor> grad(F f, const std::vector<Tensor>& inputs) {
  return detail::value_and_grad("grad", detail::at(std::move(f), inputs)).second;
}

/// The value of f, and its gradient: `auto [loss, gradient] = value_and_grad(f, x);`
template <detail::Function F>
std::pair<Tensor, Tensor> value_and_grad(F f, const Tensor& x) {
  auto [value, gradients] = detail::value_and_grad("value_and_grad", detail::at(std::move(f), x));
  return {std::move(value), std::move(gradients[0])};
}
template <detail::Function F>
std::pair<Tensor, std::vector<Tensor>> value_and_grad(F f, const std::vector<Tensor>& inputs) {
  return detail::value_and_grad("value_and_grad", detail::at(std::move(f), inputs));
}

/// What vjp gives beside the value: from the gradient of the outputs to that of the inputs, v^T J. It may be called
/// any number of times, also after x is gone; it keeps what the operations saved.
template <class Outputs, class Inputs>
class Pullback {
 public:
  explicit Pullback(detail::RecordedPullback recorded) : recorded_(std::move(recorded)) {}
  /// Throws Error unless `gradient` has shape and dtype of the output.
  Inputs operator()(const Outputs& gradient) const {
    if constexpr (std::is_same_v<Outputs, Tensor>)
      return detail::packed<Inputs>(recorded_({gradient}));
    else
      return detail::packed<Inputs>(recorded_(gradient));
  }

 private:
  detail::RecordedPullback recorded_;
};

/// The value of f at x, and its pullback (reverse mode): `auto [y, pullback] = vjp(f, x);`, then
/// `pullback(ones_like(y))` is the gradient of the sum of y.
template <detail::Function F>
auto vjp(F f, const Tensor& x) {
  using Outputs = detail::OutputsOf<F, Tensor>;
  detail::RecordedPullback recorded(detail::at(std::move(f), x));
  auto value = detail::packed<Outputs>(recorded.values());
  return std::pair(std::move(value), Pullback<Outputs, Tensor>(std::move(recorded)));
}
template <detail::Function F>
auto vjp(F f, const std::vector<Tensor>& inputs) {
  using Outputs = detail::OutputsOf<F, std::vector<Tensor>>;
  detail::RecordedPullback recorded(detail::at(std::move(f), inputs));
  auto value = detail::packed<Outputs>(recorded.values());
  return std::pair(std::move(value), Pullback<Outputs, std::vector<Tensor>>(std::move(recorded)));
}

/// The value of f at x, and its derivative in the direction v, J v (forward mode): `auto [y, change] = jvp(f, x, v);`.
/// No backward runs for operations that have a rule for forward mode, as elementwise ones, products, reductions,
/// normalisations and changes of shape have; the others' is derived from their backward.
template <detail::Function F>
auto jvp(F f, const Tensor& x, const Tensor& v) {
  using Outputs = detail::OutputsOf<F, Tensor>;
  auto [values, tangents] = detail::jvp(detail::at(std::move(f), x), {v});
  return std::pair(detail::packed<Outputs>(std::move(values)), detail::packed<Outputs>(std::move(tangents)));
}
/// The same, with a direction for each input.
template <detail::Function F>
auto jvp(F f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v) {
  using Outputs = detail::OutputsOf<F, std::vector<Tensor>>;
  auto [values, tangents] = detail::jvp(detail::at(std::move(f), inputs), v);
  return std::pair(detail::packed<Outputs>(std::move(values)), detail::packed<Outputs>(std::move(tangents)));
}

/// All derivatives of y = f(x), in the shape of y followed by that of x: J[i, j] = dy[i] / dx[j]. For several outputs
/// a vector, by output; for several inputs a vector, by input; for both a vector of vectors, [output][input].
template <detail::Function F>
auto jacobian(F f, const Tensor& x, const JacobianOptions& options = {}) {
  using Outputs = detail::OutputsOf<F, Tensor>;
  std::vector<detail::Tensors> blocks = detail::jacobian(detail::at(std::move(f), x), options.mode);
  detail::Tensors by_output;
  for (detail::Tensors& block : blocks) by_output.push_back(std::move(block[0]));
  return detail::packed<Outputs>(std::move(by_output));
}
template <detail::Function F>
auto jacobian(F f, const std::vector<Tensor>& inputs, const JacobianOptions& options = {}) {
  using Outputs = detail::OutputsOf<F, std::vector<Tensor>>;
  std::vector<detail::Tensors> blocks = detail::jacobian(detail::at(std::move(f), inputs), options.mode);
  if constexpr (std::is_same_v<Outputs, Tensor>)
    return std::move(blocks[0]);
  else
    return blocks;
}

/// The second derivatives of f, which gives one element (an Error otherwise), in the shape of x twice: (n, n) for (n,).
template <detail::Function F>
Tensor hessian(F f, const Tensor& x) {
  return detail::hessian(detail::at(std::move(f), x))[0][0];
}
/// For several inputs by inputs: [i][j] has the shape of input i followed by that of input j.
template <detail::Function F>
std::vector<std::vector<Tensor>> hessian(F f, const std::vector<Tensor>& inputs) {
  return detail::hessian(detail::at(std::move(f), inputs));
}

/// The Hessian of f times v, in the shape of x, without making the Hessian: the gradient of the gradient's product with
/// v. f gives one element (an Error otherwise).
template <detail::Function F>
Tensor hvp(F f, const Tensor& x, const Tensor& v) {
  return detail::hvp(detail::at(std::move(f), x), {v})[0];
}
/// The same for the Hessian of all inputs together.
template <detail::Function F>
std::vector<Tensor> hvp(F f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v) {
  return detail::hvp(detail::at(std::move(f), inputs), v);
}

}  // namespace xgrad
