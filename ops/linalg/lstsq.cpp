#include "lstsq.hpp"

#include "../../autograd/autocast.hpp"
#include "../../autograd/create.hpp"
#include "../arithmetic.hpp"
#include "../matmul.hpp"
#include "../reduce.hpp"
#include "matrices.hpp"
#include "pinv.hpp"
#include "singular_values.hpp"
#include "svd.hpp"

namespace xgrad::linalg {

namespace {

using detail::columns_of;
using detail::rows_of;
using detail::transposed;

/// X = P B with the pseudo-inverse P of A, whose rank is constant (see PseudoInverse): with R = B - A X,
/// dX = P (dB - dA X) + P P^T dA^T R + (I - P A) dA^T P^T X.
struct Lstsq {
  static constexpr const char* name = "linalg::lstsq";
  static constexpr int non_differentiable[] = {1, 2};
  RankOptions options;
  Saved matrices = {}, right = {}, solution = {};

  std::array<Tensor, 3> forward(const Tensor& A, const Tensor& B) {
    const Tensor a = A.detach(), b = B.detach();
    const auto [u, s, vh] = svd(a, {.full_matrices = false});
    const Tensor inverse = detail::inverse_counted(s, rows_of(a), columns_of(a), options);
    const Tensor x = matmul(transposed(vh), detail::as_columns(inverse) * matmul(transposed(u), b));
    matrices = A, right = B, solution = x;
    return {x, count_nonzero(inverse, -1), s};
  }

  std::array<Tensor, 2> backward(const std::array<Tensor, 3>& grads, Needs needs) const {
    const Tensor a = matrices, x = solution, g = grads[0], p = pinv(a, options), pt = transposed(p);
    const Tensor by_b = matmul(pt, g);
    if (!needs[0]) return {Tensor(), by_b};
    const Tensor residual = Tensor(right) - matmul(a, x);
    return {matmul(residual, transposed(matmul(p, by_b))) - matmul(by_b, transposed(x)) +
                matmul(matmul(pt, x), transposed(g - matmul(transposed(a), by_b))),
            by_b};
  }
};

}  // namespace

LeastSquares lstsq(Operand A, Operand B, const LstsqOptions& options) {
  const detail::WithoutAutocast without_autocast;
  constexpr const char* op = "linalg::lstsq";
  detail::expect_matrices(op, *A);
  check(is_floating(B->dtype()), op, ": right-hand sides of dtype ", B->dtype(), "; convert them with .to(float32)");
  const bool vectors = B->dim() == 1 || (B->dim() + 1 == A->dim() && B->shape() == Shape(A->shape().begin(), B->dim()));
  check(vectors || B->dim() >= 2, op, ": the right-hand side is a number; it must be a vector or a matrix");
  const Tensor sides = vectors ? detail::as_columns(*B) : *B;
  check(rows_of(sides) == rows_of(*A), op, ": matrices of shape ", A->shape(), " and right-hand sides of shape ",
        B->shape(), " do not fit: A X has ", rows_of(*A), " rows");
  check(options.rcond.value_or(0) >= 0, op, ": rcond is ", options.rcond.value_or(0), "; it must not be negative");
  const auto [a, b] = detail::in_one_batch(op, *A, sides);
  const auto [x, rank, values] = apply(Lstsq{{.rtol = options.rcond}}, a, b);
  const std::int64_t n = columns_of(a);
  Tensor residuals = zeros({0}, {.dtype = x.dtype()});
  if (rows_of(a) > n && count_nonzero(rank - n).item<std::int64_t>() == 0)
    residuals = sum(square(b - matmul(a, x)), -2);
  return {vectors ? squeeze(x, -1) : x, residuals, rank, values};
}

}  // namespace xgrad::linalg
