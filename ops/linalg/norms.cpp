#include "norms.hpp"

#include <cmath>
#include <string_view>

#include "../../autograd/create.hpp"
#include "../../autograd/primitives.hpp"
#include "../arithmetic.hpp"
#include "../extrema.hpp"
#include "../norm.hpp"
#include "../slicing.hpp"
#include "matrices.hpp"
#include "solve.hpp"
#include "svd.hpp"

namespace xgrad::linalg {

namespace {

Tensor extreme(const Tensor& x, const Axes& axes, bool largest) { return largest ? amax(x, axes) : amin(x, axes); }

/// Of the last two axes.
Tensor norm_of(const Tensor& a, const MatrixOrder& order) {
  if (order.frobenius()) return norm(a, 2, {-2, -1});
  if (order.nuclear()) return sum(svdvals(a), -1);
  if (order.spectral()) return extreme(svdvals(a), -1, order.order() > 0);
  return extreme(sum(abs(a), std::isinf(order.order()) ? -1 : -2), -1, order.order() > 0);
}

}  // namespace

MatrixOrder::MatrixOrder(const char* name) : MatrixOrder(Kind::frobenius, 0) {
  const std::string_view text = name;
  check(text == "fro" || text == "nuc", "linalg::matrix_norm: there is no norm of the name \"", text,
        "\"; there are \"fro\" and \"nuc\", and the numbers 1, 2, infinity and their negatives");
  if (text == "nuc") kind_ = Kind::nuclear;
}

MatrixOrder MatrixOrder::number(double order) {
  check(std::abs(order) == 1 || std::abs(order) == 2 || std::isinf(order),
        "linalg::matrix_norm: there is no norm of order ", order,
        "; there are 1, 2, infinity and their negatives, \"fro\" and \"nuc\"");
  return {Kind::number, order};
}

Tensor vector_norm(Operand x, double p, const Axes& axes, const ReduceOptions& options) {
  return norm(*x, p, axes, options);
}

Tensor matrix_norm(Operand A, const MatrixOrder& order, const Axes& axes, const ReduceOptions& options) {
  constexpr const char* op = "linalg::matrix_norm";
  detail::expect_matrices(op, *A);
  check(axes.numbers().size() == 2, op, ": axes ", axes.numbers(), "; a matrix has two");
  const std::size_t first = normalize_axis(op, axes.numbers()[0], A->dim()),
                    second = normalize_axis(op, axes.numbers()[1], A->dim());
  check(first != second, op, ": axes ", axes.numbers(), " are the same");
  Shape order_of_axes;
  for (std::size_t axis = 0; axis < A->dim(); ++axis)
    if (axis != first && axis != second) order_of_axes.push_back(static_cast<std::int64_t>(axis));
  order_of_axes.push_back(static_cast<std::int64_t>(first));
  order_of_axes.push_back(static_cast<std::int64_t>(second));
  const detail::MaybeOwned numbers = detail::widened(*A);
  Tensor result = norm_of(permute(*numbers, order_of_axes), order);
  for (const std::size_t axis : {std::min(first, second), std::max(first, second)})
    if (options.keepdim) result = unsqueeze(result, static_cast<std::int64_t>(axis));
  return detail::narrowed(std::move(result), A->dtype());
}

Tensor cond(Operand A, const MatrixOrder& order) {
  constexpr const char* op = "linalg::cond";
  detail::expect_matrices(op, *A);
  if (order.spectral()) {
    const Tensor values = svdvals(*A);
    check(values.size(-1) > 0, op, ": matrices of shape ", A->shape(), " have no singular values");
    const Tensor largest = select(values, -1, 0), smallest = select(values, -1, -1);
    return order.order() > 0 ? largest / smallest : smallest / largest;
  }
  detail::expect_square(op, *A);
  return norm_of(*A, order) * norm_of(inv(*A), order);
}

}  // namespace xgrad::linalg
