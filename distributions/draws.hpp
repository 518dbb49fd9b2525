#pragma once
// How distributions check their parameters and draw.

#include <initializer_list>
#include <limits>

#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../ops/comparison.hpp"
#include "distribution.hpp"

namespace xgrad::distributions::detail {

/// Writes the parameters to tensors, in their common shape and floating dtype, which is that of those that are tensors.
void broadcast(const char* op, std::initializer_list<Parameter> parameters, std::initializer_list<Tensor*> to);
/// Throws Error where an element of `ok` is false: "Normal: scale has 2 elements that are not positive".
void expect_all(const char* op, const char* name, const Tensor& ok, const char* otherwise);

/// f(value), and -infinity where `outside` is true: f sees `safe` there, and its gradient is 0. NaN is inside.
template <class F>
Tensor log_prob_within(const Tensor& value, const Tensor& outside, double safe, const F& f) {
  return where(outside, -std::numeric_limits<double>::infinity(), f(where(outside, safe, value)));
}

/// 64 random bits.
std::uint64_t draw_key(const SampleOptions& options);
/// The shape of a sample: `sample`, then `batch`.
Shape joined(const Shape& sample, const Shape& batch);

/// Uniform in [0, 1) with 53 bits, and standard normal, in this dtype.
Tensor uniform(const Shape& shape, DType dtype, const SampleOptions& options);
Tensor normal(const Shape& shape, DType dtype, const SampleOptions& options);

// Samples with gradients by implicit reparametrisation, which have no second derivatives (an Error).

/// Of gamma variables of scale 1.
Tensor gamma(const Tensor& concentration, const SampleOptions& options);
Tensor beta(const Tensor& a, const Tensor& b, const SampleOptions& options);
/// Of vectors along the last axis.
Tensor dirichlet(const Tensor& concentration, const SampleOptions& options);

}  // namespace xgrad::distributions::detail
