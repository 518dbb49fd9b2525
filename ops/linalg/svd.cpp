#include "svd.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "../../autograd/create.hpp"
#include "../../kernels/lapack.hpp"
#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../diagonal.hpp"
#include "../joining.hpp"
#include "../matmul.hpp"
#include "../slicing.hpp"
#include "matrices.hpp"

namespace xgrad::linalg {

namespace {

using detail::as_columns;
using detail::as_rows;
using detail::columns_of;
using detail::matrix_at;
using detail::rows_of;
using detail::transposed;

/// Outside the graph; without vectors U and Vh are undefined.
SVD decompose(const char* op, const Tensor& a, bool vectors, bool full) {
  const Shape batch = detail::batch_of(a);
  const std::int64_t m = rows_of(a), n = columns_of(a), k = std::min(m, n), count = batch.numel();
  SVD out{{}, detail::empty(detail::with_vectors(batch, k), a.dtype()), {}};
  if (vectors) {
    out.U = detail::empty(detail::with_matrices(batch, m, full ? m : k), a.dtype());
    out.Vh = detail::empty(detail::with_matrices(batch, full ? n : k, n), a.dtype());
  }
  if (a.numel() == 0) {
    if (vectors && full) {
      detail::overwrite(out.U, detail::identity_like(a, m));
      detail::overwrite(out.Vh, detail::identity_like(a, n));
    }
    return out;
  }
  const Tensor work = detail::dense_copy(a);
  detail::expect_finite(op, work);
  std::vector<int> info(static_cast<std::size_t>(count));
  dispatch_floating(op, a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const double size = static_cast<double>(m * n) * static_cast<double>(k);
    detail::for_each_matrix(count, 10 * size, [&](std::int64_t i) {
      info[static_cast<std::size_t>(i)] = detail::lapack::svd(
          full, m, n, matrix_at<T>(work, i), out.S.data<T>() + i * k, matrix_at<T>(out.U, i), matrix_at<T>(out.Vh, i));
    });
  });
  detail::expect_success(op, info, batch, [](int) { return std::string(" did not converge"); });
  return out;
}

/// x - x^T
Tensor skew(const Tensor& x) { return x - transposed(x); }

struct Decomposition {
  static constexpr const char* name = "linalg::svd";
  bool full;
  Saved u = {}, s = {}, vh = {};

  std::array<Tensor, 3> forward(const Tensor& a) {
    const SVD found = decompose(name, a, true, full);
    u = found.U, s = found.S, vh = found.Vh;
    return {found.U, found.S, found.Vh};
  }

  /// gA = U [(skew(U^T gU) / E) S + S (skew(V^T gV) / E) + diag(gS)] V^T, where E_ij = S_j^2 - S_i^2, and what of gU
  /// and gV lies outside of the spaces of U and V.
  Tensor backward(const std::array<Tensor, 3>& grads) const {
    const Tensor values = s;
    const std::int64_t k = values.size(-1), m = rows_of(u), n = columns_of(vh);
    const Tensor left = narrow(u, -1, 0, k), right = narrow(vh, -2, 0, k);
    const Tensor gu = narrow(grads[0], -1, 0, k), gs = grads[1], gvh = narrow(grads[2], -2, 0, k);
    check(!detail::matters(narrow(grads[0], -1, k, columns_of(grads[0]) - k)) &&
              !detail::matters(narrow(grads[2], -2, k, rows_of(grads[2]) - k)),
          name, ": the columns of U and rows of Vh beyond the first ", k,
          " have no gradient; use {.full_matrices = false}");
    const bool by_u = detail::matters(gu), by_v = detail::matters(gvh);
    if (!by_u && !by_v) return matmul(left * as_rows(gs), right);
    const Tensor squares = square(values), self = detail::identity_like(left, k) != 0;
    const Tensor gaps = masked_fill(as_rows(squares) - as_columns(squares), self, 1);
    Tensor inner = diag_embed(gs);
    if (by_u) inner = inner + skew(matmul(transposed(left), gu)) / gaps * as_rows(values);
    if (by_v) inner = inner + as_columns(values) * (skew(matmul(right, transposed(gvh))) / gaps);
    Tensor all = matmul(matmul(left, inner), right);
    if (by_u && m > k) all = all + matmul((gu - matmul(left, matmul(transposed(left), gu))) / as_rows(values), right);
    if (by_v && n > k)
      all = all + matmul(left, (gvh - matmul(matmul(gvh, transposed(right)), right)) / as_columns(values));
    return all;
  }

  /// With P = U^T dA V is dS its diagonal, dU = U ((P S + S P^T) / E) and dV = V ((S P + P^T S) / E), and what of dA
  /// lies outside of the spaces of U and V.
  std::array<Tensor, 3> jvp(const Tensor& da) const {
    const Tensor values = s;
    const std::int64_t k = values.size(-1), m = rows_of(u), n = columns_of(vh);
    const Tensor left = narrow(u, -1, 0, k), right = transposed(narrow(vh, -2, 0, k));
    const Tensor on_right = matmul(da, right), on_left = matmul(transposed(da), left);
    const Tensor turned = matmul(transposed(left), on_right), back = transposed(turned);
    const Tensor squares = square(values), self = detail::identity_like(left, k) != 0;
    const Tensor gaps = masked_fill(as_rows(squares) - as_columns(squares), self, 1);
    const Tensor by_left = masked_fill((turned * as_rows(values) + as_columns(values) * back) / gaps, self, 0);
    const Tensor by_right = masked_fill((as_columns(values) * turned + back * as_rows(values)) / gaps, self, 0);
    Tensor du = matmul(left, by_left), dv = matmul(right, by_right);
    if (m > k) du = du + (on_right - matmul(left, turned)) / as_rows(values);
    if (n > k) dv = dv + (on_left - matmul(right, back)) / as_rows(values);
    return {with_others(du, columns_of(u)), diagonal(turned, 0, -2, -1), transposed(with_others(dv, rows_of(vh)))};
  }

 private:
  /// The columns that full matrices have beside these have no derivative: NaN.
  static Tensor with_others(const Tensor& columns, std::int64_t all) {
    if (columns_of(columns) == all) return columns;
    const Shape others = detail::with_matrices(detail::batch_of(columns), rows_of(columns), all - columns_of(columns));
    const double none = std::numeric_limits<double>::quiet_NaN();
    return concat({columns, xgrad::full(others, none, {.dtype = columns.dtype()})}, -1);
  }
};

/// Vectors are found when they are wanted, so that the values are the same whether they are or not.
struct Values {
  static constexpr const char* name = "linalg::svdvals";
  Saved matrices = {};

  Tensor forward(const Tensor& a) {
    matrices = a;
    return decompose(name, a, false, false).S;
  }
  Tensor backward(const Tensor& grad) const {
    const SVD found = svd(matrices, {.full_matrices = false});
    return matmul(found.U * as_rows(grad), found.Vh);
  }
  Tensor jvp(const Tensor& da) const {
    const SVD found = svd(matrices, {.full_matrices = false});
    return diagonal(matmul(matmul(transposed(found.U), da), transposed(found.Vh)), 0, -2, -1);
  }
};

}  // namespace

SVD svd(Operand A, const SVDOptions& options) {
  detail::expect_matrices("linalg::svd", *A);
  const bool full = options.full_matrices && rows_of(*A) != columns_of(*A);
  auto [u, s, vh] = apply(Decomposition{full}, A);
  return {u, s, vh};
}

Tensor svdvals(Operand A) {
  detail::expect_matrices("linalg::svdvals", *A);
  return apply(Values{}, A);
}

}  // namespace xgrad::linalg
