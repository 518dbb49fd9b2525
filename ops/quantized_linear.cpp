#include "quantized_linear.hpp"

#include <cmath>

#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/gemm.hpp"
#include "../kernels/int8_gemm.hpp"

namespace xgrad::detail {

namespace {

/// Rows of float32, row-major.
QuantizedRows quantized(const Tensor& x, std::int64_t rows) {
  const Tensor values = empty(x.shape(), int8), scales = empty({rows}, float32);
  quantize_rows(rows, x.size(-1), x.data<float>(), values.data<std::int8_t>(), scales.data<float>());
  return {values, scales};
}

Tensor as_float(const Tensor& x) {
  const MaybeOwned wide = converted(x, float32);
  return dense(*wide);
}

}  // namespace

QuantizedRows quantize_rows(const char* op, const Tensor& matrix) {
  const NoGrad no_grad;
  check(matrix.dim() == 2 && is_floating(matrix.dtype()), op, ": a weight of shape ", matrix.shape(), " and dtype ",
        matrix.dtype(), "; it must be a floating matrix (out, in)");
  check(matrix.size(1) <= int8_gemm_limit, op, ": a weight of shape ", matrix.shape(), " has over ", int8_gemm_limit,
        " inputs, the most that are summed up exactly");
  const QuantizedRows rows = quantized(as_float(matrix), matrix.size(0));
  for (std::int64_t row = 0; row < matrix.size(0); ++row)
    check(std::isfinite(rows.scales.data<float>()[row]), op, ": row ", row, " of a weight of shape ", matrix.shape(),
          " has a number that is not finite");
  return rows;
}

Tensor quantized_linear(Operand input, const Tensor& weight, const Tensor& scale, const Tensor& bias) {
  constexpr const char* op = "linear";
  check(weight.dim() == 2 && weight.dtype() == int8 && weight.size(1) <= int8_gemm_limit, op, ": a weight of shape ",
        weight.shape(), " and dtype ", weight.dtype(), "; one of bytes is int8 (out, in), with at most ",
        int8_gemm_limit, " inputs");
  const std::int64_t out = weight.size(0), in = weight.size(1);
  check(scale.defined() && scale.shape() == Shape{out} && is_floating(scale.dtype()), op, ": an int8 weight of shape ",
        weight.shape(), " needs a floating weight_scale of shape (", out, ",)");
  check(!bias.defined() || (bias.shape() == Shape{out} && is_floating(bias.dtype())), op, ": a bias for int8 weight ",
        weight.shape(), " must be floating, of shape (", out, ",)");
  check(input->dim() > 0 && input->size(-1) == in, op, ": input ", input->shape(), " and weight ", weight.shape(),
        ": the last size of the input must be ", in);
  check(is_floating(input->dtype()), op, ": input is ", input->dtype(), "; convert it with .to(float32)");
  check(!grad_enabled || !input->requires_grad(), op,
        ": the input requires a gradient, which a weight of int8 does not have; use NoGrad, or detach() the input");
  const NoGrad no_grad;
  const Tensor x = as_float(*input), w = dense(weight), s = as_float(scale);
  const Tensor b = bias.defined() ? as_float(bias) : Tensor();
  Shape shape = x.shape();
  const std::int64_t rows = Shape(shape.begin(), shape.size() - 1).numel();
  check(rows <= gemm_limit && out <= gemm_limit, op, ": input ", x.shape(), " and weight ", weight.shape(),
        ": a size is over ", gemm_limit);
  shape[shape.size() - 1] = out;
  const Tensor y = empty(shape, float32);
  const QuantizedRows bytes = quantized(x, rows);
  int8_gemm(rows, out, in, bytes.values.data<std::int8_t>(), bytes.scales.data<float>(), w.data<std::int8_t>(),
            s.data<float>(), b.defined() ? b.data<float>() : nullptr, y.data<float>());
  return y.to(input->dtype());
}

}  // namespace xgrad::detail
