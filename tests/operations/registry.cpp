#include "registry.hpp"

#include <xgrad/array/random.hpp>

namespace xgrad {

namespace detail {

// One a family file.
std::span<const OpInfo> expansion_ops();
std::span<const OpInfo> arithmetic_ops();
std::span<const OpInfo> division_ops();
std::span<const OpInfo> math_ops();
std::span<const OpInfo> exponential_ops();
std::span<const OpInfo> special_ops();
std::span<const OpInfo> rounding_ops();
std::span<const OpInfo> comparison_ops();
std::span<const OpInfo> bitwise_ops();
std::span<const OpInfo> activation_ops();
std::span<const OpInfo> shape_ops();
std::span<const OpInfo> slicing_ops();
std::span<const OpInfo> joining_ops();
std::span<const OpInfo> rearranging_ops();
std::span<const OpInfo> diagonal_ops();
std::span<const OpInfo> matmul_ops();
std::span<const OpInfo> einsum_ops();
std::span<const OpInfo> distance_ops();
std::span<const OpInfo> linalg_solve_ops();
std::span<const OpInfo> linalg_spectral_ops();
std::span<const OpInfo> linalg_functions_ops();
std::span<const OpInfo> indexing_ops();
std::span<const OpInfo> gather_ops();
std::span<const OpInfo> scatter_ops();
std::span<const OpInfo> advanced_indexing_ops();
std::span<const OpInfo> sorting_ops();
std::span<const OpInfo> searching_ops();
std::span<const OpInfo> fft_ops();
std::span<const OpInfo> short_time_ops();
std::span<const OpInfo> reduce_ops();
std::span<const OpInfo> norm_ops();
std::span<const OpInfo> product_ops();
std::span<const OpInfo> extrema_ops();
std::span<const OpInfo> cumulative_ops();
std::span<const OpInfo> scan_ops();
std::span<const OpInfo> calculus_ops();
std::span<const OpInfo> softmax_ops();
std::span<const OpInfo> normalization_ops();
std::span<const OpInfo> layer_norm_ops();
std::span<const OpInfo> group_norm_ops();
std::span<const OpInfo> local_response_norm_ops();
std::span<const OpInfo> embedding_ops();
std::span<const OpInfo> attention_ops();
std::span<const OpInfo> position_ops();
std::span<const OpInfo> recurrent_ops();
std::span<const OpInfo> convolution_ops();
std::span<const OpInfo> pooling_ops();
std::span<const OpInfo> pad_ops();
std::span<const OpInfo> pixel_shuffle_ops();
std::span<const OpInfo> unfold_ops();
std::span<const OpInfo> interpolate_ops();
std::span<const OpInfo> grid_sample_ops();
std::span<const OpInfo> loss_ops();
std::span<const OpInfo> ctc_ops();
std::span<const OpInfo> distance_loss_ops();
std::span<const OpInfo> margin_loss_ops();

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

std::span<const OpFamily> families() {
  using namespace detail;
  static const OpFamily all[] = {
      {"expansion", expansion_ops()},
      {"arithmetic", arithmetic_ops()},
      {"division", division_ops()},
      {"math", math_ops()},
      {"exponential", exponential_ops()},
      {"special", special_ops()},
      {"rounding", rounding_ops()},
      {"comparison", comparison_ops()},
      {"bitwise", bitwise_ops()},
      {"activation", activation_ops()},
      {"shape", shape_ops()},
      {"slicing", slicing_ops()},
      {"joining", joining_ops()},
      {"rearranging", rearranging_ops()},
      {"diagonal", diagonal_ops()},
      {"matmul", matmul_ops()},
      {"einsum", einsum_ops()},
      {"distance", distance_ops()},
      {"linalg_solve", linalg_solve_ops()},
      {"linalg_spectral", linalg_spectral_ops()},
      {"linalg_functions", linalg_functions_ops()},
      {"indexing", indexing_ops()},
      {"gather", gather_ops()},
      {"scatter", scatter_ops()},
      {"advanced_indexing", advanced_indexing_ops()},
      {"sorting", sorting_ops()},
      {"searching", searching_ops()},
      {"fft", fft_ops()},
      {"short_time", short_time_ops()},
      {"reduce", reduce_ops()},
      {"norm", norm_ops()},
      {"product", product_ops()},
      {"extrema", extrema_ops()},
      {"cumulative", cumulative_ops()},
      {"scan", scan_ops()},
      {"calculus", calculus_ops()},
      {"softmax", softmax_ops()},
      {"normalization", normalization_ops()},
      {"layer_norm", layer_norm_ops()},
      {"group_norm", group_norm_ops()},
      {"local_response_norm", local_response_norm_ops()},
      {"embedding", embedding_ops()},
      {"attention", attention_ops()},
      {"position", position_ops()},
      {"recurrent", recurrent_ops()},
      {"convolution", convolution_ops()},
      {"pooling", pooling_ops()},
      {"pad", pad_ops()},
      {"pixel_shuffle", pixel_shuffle_ops()},
      {"unfold", unfold_ops()},
      {"interpolate", interpolate_ops()},
      {"grid_sample", grid_sample_ops()},
      {"loss", loss_ops()},
      {"ctc", ctc_ops()},
      {"distance_loss", distance_loss_ops()},
      {"margin_loss", margin_loss_ops()},
  };
  return all;
}

std::span<const OpInfo> registry() {
  static const std::vector<OpInfo> all = [] {
    std::vector<OpInfo> ops;
    for (const OpFamily& family : families()) ops.insert(ops.end(), family.ops.begin(), family.ops.end());
    return ops;
  }();
  return all;
}

}  // namespace xgrad
