#pragma once
// Derivatives of functions of a module by its parameters: structs of the module's own type.

#include "../autograd/derivatives.hpp"
#include "module.hpp"

namespace xgrad {

// As in autograd/derivatives.hpp, with a module in the place of x: `value_and_grad(loss, net)`, where loss(net) is a
// tensor of one element. f is called with the module itself, and what it changes of it, such as running statistics,
// stays changed.
//
// A derivative is a copy of the module that holds the derivative by each parameter in the place of that parameter, and
// zeros in the place of buffers and of frozen parameters. Its tensors have the names that the module's have, so that
// nn::named_parameters(gradient) goes along with nn::named_parameters(net); to that end they require a gradient where
// the module's do: compute with them under NoGrad.
//
// The parameters themselves count as constants: a derivative can be differentiated further by other tensors that f
// depends on, not by the parameters. For that use a std::vector of tensors.

namespace nn::detail {

/// A module that can be differentiated by; a std::vector<Tensor> is several tensors.
template <class M>
concept Differentiable = Module<M> && !std::same_as<std::remove_const_t<M>, std::vector<Tensor>>;

template <class F, class M>
xgrad::detail::FunctionAt at_parameters(F& f, M& module, const NamedTensors& parameters) {
  xgrad::detail::FunctionAt function{.at_leaves = true};
  function.f = [&f, &module](const std::vector<Tensor>&) { return xgrad::detail::as_vector(f(module)); };
  for (const auto& [name, parameter] : parameters) function.inputs.push_back(parameter);
  return function;
}

template <class M>
M with_derivatives(const M& module, const NamedTensors& parameters, const std::vector<Tensor>& derivatives) {
  M copy = module;
  put_derivatives(tree_of(copy, true), parameters, derivatives);
  return copy;
}

template <class F, class M>
std::pair<Tensor, std::remove_const_t<M>> value_and_grad(const char* op, F& f, M& module) {
  const NamedTensors parameters = nn::named_parameters(module);
  auto [value, gradients] = xgrad::detail::value_and_grad(op, at_parameters(f, module, parameters));
  return {std::move(value), with_derivatives<std::remove_const_t<M>>(module, parameters, gradients)};
}

template <class F, class M>
using ResultOf =
    std::conditional_t<std::is_convertible_v<std::invoke_result_t<F&, M&>, Tensor>, Tensor, std::vector<Tensor>>;

}  // namespace nn::detail

/// The value of f(module), and its gradient by the parameters: `auto [loss, gradient] = value_and_grad(f, net);`. f
/// gives one element (an Error otherwise).
template <detail::Function F, nn::detail::Differentiable M>
std::pair<Tensor, std::remove_const_t<M>> value_and_grad(F f, M& module) {
  return nn::detail::value_and_grad("value_and_grad", f, module);
}

/// The gradient alone.
template <detail::Function F, nn::detail::Differentiable M>
std::remove_const_t<M> grad(F f, M& module) {
  return nn::detail::value_and_grad("grad", f, module).second;
}

/// The value of f(module), a Tensor or several, and its derivative in the direction of the parameters of `direction`.
/// Throws Error, as hvp does, where a parameter is missing there or has another shape or dtype.
template <detail::Function F, nn::detail::Differentiable M>
auto jvp(F f, M& module, const std::remove_const_t<M>& direction) {
  using Outputs = nn::detail::ResultOf<F, M>;
  const NamedTensors parameters = nn::named_parameters(module);
  const auto tangents = nn::detail::like_parameters("jvp", nn::detail::tree_of(direction), parameters);
  auto [values, changes] = detail::jvp(nn::detail::at_parameters(f, module, parameters), tangents);
  return std::pair(detail::packed<Outputs>(std::move(values)), detail::packed<Outputs>(std::move(changes)));
}

/// The value of f(module), and a function from the gradient of this value, a Tensor or several, to that by the
/// parameters.
template <detail::Function F, nn::detail::Differentiable M>
auto vjp(F f, M& module) {
  using Outputs = nn::detail::ResultOf<F, M>;
  const NamedTensors parameters = nn::named_parameters(module);
  detail::RecordedPullback recorded(nn::detail::at_parameters(f, module, parameters));
  Outputs value = detail::packed<Outputs>(recorded.values());
  const auto pullback = [pull = Pullback<Outputs, std::vector<Tensor>>(std::move(recorded)), parameters,
                         like = std::remove_const_t<M>(module)](const Outputs& gradient) {
    return nn::detail::with_derivatives(like, parameters, pull(gradient));
  };
  return std::pair(std::move(value), pullback);
}

/// The Hessian of f by all parameters together times the parameters of `direction`. f gives one element (an Error
/// otherwise).
template <detail::Function F, nn::detail::Differentiable M>
std::remove_const_t<M> hvp(F f, M& module, const std::remove_const_t<M>& direction) {
  const NamedTensors parameters = nn::named_parameters(module);
  const auto vectors = nn::detail::like_parameters("hvp", nn::detail::tree_of(direction), parameters);
  return nn::detail::with_derivatives<std::remove_const_t<M>>(
      module, parameters, detail::hvp(nn::detail::at_parameters(f, module, parameters), vectors));
}

}  // namespace xgrad
