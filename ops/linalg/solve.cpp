#include "solve.hpp"

#include <memory>
#include <vector>

#include "../../kernels/matrix_batches.hpp"
#include "../arithmetic.hpp"
#include "../matmul.hpp"
#include "matrices.hpp"

namespace xgrad::linalg {

namespace {

using detail::rows_of;
using detail::transposed;

/// What is kept of matrices for further right-hand sides.
class Factors {
 public:
  Factors() = default;
  /// Throws Error for singular matrices.
  Factors(const char* op, const Tensor& a) : lu_(detail::dense_copy(a)) {
    const Shape batch = detail::batch_of(a);
    const std::int64_t n = rows_of(a), count = batch.numel();
    pivots_ = std::make_shared<std::vector<int>>(static_cast<std::size_t>(count * n));
    std::vector<int> info(static_cast<std::size_t>(count));
    if (a.numel() == 0) return;
    const Tensor lu = lu_;
    dispatch_floating(op, a.dtype(), [&](auto zero) {
      detail::lu_factor(count, n, n, lu.data<decltype(zero)>(), pivots_->data(), info.data());
    });
    detail::expect_success(op, info, batch, [](int pivot) {
      return " is singular: pivot " + std::to_string(pivot) + " of its LU factorisation is 0";
    });
  }

  /// The solution for b (..., n, k) of the same batch, or for the transposed matrices; outside the graph.
  Tensor solve(const Tensor& b, bool transposed_matrices = false) const {
    const Tensor x = detail::dense_copy(b), lu = lu_;
    if (x.numel() == 0) return x;
    dispatch_floating("linalg::solve", x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::lu_solve(detail::batch_of(x).numel(), transposed_matrices, rows_of(x), detail::columns_of(x),
                       lu.data<T>(), pivots_->data(), x.data<T>());
    });
    return x;
  }

 private:
  Saved lu_;
  std::shared_ptr<std::vector<int>> pivots_;
};

struct Solve {
  static constexpr const char* name = "linalg::solve";
  Saved matrices = {}, solution = {};
  Factors factors = {};

  Tensor forward(const Tensor& a, const Tensor& b) {
    factors = Factors(name, a);
    const Tensor x = factors.solve(b);
    matrices = a, solution = x;
    return x;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const Tensor right = is_grad_enabled() ? linalg::solve(transposed(matrices), grad) : factors.solve(grad, true);
    return {needs[0] ? -matmul(right, transposed(solution)) : Tensor(), right};
  }
  Tensor jvp(const Tensor& da, const Tensor& db) const {
    Tensor known = db;
    if (da.defined()) known = db.defined() ? db - matmul(da, solution) : -matmul(da, solution);
    return is_grad_enabled() ? linalg::solve(matrices, known) : factors.solve(known);
  }
};

struct Inverse {
  static constexpr const char* name = "linalg::inv";
  Saved inverse = {};

  Tensor forward(const Tensor& a) {
    const Tensor y = Factors(name, a).solve(detail::identity_like(a, rows_of(a)));
    inverse = y;
    return y;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor y = transposed(inverse);
    return -matmul(y, matmul(grad, y));
  }
  Tensor jvp(const Tensor& da) const {
    const Tensor y = inverse;
    return -matmul(y, matmul(da, y));
  }
};

}  // namespace

Tensor solve(Operand A, Operand B, const SolveOptions& options) {
  const detail::RightSides sides("linalg::solve", *A, *B, options.left);
  if (!options.left) return transposed(apply(Solve{}, transposed(sides.a), transposed(sides.b)));
  return sides.as_given(apply(Solve{}, sides.a, sides.b));
}

Tensor inv(Operand A) {
  detail::expect_square("linalg::inv", *A);
  return apply(Inverse{}, A);
}

}  // namespace xgrad::linalg
