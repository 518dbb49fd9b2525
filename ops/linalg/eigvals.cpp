#include <vector>

#include "../../kernels/lapack.hpp"
#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../diagonal.hpp"
#include "../joining.hpp"
#include "../matmul.hpp"
#include "../slicing.hpp"
#include "eigen.hpp"
#include "matrices.hpp"
#include "solve.hpp"

namespace xgrad::linalg {

namespace {

using detail::as_columns;
using detail::as_rows;
using detail::transposed;

/// Matrices of complex numbers as matrices of real ones, twice as large: [[re, -im], [im, re]]. Products and inverses
/// of these are those of the complex ones, and the transpose is the conjugate transpose.
Tensor doubled(const Tensor& real, const Tensor& imaginary) {
  return concat({concat({real, -imaginary}, -1), concat({imaginary, real}, -1)}, -2);
}

/// Eigenvalues and eigenvectors, of any length and phase: what depends on the phase has no derivative here. So
/// derivatives of the eigenvalues, whatever their order, are right.
struct Decomposition {
  static constexpr const char* name = "linalg::eigvals";
  Saved real = {}, imaginary = {}, vectors_real = {}, vectors_imaginary = {};

  std::array<Tensor, 4> forward(const Tensor& a) {
    const Shape batch = detail::batch_of(a);
    const std::int64_t n = detail::rows_of(a), count = batch.numel();
    const Shape of_values = detail::with_vectors(batch, n);
    const std::array<Tensor, 4> out{detail::empty(of_values, a.dtype()), detail::empty(of_values, a.dtype()),
                                    detail::empty(a.shape(), a.dtype()), detail::empty(a.shape(), a.dtype())};
    real = out[0], imaginary = out[1], vectors_real = out[2], vectors_imaginary = out[3];
    if (a.numel() == 0) return out;
    const Tensor work = detail::dense_copy(a);
    detail::expect_finite(name, work);
    std::vector<int> info(static_cast<std::size_t>(count));
    dispatch_floating(name, a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const double size = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
      detail::for_each_matrix(count, 25 * size, [&](std::int64_t i) {
        info[static_cast<std::size_t>(i)] =
            detail::lapack::eig(n, detail::matrix_at<T>(work, i), out[0].data<T>() + i * n, out[1].data<T>() + i * n,
                                detail::matrix_at<T>(out[2], i), detail::matrix_at<T>(out[3], i));
      });
    });
    detail::expect_success(name, info, batch, [](int) { return std::string(" did not converge"); });
    return out;
  }

  /// gA = V^-H (diag(gL) + (V^H gV) / conj(E)) V^H, where E_ij = L_j - L_i and the quotient has a diagonal of 0; of it
  /// the real part, for A is real.
  Tensor backward(const std::array<Tensor, 4>& grads) const {
    const std::int64_t n = detail::rows_of(vectors_real);
    Tensor inner_real = diag_embed(grads[0]), inner_imaginary = diag_embed(grads[1]);
    const Tensor adjoint = transposed(doubled(vectors_real, vectors_imaginary));
    if (detail::matters(grads[2]) || detail::matters(grads[3])) {
      const Tensor turned = matmul(adjoint, doubled(grads[2], grads[3]));
      const Tensor x = narrow(narrow(turned, -2, 0, n), -1, 0, n), y = narrow(narrow(turned, -2, n, n), -1, 0, n);
      const Tensor self = detail::identity_like(vectors_real, n) != 0;
      const Tensor c = masked_fill(as_rows(real) - as_columns(real), self, 1),
                   d = as_rows(imaginary) - as_columns(imaginary), size = c * c + d * d;
      inner_real = inner_real + masked_fill((x * c - y * d) / size, self, 0);
      inner_imaginary = inner_imaginary + masked_fill((x * d + y * c) / size, self, 0);
    }
    const Tensor all = solve(adjoint, matmul(doubled(inner_real, inner_imaginary), adjoint));
    return narrow(narrow(all, -2, 0, n), -1, 0, n);
  }
};

}  // namespace

ComplexParts eigvals(Operand A) {
  detail::expect_square("linalg::eigvals", *A);
  const auto [real, imaginary, vectors_real, vectors_imaginary] = apply(Decomposition{}, A);
  return {real, imaginary};
}

}  // namespace xgrad::linalg
