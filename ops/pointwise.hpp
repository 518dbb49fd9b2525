#pragma once
// Functions that are computed one number at a time, in double: values by a function pointer, gradients by operations.
// The loops are compiled once for all of them.

#include "../autograd/operand.hpp"

namespace xgrad::detail {

/// y = value(x), and the gradient of x by that of y. A constant with a name: the operation keeps a pointer to it.
struct PointwiseFunction {
  const char* name;
  double (*value)(double x);
  Tensor (*gradient)(const Tensor& grad, const Tensor& x, const Tensor& y);
};
/// Of x as floating numbers.
Tensor pointwise(const PointwiseFunction& f, const Tensor& x);

/// y = value(a, b), and the gradients of a and b.
struct PointwisePair {
  const char* name;
  double (*value)(double a, double b);
  Tensor (*by_a)(const Tensor& grad, const Tensor& a, const Tensor& b, const Tensor& y);
  Tensor (*by_b)(const Tensor& grad, const Tensor& a, const Tensor& b, const Tensor& y);
};
/// Of tensors that broadcast together, in their common floating dtype.
Tensor pointwise(const PointwisePair& f, const Tensor& a, const Tensor& b);

}  // namespace xgrad::detail
