#include "matrix_functions.hpp"

#include "../../autograd/autocast.hpp"
#include "../../autograd/create.hpp"
#include "../../kernels/lapack.hpp"
#include "../../kernels/matrix_exp.hpp"
#include "../arithmetic.hpp"
#include "../diagonal.hpp"
#include "../joining.hpp"
#include "../matmul.hpp"
#include "../slicing.hpp"
#include "matrices.hpp"
#include "solve.hpp"

namespace xgrad::linalg {

namespace {

using detail::rows_of;
using detail::transposed;

/// exp([[a, d], [0, a]]) has the derivative in the direction d above the diagonal.
Tensor derivative(const Tensor& a, const Tensor& d) {
  const std::int64_t n = rows_of(a);
  const Tensor above = concat({a, d}, -1), below = concat({zeros_like(a), a}, -1);
  return narrow(narrow(matrix_exp(concat({above, below}, -2)), -2, 0, n), -1, n, n);
}

struct MatrixExp {
  static constexpr const char* name = "linalg::matrix_exp";
  Saved matrices = {};

  Tensor forward(const Tensor& a) {
    const Tensor in = detail::dense(a), out = detail::empty(a.shape(), a.dtype());
    matrices = a;
    if (a.numel() == 0) return out;
    const std::int64_t n = rows_of(a);
    dispatch_floating(name, a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const double size = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
      detail::for_each_matrix(detail::batch_of(a).numel(), 20 * size, [&](std::int64_t i) {
        detail::matrix_exp(n, in.data<T>() + i * n * n, out.data<T>() + i * n * n);
      });
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const { return derivative(transposed(matrices), grad); }
  Tensor jvp(const Tensor& da) const { return derivative(matrices, da); }
};

}  // namespace

Tensor matrix_power(Operand A, std::int64_t n) {
  const detail::WithoutAutocast without_autocast;
  constexpr const char* op = "linalg::matrix_power";
  detail::expect_square(op, *A);
  check(n > INT64_MIN, op, ": the power ", n, " is out of range");
  if (n == 0) return triu(*A, rows_of(*A)) + detail::identity_like(*A, rows_of(*A));  // with a gradient of 0
  Tensor square = n < 0 ? inv(*A) : *A, product;
  for (std::int64_t left = n < 0 ? -n : n;; square = matmul(square, square)) {
    if (left % 2 == 1) product = product.defined() ? matmul(product, square) : square;
    if ((left /= 2) == 0) return product;
  }
}

Tensor matrix_exp(Operand A) {
  detail::expect_square("linalg::matrix_exp", *A);
  return apply(MatrixExp{}, A);
}

}  // namespace xgrad::linalg
