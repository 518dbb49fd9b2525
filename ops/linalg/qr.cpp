#include "qr.hpp"

#include <algorithm>

#include "../../autograd/autocast.hpp"
#include "../../autograd/create.hpp"
#include "../../kernels/lapack.hpp"
#include "../arithmetic.hpp"
#include "../diagonal.hpp"
#include "../joining.hpp"
#include "../matmul.hpp"
#include "../slicing.hpp"
#include "matrices.hpp"
#include "triangular.hpp"

namespace xgrad::linalg {

namespace {

using detail::columns_of;
using detail::matrix_at;
using detail::rows_of;
using detail::transposed;

struct Decomposition {
  static constexpr const char* name = "linalg::qr";
  bool complete;
  Saved matrices = {}, q = {}, r = {};

  std::array<Tensor, 2> forward(const Tensor& a) {
    const Shape batch = detail::batch_of(a);
    const std::int64_t m = rows_of(a), n = columns_of(a), k = complete ? m : std::min(m, n), count = batch.numel();
    const Tensor left = detail::empty(detail::with_matrices(batch, m, k), a.dtype()),
                 right = detail::empty(detail::with_matrices(batch, k, n), a.dtype()), work = detail::dense_copy(a);
    if (a.numel() > 0)
      dispatch_floating(name, a.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::for_each_matrix(count, 4 * static_cast<double>(m * n) * static_cast<double>(k), [&](std::int64_t i) {
          detail::lapack::qr(m, n, k, matrix_at<T>(work, i), matrix_at<T>(left, i), matrix_at<T>(right, i));
        });
      });
    else if (left.numel() > 0)
      detail::overwrite(left, detail::identity_like(a, m));
    matrices = a, q = left, r = right;
    return {left, right};
  }

  /// For m >= n, with M = R gR^T - gQ^T Q: gA = (gQ + Q (tril(M) + tril(M, -1)^T)) R^-T. Columns of A beyond the m-th
  /// are Q times those of R.
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    const std::int64_t m = rows_of(q), n = columns_of(r), k = std::min(m, n);
    check(columns_of(q) == k, name, ": mode complete has no gradient for matrices (", m, ", ", n,
          "); use the mode reduced");
    const Tensor left = q, right = r;
    if (m >= n) return square_part(left, right, grads[0], grads[1]);
    const Tensor others = narrow(matrices, -1, k, n - k), grad = narrow(grads[1], -1, k, n - k);
    const Tensor first = square_part(left, narrow(right, -1, 0, k), grads[0] + matmul(others, transposed(grad)),
                                     narrow(grads[1], -1, 0, k));
    return concat({first, matmul(left, grad)}, -1);
  }

 private:
  static Tensor square_part(const Tensor& left, const Tensor& right, const Tensor& by_q, const Tensor& by_r) {
    const Tensor inner = matmul(right, transposed(by_r)) - matmul(transposed(by_q), left);
    const Tensor all = by_q + matmul(left, tril(inner) + transposed(tril(inner, -1)));
    return solve_triangular(transposed(right), all, {.upper = false, .left = false});
  }
};

}  // namespace

QR qr(Operand A, const QROptions& options) {
  detail::expect_matrices("linalg::qr", *A);
  auto [q, r] = apply(Decomposition{options.mode == QRMode::complete}, A);
  return {options.mode == QRMode::r ? Tensor() : q, r};
}

Tensor householder_product(Operand A, Operand tau) {
  const detail::WithoutAutocast without_autocast;
  constexpr const char* op = "linalg::householder_product";
  detail::expect_matrices(op, *A);
  const std::int64_t m = rows_of(*A), n = columns_of(*A);
  check(is_floating(tau->dtype()), op, ": tau of dtype ", tau->dtype(), "; convert it with .to(float32)");
  check(tau->dim() + 1 == A->dim() && tau->size(-1) <= n && n <= m &&
            detail::batch_of(*A) == Shape(tau->shape().begin(), tau->dim() - 1),
        op, ": A of shape ", A->shape(), " and tau of shape ", tau->shape(),
        "; they must be (..., m, n) and (..., k) with k <= n <= m");
  const Tensor below = tril(*A, -1) + narrow(detail::identity_like(*A, m), -1, 0, n);
  Tensor product = narrow(detail::identity_like(*A, m), -1, 0, n);
  for (std::int64_t i = tau->size(-1); i-- > 0;) {
    const Tensor v = narrow(below, -1, i, 1);
    product = product - matmul(detail::as_matrices(select(*tau, -1, i)) * v, matmul(transposed(v), product));
  }
  return product;
}

}  // namespace xgrad::linalg
