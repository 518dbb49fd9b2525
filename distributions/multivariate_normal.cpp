#include "multivariate_normal.hpp"

#include <cmath>
#include <numbers>

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/diagonal.hpp"
#include "../ops/linalg/cholesky.hpp"
#include "../ops/linalg/triangular.hpp"
#include "../ops/math.hpp"
#include "../ops/matmul.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "draws.hpp"

namespace xgrad::distributions {

namespace {

Tensor with_last(const Tensor& x, const Shape& batch, std::size_t axes) {
  Shape event;
  for (std::size_t i = x.dim() - axes; i < x.dim(); ++i) event.push_back(x.shape()[i]);
  return expand(x, detail::joined(batch, event));
}
Shape without_last(const Shape& shape, std::size_t axes) { return {shape.begin(), shape.size() - axes}; }

/// The lower factor of the inverse of a matrix: that of the matrix turned around, inverted and turned back.
Tensor factor_of_inverse(const Tensor& precision) {
  const Tensor factor = transpose(flip(linalg::cholesky(flip(precision, {-2, -1})), {-2, -1}), -2, -1);
  return linalg::solve_triangular(factor, eye(precision.size(-1), {.dtype = precision.dtype()}));
}

double log_of_2pi() { return std::log(2 * std::numbers::pi); }
Tensor log_determinant(const Tensor& factor) { return sum(log(diagonal(factor, 0, -2, -1)), -1); }

}  // namespace

MultivariateNormal::MultivariateNormal(const Tensor& location, const CovarianceOptions& options) : loc(location) {
  constexpr const char* op = "MultivariateNormal";
  check(options.covariance_matrix.defined() + options.precision_matrix.defined() + options.scale_tril.defined() == 1,
        op, ": give one of covariance_matrix, precision_matrix and scale_tril");
  const Tensor& matrix = options.covariance_matrix.defined()  ? options.covariance_matrix
                         : options.precision_matrix.defined() ? options.precision_matrix
                                                              : options.scale_tril;
  check(loc.defined() && loc.dim() > 0 && matrix.dim() > 1 && matrix.size(-1) == loc.size(-1) &&
            matrix.size(-2) == loc.size(-1),
        op, ": loc of shape ", loc.defined() ? loc.shape() : Shape(), " and a matrix of shape ", matrix.shape(),
        "; they are (..., n) and (..., n, n)");
  if (options.covariance_matrix.defined()) scale_tril = linalg::cholesky(matrix);
  if (options.precision_matrix.defined()) scale_tril = factor_of_inverse(matrix);
  if (options.scale_tril.defined()) {
    detail::expect_all(op, "the diagonal of scale_tril", diagonal(matrix, 0, -2, -1) > 0, "not above 0");
    scale_tril = matrix;
  }
  const Shape batch = broadcast_shapes(op, without_last(loc.shape(), 1), without_last(scale_tril.shape(), 2));
  loc = with_last(loc.to(scale_tril.dtype()), batch, 1), scale_tril = with_last(scale_tril, batch, 2);
}

Shape MultivariateNormal::batch_shape() const { return without_last(loc.shape(), 1); }
Tensor MultivariateNormal::rsample(const Shape& shape, const SampleOptions& options) const {
  const Tensor z = detail::normal(detail::joined(shape, loc.shape()), loc.dtype(), options);
  return loc + squeeze(matmul(tril(scale_tril), unsqueeze(z, -1)), -1);
}
Tensor MultivariateNormal::log_prob(const Tensor& value) const {
  const Tensor z = linalg::solve_triangular(scale_tril, unsqueeze(value - loc, -1));
  return -0.5 * sum(square(z), {-2, -1}) - log_determinant(scale_tril) -
         0.5 * static_cast<double>(loc.size(-1)) * log_of_2pi();
}
Tensor MultivariateNormal::entropy() const {
  return log_determinant(scale_tril) + 0.5 * static_cast<double>(loc.size(-1)) * (1 + log_of_2pi());
}
Tensor MultivariateNormal::variance() const { return sum(square(tril(scale_tril)), -1); }
Tensor MultivariateNormal::covariance_matrix() const {
  const Tensor factor = tril(scale_tril);
  return matmul(factor, transpose(factor, -2, -1));
}

}  // namespace xgrad::distributions
