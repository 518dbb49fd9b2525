#include "bilinear.hpp"

#include "arithmetic.hpp"
#include "einsum.hpp"

namespace xgrad {

Tensor bilinear(Operand a, Operand b, Operand weight, const Tensor& bias) {
  constexpr const char* op = "bilinear";
  check(weight->dim() == 3, op, ": a weight of shape ", weight->shape(), "; it must be (out, in1, in2)");
  const bool fits = a->dim() >= 1 && a->dim() == b->dim() && a->size(-1) == weight->size(1) &&
                    b->size(-1) == weight->size(2) &&
                    Shape(a->shape().begin(), a->dim() - 1) == Shape(b->shape().begin(), b->dim() - 1);
  check(fits, op, ": inputs of shapes ", a->shape(), " and ", b->shape(), " for weight ", weight->shape(),
        "; they must be (..., ", weight->size(1), ") and (..., ", weight->size(2), ")");
  check(is_floating(weight->dtype()), op, ": a weight of dtype ", weight->dtype(), "; convert it with .to(float32)");
  check(!bias.defined() || bias.shape() == Shape(weight->size(0)), op, ": a bias of shape ",
        bias.defined() ? bias.shape() : Shape(), " for weight ", weight->shape(), "; it must be (", weight->size(0),
        ",)");
  const Tensor products = einsum("...i,oij,...j->...o", {*a, *weight, *b});
  return bias.defined() ? products + bias : products;
}

}  // namespace xgrad
