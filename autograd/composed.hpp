#pragma once
// Backward of an operation, from its forward written with other operations.

#include <array>

#include "apply.hpp"
#include "engine.hpp"

namespace xgrad::detail {

/// Another name for a tensor in the graph, so that one tensor given twice has a gradient for each.
struct Alias {
  static constexpr const char* name = "alias";
  static constexpr bool linear = true;
  Tensor forward(const Tensor& x) { return view(x, x.shape(), x.strides()); }
  Tensor backward(const Tensor& grad) const { return grad; }
};

/// Gradients, by position, of f(inputs...) weighted by `grad`, for those inputs that `needs` names; where operations
/// are recorded, they have gradients themselves. For operations whose backward is a kernel: the kernel serves first
/// derivatives, this all others.
template <class F, std::size_t N>
std::array<Tensor, N> composed_backward(const F& f, const std::array<Tensor, N>& inputs, const Tensor& grad,
                                        Needs needs) {
  const bool create_graph = is_grad_enabled();
  const EnableGrad enable_grad;
  std::array<Tensor, N> aliases, gradients;
  std::vector<Tensor> wanted;
  for (std::size_t i = 0; i < N; ++i) {
    aliases[i] = inputs[i].requires_grad() ? apply(Alias{}, inputs[i]) : inputs[i];
    if (needs[i] && inputs[i].requires_grad()) wanted.push_back(aliases[i]);
  }
  const Tensor y = std::apply(f, aliases);
  if (!y.requires_grad()) return gradients;  // depends on none of them
  std::vector<Tensor> found =
      xgrad::grad(y, wanted, {.create_graph = create_graph, .allow_unused = true, .grad_outputs = {grad}});
  for (std::size_t i = 0, next = 0; i < N; ++i)
    if (needs[i] && inputs[i].requires_grad()) gradients[i] = std::move(found[next++]);
  return gradients;
}

}  // namespace xgrad::detail
