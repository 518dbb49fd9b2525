#include <vector>

#include "../../kernels/lapack.hpp"
#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../diagonal.hpp"
#include "../matmul.hpp"
#include "eigen.hpp"
#include "matrices.hpp"

namespace xgrad::linalg {

namespace {

using detail::as_columns;
using detail::as_rows;
using detail::transposed;

/// Outside the graph; without vectors what stands for them means nothing.
Eigh decompose(const char* op, const Tensor& a, bool vectors, bool upper) {
  const Shape batch = detail::batch_of(a);
  const std::int64_t n = detail::rows_of(a), count = batch.numel();
  const Eigh out{detail::empty(detail::with_vectors(batch, n), a.dtype()), detail::dense_copy(a)};
  if (a.numel() == 0) return out;
  detail::expect_finite(op, out.eigenvectors);
  std::vector<int> info(static_cast<std::size_t>(count));
  dispatch_floating(op, a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const double size = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    detail::for_each_matrix(count, 10 * size, [&](std::int64_t i) {
      info[static_cast<std::size_t>(i)] = detail::lapack::eigh(
          vectors, upper, n, detail::matrix_at<T>(out.eigenvectors, i), out.eigenvalues.data<T>() + i * n);
    });
  });
  detail::expect_success(op, info, batch, [](int) { return std::string(" did not converge"); });
  return out;
}

struct Decomposition {
  static constexpr const char* name = "linalg::eigh";
  bool upper;
  Saved values = {}, vectors = {};

  std::array<Tensor, 2> forward(const Tensor& a) {
    const Eigh found = decompose(name, a, true, upper);
    values = found.eigenvalues, vectors = found.eigenvectors;
    return {found.eigenvalues, found.eigenvectors};
  }

  /// gA = Q (diag(gL) + (Q^T gQ) / E) Q^T, where E_ij = L_j - L_i, made symmetric.
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    const Tensor q = vectors;
    if (!detail::matters(grads[1])) return matmul(q * as_rows(grads[0]), transposed(q));
    const Tensor self = detail::identity_like(q, detail::rows_of(q)) != 0;
    const Tensor gaps = masked_fill(as_rows(values) - as_columns(values), self, 1);
    const Tensor turned = matmul(transposed(q), grads[1]);
    const Tensor inner = diag_embed(grads[0]) + 0.5 * (turned - transposed(turned)) / gaps;
    return matmul(matmul(q, inner), transposed(q));
  }
};

/// Vectors are found when they are wanted, so that the values are the same whether they are or not.
struct Values {
  static constexpr const char* name = "linalg::eigvalsh";
  bool upper;
  Saved matrices = {};

  Tensor forward(const Tensor& a) {
    matrices = a;
    return decompose(name, a, false, upper).eigenvalues;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor q = eigenvectors();
    return matmul(q * as_rows(grad), transposed(q));
  }
  Tensor jvp(const Tensor& da) const {
    const Tensor q = eigenvectors();
    return diagonal(matmul(matmul(transposed(q), da), q), 0, -2, -1);
  }

 private:
  Tensor eigenvectors() const { return eigh(matrices, {.UPLO = upper ? 'U' : 'L'}).eigenvectors; }
};

bool is_upper(const char* op, const Tensor& a, const EighOptions& options) {
  detail::expect_square(op, a);
  check(options.UPLO == 'L' || options.UPLO == 'U', op, ": UPLO is '", std::string(1, options.UPLO),
        "'; it must be 'L' or 'U'");
  return options.UPLO == 'U';
}

}  // namespace

Eigh eigh(Operand A, const EighOptions& options) {
  auto [values, vectors] = apply(Decomposition{is_upper("linalg::eigh", *A, options)}, A);
  return {values, vectors};
}

Tensor eigvalsh(Operand A, const EighOptions& options) {
  return apply(Values{is_upper("linalg::eigvalsh", *A, options)}, A);
}

}  // namespace xgrad::linalg
