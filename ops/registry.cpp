#include "registry.hpp"

#include "../core/random.hpp"

namespace xgrad {

namespace detail {

// One a family file.
std::span<const OpInfo> primitive_ops();
std::span<const OpInfo> arithmetic_ops();
std::span<const OpInfo> division_ops();
std::span<const OpInfo> math_ops();
std::span<const OpInfo> comparison_ops();
std::span<const OpInfo> activation_ops();
std::span<const OpInfo> shape_ops();
std::span<const OpInfo> slicing_ops();
std::span<const OpInfo> joining_ops();
std::span<const OpInfo> matmul_ops();
std::span<const OpInfo> indexing_ops();
std::span<const OpInfo> gather_ops();
std::span<const OpInfo> reduce_ops();
std::span<const OpInfo> norm_ops();
std::span<const OpInfo> product_ops();
std::span<const OpInfo> extrema_ops();
std::span<const OpInfo> cumulative_ops();
std::span<const OpInfo> softmax_ops();
std::span<const OpInfo> normalization_ops();
std::span<const OpInfo> layer_norm_ops();
std::span<const OpInfo> attention_ops();
std::span<const OpInfo> loss_ops();

Tensor sample_normal(const Shape& shape, std::uint64_t seed) {
  Tensor out = empty(shape, float64);
  Generator(seed).normal(out.data<double>(), out.numel(), 0, 1);
  return out.requires_grad_();
}

Tensor sample_uniform(const Shape& shape, double low, double high, std::uint64_t seed) {
  Tensor out = empty(shape, float64);
  Generator(seed).uniform(out.data<double>(), out.numel(), low, high);
  return out.requires_grad_();
}

}  // namespace detail

std::span<const OpInfo> registry() {
  static const std::vector<OpInfo> all = [] {
    using namespace detail;
    std::vector<OpInfo> ops;
    for (const auto family : {
             primitive_ops(),     arithmetic_ops(), division_ops(),  math_ops(),    comparison_ops(), activation_ops(),
             shape_ops(),         slicing_ops(),    joining_ops(),   matmul_ops(),  indexing_ops(),   gather_ops(),
             reduce_ops(),        norm_ops(),       product_ops(),   extrema_ops(), cumulative_ops(), softmax_ops(),
             normalization_ops(), layer_norm_ops(), attention_ops(), loss_ops(),
         })
      ops.insert(ops.end(), family.begin(), family.end());
    return ops;
  }();
  return all;
}

}  // namespace xgrad
