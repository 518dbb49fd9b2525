#include "triangular.hpp"

#include <vector>

#include "../../kernels/matrix_batches.hpp"
#include "../arithmetic.hpp"
#include "../diagonal.hpp"
#include "../matmul.hpp"
#include "matrices.hpp"

namespace xgrad::linalg {

namespace {

using detail::transposed;

struct SolveTriangular {
  static constexpr const char* name = "linalg::solve_triangular";
  SolveTriangularOptions options;
  Saved matrices = {}, solution = {};

  Tensor forward(const Tensor& a, const Tensor& b) {
    // A transposed view is read as it lies.
    const bool flipped = !a.is_contiguous() && transposed(a.detach()).is_contiguous();
    const detail::MaybeOwned stored = flipped ? detail::MaybeOwned(transposed(a.detach())) : detail::dense(a);
    const Tensor x = detail::dense_copy(b);
    if (!options.unitriangular) expect_no_zero(stored);
    matrices = a, solution = x;
    if (x.numel() == 0) return x;
    const detail::Triangular kind{options.upper != flipped, flipped, options.unitriangular};
    dispatch_floating(name, a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::solve_triangular(detail::batch_of(b).numel(), kind, options.left, detail::rows_of(b),
                               detail::columns_of(b), detail::first_element<T>(*stored), x.data<T>());
    });
    return x;
  }

  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    SolveTriangularOptions adjoint = options;
    adjoint.upper = !options.upper;
    const Tensor right = solve_triangular(transposed(matrices), grad, adjoint), x = transposed(solution);
    return {needs[0] ? triangle(-(options.left ? matmul(right, x) : matmul(x, right))) : Tensor(), right};
  }

  Tensor jvp(const Tensor& da, const Tensor& db) const {
    if (!da.defined()) return solve_triangular(matrices, db, options);
    const Tensor change = triangle(da);
    const Tensor known = options.left ? matmul(change, solution) : matmul(solution, change);
    return solve_triangular(matrices, db.defined() ? db - known : -known, options);
  }

 private:
  /// The elements that are read.
  Tensor triangle(const Tensor& x) const {
    const std::int64_t offset = options.unitriangular ? 1 : 0;
    return options.upper ? triu(x, offset) : tril(x, -offset);
  }

  void expect_no_zero(const Tensor& a) const {
    const std::int64_t n = detail::rows_of(a), count = detail::batch_of(a).numel();
    if (a.numel() == 0) return;
    dispatch_floating(name, a.dtype(), [&](auto zero) {
      const auto* const elements = detail::first_element<decltype(zero)>(a);
      for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t j = 0; j < n; ++j)
          check(elements[(i * n + j) * n + j] != 0, name, ": ", detail::name_of_matrix(i, detail::batch_of(a)),
                " is singular: element (", j, ", ", j, ") is 0");
    });
  }
};

}  // namespace

Tensor solve_triangular(Operand A, Operand B, const SolveTriangularOptions& options) {
  const detail::RightSides sides("linalg::solve_triangular", *A, *B, options.left);
  return sides.as_given(apply(SolveTriangular{options}, sides.a, sides.b));
}

}  // namespace xgrad::linalg
