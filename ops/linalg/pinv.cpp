#include "pinv.hpp"

#include <algorithm>
#include <limits>

#include "../arithmetic.hpp"
#include "../comparison.hpp"
#include "../extrema.hpp"
#include "../matmul.hpp"
#include "../reduce.hpp"
#include "eigen.hpp"
#include "matrices.hpp"
#include "singular_values.hpp"
#include "svd.hpp"

namespace xgrad {

namespace detail {

Tensor counted(const Tensor& values, std::int64_t m, std::int64_t n, const linalg::RankOptions& options) {
  if (values.numel() == 0) return values != 0;
  const double epsilon =
      values.dtype() == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const double atol = options.atol.value_or(0);
  const double rtol = options.rtol.value_or(options.atol ? 0 : epsilon * static_cast<double>(std::max(m, n)));
  return values > maximum(amax(values, -1, {.keepdim = true}) * rtol, atol);
}

Tensor inverse_counted(const Tensor& values, std::int64_t m, std::int64_t n, const linalg::RankOptions& options) {
  const Tensor counts = counted(values, m, n, options);
  return where(counts, 1 / where(counts, values, 1), 0);
}

}  // namespace detail

namespace linalg {

namespace {

using detail::as_rows;
using detail::columns_of;
using detail::rows_of;
using detail::transposed;

void expect(const char* op, const Tensor& a, const RankOptions& options) {
  options.hermitian ? detail::expect_square(op, a) : detail::expect_matrices(op, a);
  check(options.atol.value_or(0) >= 0 && options.rtol.value_or(0) >= 0, op, ": atol is ", options.atol.value_or(0),
        ", rtol ", options.rtol.value_or(0), "; they must not be negative");
}

/// With P the pseudo-inverse, and the rank constant, dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P.
struct PseudoInverse {
  static constexpr const char* name = "linalg::pinv";
  RankOptions options;
  Saved matrices = {}, inverse = {};

  Tensor forward(const Tensor& a) {
    const Tensor p = of(a.detach());
    matrices = a, inverse = p;
    return p;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor a = matrices, p = inverse, pt = transposed(p), g = transposed(grad);
    const Tensor by_first = matmul(matmul(g, p), pt), by_second = matmul(matmul(pt, p), g);
    return by_first - matmul(a, matmul(p, by_first)) + by_second - matmul(matmul(by_second, p), a) -
           matmul(matmul(pt, grad), pt);
  }
  Tensor jvp(const Tensor& da) const {
    const Tensor a = matrices, p = inverse, pt = transposed(p), d = transposed(da);
    const Tensor first = matmul(matmul(p, pt), d), second = matmul(matmul(d, pt), p);
    return first - matmul(matmul(first, a), p) + second - matmul(p, matmul(a, second)) - matmul(matmul(p, da), p);
  }

 private:
  Tensor of(const Tensor& a) const {
    const std::int64_t m = rows_of(a), n = columns_of(a);
    if (!options.hermitian) {
      const auto [u, s, vh] = svd(a, {.full_matrices = false});
      return matmul(transposed(vh) * as_rows(detail::inverse_counted(s, m, n, options)), transposed(u));
    }
    const auto [values, q] = eigh(a);
    return matmul(q * as_rows(sign(values) * detail::inverse_counted(abs(values), m, n, options)), transposed(q));
  }
};

}  // namespace

Tensor matrix_rank(Operand A, const RankOptions& options) {
  expect("linalg::matrix_rank", *A, options);
  const Tensor a = A->detach(), values = options.hermitian ? abs(eigvalsh(a)) : svdvals(a);
  return count_nonzero(detail::counted(values, rows_of(a), columns_of(a), options), -1);
}

Tensor pinv(Operand A, const RankOptions& options) {
  expect("linalg::pinv", *A, options);
  return apply(PseudoInverse{options}, A);
}

}  // namespace linalg

}  // namespace xgrad
