#include "lu.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "../../autograd/autocast.hpp"
#include "../../autograd/create.hpp"
#include "../../kernels/matrix_batches.hpp"
#include "../../kernels/reduce.hpp"
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
using detail::rows_of;
using detail::transposed;

/// P (..., m, m) of the exchanges that pivots (..., k) tell of; throws Error for other numbers than those of rows
/// below.
Tensor permutation(const char* op, const Tensor& pivots, std::int64_t m, DType dtype) {
  const detail::MaybeOwned exchanges = detail::dense(pivots);
  const std::int64_t k = pivots.size(-1);
  const Shape batch(pivots.shape().begin(), pivots.dim() - 1);
  const Tensor out = zeros(detail::with_matrices(batch, m, m), {.dtype = dtype});
  const detail::Scratch<std::int64_t> memory(m);
  std::int64_t* const rows = memory.data();
  dispatch_floating(op, dtype, [&](auto zero) {
    auto* const elements = out.data<decltype(zero)>();
    for (std::int64_t i = 0; i < batch.numel(); ++i) {
      std::iota(rows, rows + m, 0);
      for (std::int64_t j = 0; j < k; ++j) {
        const std::int64_t other = exchanges->data<std::int64_t>()[i * k + j] - 1;
        check(other >= j && other < m, op, ": pivot ", other + 1, " of row ", j, "; it must be between ", j + 1,
              " and ", m);
        std::swap(rows[j], rows[other]);
      }
      for (std::int64_t j = 0; j < m; ++j) elements[(i * m + rows[j]) * m + j] = 1;
    }
  });
  return out;
}

struct Factor {
  static constexpr const char* name = "linalg::lu_factor";
  Saved factors = {}, pivots = {};

  std::array<Tensor, 2> forward(const Tensor& a) {
    const Shape batch = detail::batch_of(a);
    const std::int64_t m = rows_of(a), n = columns_of(a), k = std::min(m, n), count = batch.numel();
    const Tensor out = detail::dense_copy(a), exchanges = detail::empty(detail::with_vectors(batch, k), int64);
    std::vector<int> rows(static_cast<std::size_t>(count * k)), info(static_cast<std::size_t>(count));
    if (out.numel() > 0)
      dispatch_floating(name, a.dtype(), [&](auto zero) {
        detail::lu_factor(count, m, n, out.data<decltype(zero)>(), rows.data(), info.data());
      });
    std::transform(rows.begin(), rows.end(), exchanges.data<std::int64_t>(), [](int row) { return row + 1; });
    factors = out, pivots = exchanges;
    return {out, exchanges};
  }

  /// With A = P L U and F = L^T gL strictly below the diagonal and gU U^T from it upwards, gA = P L^-T F U^-T. Rows of
  /// L below the square part are A2 U^-1, columns of U right of it L^-1 A2: what comes by them is added to gU and gL.
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    const Tensor lu = factors, g = grads[0], p = permutation(name, pivots, rows_of(lu), lu.dtype());
    const std::int64_t m = rows_of(lu), n = columns_of(lu), k = std::min(m, n);
    const Tensor square = narrow(narrow(lu, -2, 0, k), -1, 0, k), top = narrow(narrow(g, -2, 0, k), -1, 0, k);
    const Tensor l = unit_lower(square), u = triu(square);
    Tensor below = matmul(transposed(l), tril(top, -1)), above = matmul(triu(top), transposed(u));
    const auto by_u = [&](const Tensor& x) {
      return solve_triangular(transposed(u), x, {.upper = false, .left = false});
    };
    const auto by_l = [&](const Tensor& x) {
      return solve_triangular(transposed(l), x, {.upper = true, .unitriangular = true});
    };
    Tensor rest;
    if (m > n) {
      const Tensor lower = narrow(lu, -2, k, m - k), grad = narrow(g, -2, k, m - k);
      above = above - matmul(transposed(lower), grad);
      rest = by_u(grad);
    } else if (n > m) {
      const Tensor right = narrow(lu, -1, k, n - k), grad = narrow(g, -1, k, n - k);
      below = below - matmul(grad, transposed(right));
      rest = by_l(grad);
    }
    Tensor all = by_l(by_u(tril(below, -1) + triu(above)));
    if (rest.defined()) all = concat({all, rest}, m > n ? -2 : -1);
    return matmul(p, all);
  }

 private:
  static Tensor unit_lower(const Tensor& x) { return tril(x, -1) + detail::identity_like(x, columns_of(x)); }
};

}  // namespace

LUFactors lu_factor(Operand A) {
  detail::expect_matrices("linalg::lu_factor", *A);
  auto [factors, pivots] = apply(Factor{}, A);
  return {factors, pivots};
}

LU lu(Operand A) {
  detail::expect_matrices("linalg::lu", *A);
  const auto [factors, pivots] = apply(Factor{}, A);
  const std::int64_t m = rows_of(factors), k = std::min(m, columns_of(factors));
  const Tensor ones =
      expand(eye(m, {.dtype = factors.dtype()}), detail::with_matrices(detail::batch_of(factors), m, m));
  return {permutation("linalg::lu", pivots, m, factors.dtype()),
          tril(narrow(factors, -1, 0, k), -1) + narrow(ones, -1, 0, k), triu(narrow(factors, -2, 0, k))};
}

Tensor lu_solve(Operand LU, const Tensor& pivots, Operand B, const LUSolveOptions& options) {
  const detail::WithoutAutocast without_autocast;
  constexpr const char* op = "linalg::lu_solve";
  detail::expect_square(op, *LU);
  const Shape expected = detail::with_vectors(detail::batch_of(*LU), rows_of(*LU));
  check(pivots.dtype() == int64 && pivots.shape() == expected, op, ": pivots of shape ", pivots.shape(), " and dtype ",
        pivots.dtype(), "; they must be int64 of shape ", expected, ", as lu_factor gives them");
  const detail::RightSides sides(op, *LU, *B, options.left);
  const Tensor p = permutation(op, pivots, rows_of(*LU), sides.a.dtype()), factors = sides.a;
  // X A = B is the transpose of A^T X^T = B^T.
  const Tensor b = options.left ? sides.b : transposed(sides.b);
  Tensor x;
  if (options.adjoint == options.left) {
    x = solve_triangular(transposed(factors), b, {.upper = false});
    x = matmul(p, solve_triangular(transposed(factors), x, {.upper = true, .unitriangular = true}));
  } else {
    x = solve_triangular(factors, matmul(transposed(p), b), {.upper = false, .unitriangular = true});
    x = solve_triangular(factors, x, {.upper = true});
  }
  return options.left ? sides.as_given(x) : transposed(x);
}

}  // namespace xgrad::linalg
