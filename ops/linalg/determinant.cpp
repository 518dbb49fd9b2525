#include "determinant.hpp"

#include <cmath>
#include <vector>

#include "../../kernels/matrix_batches.hpp"
#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../diagonal.hpp"
#include "../matmul.hpp"
#include "../product.hpp"
#include "../reduce.hpp"
#include "matrices.hpp"
#include "solve.hpp"
#include "svd.hpp"

namespace xgrad::linalg {

namespace {

using detail::transposed;

/// f(matrix, diagonal element of U, ...) for the pivots of each matrix, with the sign of the exchanges of rows.
template <class F>
void for_each_factorisation(const char* op, const Tensor& a, const F& f) {
  const std::int64_t n = detail::rows_of(a), count = detail::batch_of(a).numel();
  const Tensor lu = detail::dense_copy(a);
  std::vector<int> pivots(static_cast<std::size_t>(count * n)), info(static_cast<std::size_t>(count));
  dispatch_floating(op, a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* const elements = lu.data<T>();
    if (a.numel() > 0) detail::lu_factor(count, n, n, elements, pivots.data(), info.data());
    std::vector<T> diagonal(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < count; ++i) {
      bool odd = false;
      for (std::int64_t j = 0; j < n; ++j) {
        odd = odd != (pivots[static_cast<std::size_t>(i * n + j)] != j);
        diagonal[static_cast<std::size_t>(j)] = elements[(i * n + j) * n + j];
      }
      f(i, diagonal, odd ? T(-1) : T(1));
    }
  });
}

/// The cofactors of matrices that may be singular, by their singular values: for A = U diag(s) V^T they are
/// +-U diag(product of the others) V^T.
struct Cofactors {
  static constexpr const char* name = "linalg::det";
  static constexpr bool once_differentiable = true;
  Saved u = {}, s = {}, vh = {}, signs = {};

  Tensor forward(const Tensor& a) {
    const auto [left, values, right] = svd(a.detach(), {.full_matrices = false});
    const Tensor sign = detail::as_matrices(det(left) * det(right)), self = diagonal_of(a);
    u = left, s = values, vh = right, signs = sign;
    return sign * matmul(left * detail::as_rows(product_of_others(values, self)), right);
  }
  /// Turned by U and V, cofactor (i, i) is the product of the diagonal elements (j, j) for j other than i, and (i, j)
  /// is minus element (j, i) times all but i and j.
  Tensor backward(const Tensor& grad) const {
    const Tensor left = u, right = vh, self = diagonal_of(left);
    const Tensor turned = matmul(matmul(transposed(left), grad), transposed(right));
    const Tensor excluded = logical_or(detail::as_rows(self), unsqueeze(self, -3));  // [i, j, k]: k is i or j
    Shape shape = left.shape();
    shape.push_back(left.size(-1));
    const Tensor others = prod(masked_fill(expand(unsqueeze(detail::as_rows(s), -2), shape), excluded, 1), -1);
    const Tensor along = matmul(masked_fill(others, self, 0), detail::as_columns(diagonal(turned, 0, -2, -1)));
    const Tensor inner = where(self, along, -others * transposed(turned));
    return Tensor(signs) * matmul(matmul(left, inner), right);
  }

 private:
  static Tensor diagonal_of(const Tensor& a) { return detail::identity_like(a, detail::rows_of(a)) != 0; }
  static Tensor product_of_others(const Tensor& values, const Tensor& self) {
    return prod(masked_fill(expand(detail::as_rows(values), self.shape()), self, 1), -1);
  }
};

struct Determinant {
  static constexpr const char* name = "linalg::det";
  Saved matrices = {}, value = {};

  Tensor forward(const Tensor& a) {
    const Tensor out = detail::empty(detail::batch_of(a), a.dtype());
    for_each_factorisation(name, a, [&](std::int64_t i, const auto& diagonal, auto sign) {
      double product = sign;  // which leaves the range of float32 later than its factors do
      for (const auto pivot : diagonal) product *= static_cast<double>(pivot);
      out.data<decltype(sign)>()[i] = static_cast<decltype(sign)>(product);
    });
    matrices = a, value = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return detail::as_matrices(grad) * cofactors(); }
  Tensor jvp(const Tensor& da) const { return sum(da * cofactors(), {-2, -1}); }

 private:
  Tensor cofactors() const {
    const Tensor a = matrices, d = value;
    if (a.numel() == 0) return a;
    if (count_nonzero(d).item<std::int64_t>() == d.numel()) return detail::as_matrices(d) * transposed(inv(a));
    return apply(Cofactors{}, a);
  }
};

struct LogDeterminant {
  static constexpr const char* name = "linalg::slogdet";
  static constexpr int non_differentiable[] = {0};
  Saved matrices = {};

  std::array<Tensor, 2> forward(const Tensor& a) {
    const Shape batch = detail::batch_of(a);
    const Tensor signs = detail::empty(batch, a.dtype()), logarithms = detail::empty(batch, a.dtype());
    for_each_factorisation(name, a, [&](std::int64_t i, const auto& diagonal, auto sign) {
      using T = decltype(sign);
      double sum = 0;
      for (const T pivot : diagonal) {
        sum += std::log(std::abs(static_cast<double>(pivot)));
        sign = pivot == 0 ? T(0) : pivot < 0 ? -sign : sign;
      }
      signs.data<T>()[i] = sign;
      logarithms.data<T>()[i] = static_cast<T>(sum);
    });
    matrices = a;
    return {signs, logarithms};
  }
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    return detail::as_matrices(grads[1]) * transposed(inv(matrices));
  }
};

}  // namespace

Tensor det(Operand A) {
  detail::expect_square("linalg::det", *A);
  return apply(Determinant{}, A);
}

SignAndLogabsdet slogdet(Operand A) {
  detail::expect_square("linalg::slogdet", *A);
  auto [sign, logarithm] = apply(LogDeterminant{}, A);
  return {sign, logarithm};
}

}  // namespace xgrad::linalg
