#include "pinv.hpp"

#include <algorithm>
#include <limits>

#include "../../autograd/autocast.hpp"
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
  std::int64_t rank = 0;  // the smallest of the batch
  Saved matrices = {}, inverse = {};

  Tensor forward(const Tensor& a) {
    const Tensor p = of(a.detach());
    matrices = a, inverse = p;
    return p;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor a = matrices, p = inverse, pt = transposed(p), g = transposed(grad);
    Tensor all = -matmul(matmul(pt, grad), pt);
    if (rank < rows_of(a)) {  // else I - A P is 0
      const Tensor x = matmul(matmul(g, p), pt);
      all = all + x - matmul(a, matmul(p, x));
    }
    if (rank < columns_of(a)) {  // else I - P A is 0
      const Tensor x = matmul(matmul(pt, p), g);
      all = all + x - matmul(matmul(x, p), a);
    }
    return all;
  }
  Tensor jvp(const Tensor& da) const {
    const Tensor a = matrices, p = inverse, pt = transposed(p), d = transposed(da);
    Tensor all = -matmul(matmul(p, da), p);
    if (rank < rows_of(a)) {
      const Tensor x = matmul(matmul(p, pt), d);
      all = all + x - matmul(matmul(x, a), p);
    }
    if (rank < columns_of(a)) {
      const Tensor x = matmul(matmul(d, pt), p);
      all = all + x - matmul(p, matmul(a, x));
    }
    return all;
  }

 private:
  Tensor of(const Tensor& a) {
    const std::int64_t m = rows_of(a), n = columns_of(a);
    if (!options.hermitian) {
      const auto [u, s, vh] = svd(a, {.full_matrices = false});
      const Tensor inverses = detail::inverse_counted(s, m, n, options);
      note_rank(inverses);
      return matmul(transposed(vh) * as_rows(inverses), transposed(u));
    }
    const auto [values, q] = eigh(a);
    const Tensor inverses = detail::inverse_counted(abs(values), m, n, options);
    note_rank(inverses);
    return matmul(q * as_rows(sign(values) * inverses), transposed(q));
  }
  void note_rank(const Tensor& inverses) {
    const Tensor ranks = count_nonzero(inverses, -1);
    if (ranks.numel() > 0) rank = amin(ranks).item<std::int64_t>();
  }
};

}  // namespace

Tensor matrix_rank(Operand A, const RankOptions& options) {
  expect("linalg::matrix_rank", *A, options);
  const Tensor a = A->detach(), values = options.hermitian ? abs(eigvalsh(a)) : svdvals(a);
  return count_nonzero(detail::counted(values, rows_of(a), columns_of(a), options), -1);
}

Tensor pinv(Operand A, const RankOptions& options) {
  const detail::WithoutAutocast without_autocast;
  expect("linalg::pinv", *A, options);
  return apply(PseudoInverse{options}, A);
}

}  // namespace linalg

}  // namespace xgrad
