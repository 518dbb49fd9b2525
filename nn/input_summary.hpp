#pragma once
// What a module makes of an input: the shapes between, and what they cost.

#include <optional>

#include "../autograd/create.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// A module that has parameters of its own.
struct ModuleCost {
  std::string name, type;
  std::optional<Shape> output;  // of the last operation that its parameters went into; none where there was none
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // of products and convolutions with its parameters
};

namespace detail {
/// 1234567 as 1,234,567.
std::string grouped(std::int64_t n);
std::vector<ModuleCost> costs(const Tree& tree, const Tensor& result);
std::string summary(const Tree& tree, const Tensor& input, const Tensor& result);
/// What the module makes of the input in evaluation mode; it is changed.
template <class M>
Tensor recorded(M& module, const Tensor& input) {
  eval(module);
  requires_grad_(module);
  Tensor x = input.detach();
  if (is_floating(x.dtype())) x.requires_grad_();
  return module(x);
}
}  // namespace detail

/// What each module with parameters costs for this input, found in the graph of one evaluation of a clone: modules of
/// any type are understood, and `module` stays as it is. Throws what the evaluation throws.
template <Module M>
std::vector<ModuleCost> costs(const M& module, const Tensor& input) {
  M copy = clone(module);
  const Tensor result = detail::recorded(copy, input);
  return detail::costs(detail::tree_of(copy), result);
}

/// A table of these: name, type, shape of the output, parameters, multiply-adds; then the totals, with those of
/// products without parameters, as of attention.
template <Module M>
std::string summary(const M& module, const Tensor& input) {
  M copy = clone(module);
  const Tensor result = detail::recorded(copy, input);
  return detail::summary(detail::tree_of(copy), input, result);
}
/// The same for an input of zeros: `nn::summary(net, Shape{1, 3, 224, 224})`.
template <Module M>
std::string summary(const M& module, const Shape& input_shape, DType dtype = float32) {
  return summary(module, zeros(input_shape, {.dtype = dtype}));
}

}  // namespace xgrad::nn
