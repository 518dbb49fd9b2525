#pragma once
// Softmax along an axis, outside the graph.

#include "../array/dtype.hpp"
#include "reduce.hpp"

namespace xgrad::detail {

// All operate on dense memory seen as (outer, reduced, inner), along the middle axis. Elements of 16 bits are computed
// with as float; there the backward functions take x instead of y, whose rounded values have too few digits.

/// y = exp(x - max x) / sum of exp(x - max x)
void softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y);
/// y = x - max x - log of the sum of exp(x - max x)
void log_softmax(DType dtype, const ReducedSize& size, const std::byte* x, std::byte* y);
/// dx = y (dy - sum of y dy), where y = softmax(x)
void softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy, std::byte* dx);
/// dx = dy - exp(y) (sum of dy), where y = log_softmax(x)
void log_softmax_backward(DType dtype, const ReducedSize& size, const std::byte* y, const std::byte* dy, std::byte* dx);

}  // namespace xgrad::detail
