#include "cholesky.hpp"

#include <vector>

#include "../../kernels/matrix_batches.hpp"
#include "../arithmetic.hpp"
#include "../diagonal.hpp"
#include "../matmul.hpp"
#include "matrices.hpp"
#include "triangular.hpp"

namespace xgrad::linalg {

namespace {

using detail::transposed;

/// The lower triangle with half of the diagonal.
Tensor half(const Tensor& x) { return tril(x) - 0.5 * diag_embed(diagonal(x, 0, -2, -1)); }
Tensor symmetric(const Tensor& x) { return 0.5 * (x + transposed(x)); }

/// With A = L L^T is dA = dL L^T + L dL^T, so that L^-1 dA L^-T is L^-1 dL, which is lower triangular, plus its
/// transpose: dL = L half(L^-1 dA L^-T).
struct Cholesky {
  static constexpr const char* name = "linalg::cholesky";
  Saved factor = {};

  Tensor forward(const Tensor& a) {
    const Tensor out = detail::dense_copy(a);
    factor = out;
    if (out.numel() == 0) return out;
    const Shape batch = detail::batch_of(a);
    std::vector<int> info(static_cast<std::size_t>(batch.numel()));
    dispatch_floating(name, a.dtype(), [&](auto zero) {
      detail::cholesky(batch.numel(), detail::rows_of(a), out.data<decltype(zero)>(), info.data());
    });
    detail::expect_success(name, info, batch, [](int minor) {
      return " is not positive definite: its leading minor of order " + std::to_string(minor) + " is not positive";
    });
    return out;
  }

  Tensor backward(const Tensor& grad) const {
    const Tensor l = factor, u = transposed(l), inner = symmetric(half(matmul(u, grad)));
    return solve_triangular(l, solve_triangular(u, inner, {.upper = true}), {.left = false});
  }

  Tensor jvp(const Tensor& da) const {
    const Tensor l = factor, right = solve_triangular(transposed(l), symmetric(da), {.upper = true, .left = false});
    return matmul(l, half(solve_triangular(l, right)));
  }
};

}  // namespace

Tensor cholesky(Operand A, const CholeskyOptions& options) {
  detail::expect_square("linalg::cholesky", *A);
  if (options.upper) return transposed(apply(Cholesky{}, transposed(*A)));
  return apply(Cholesky{}, A);
}

Tensor cholesky_solve(Operand L, Operand B, const CholeskyOptions& options) {
  const detail::RightSides sides("linalg::cholesky_solve", *L, *B);
  const Tensor lower = options.upper ? transposed(sides.a) : sides.a;
  const Tensor half_way = solve_triangular(lower, sides.b);
  return sides.as_given(solve_triangular(transposed(lower), half_way, {.upper = true}));
}

}  // namespace xgrad::linalg
