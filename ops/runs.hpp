#pragma once
// The differentiable operations behind indexing: runs of neighbouring elements of row-major memory, taken, added and
// put. Taking and adding are the gradients of each other.

#include "../autograd/operand.hpp"
#include "../kernels/runs.hpp"

namespace xgrad::detail {

/// The runs of `length` elements of x that begin at `begins`, an int64 vector of places in its row-major order, one
/// after the other as a tensor of shape `result`. Places are not checked. `name` is that of the operation in errors.
Tensor take_runs(const char* name, const Tensor& x, const Tensor& begins, std::int64_t length, const Shape& result);
/// Zeros of a shape with the values added at such runs.
Tensor add_runs(const char* name, const Shape& shape, const Tensor& begins, std::int64_t length, const Tensor& values);
/// x with the values at such runs, or with `accumulate` added there. Runs are equal or do not overlap; of equal ones
/// the last stays, and has the gradient.
Tensor put_runs(const char* name, const Tensor& x, const Tensor& begins, std::int64_t length, const Tensor& values,
                bool accumulate);
/// The same written over x.
void put_runs_in_place(const char* name, Tensor& x, const Tensor& begins, std::int64_t length, const Tensor& values,
                       bool accumulate);

inline Runs runs_of(const Tensor& begins, std::int64_t length) {
  return {begins.data<std::int64_t>(), begins.numel(), length};
}

}  // namespace xgrad::detail
