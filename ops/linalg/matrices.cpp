#include "matrices.hpp"

#include <algorithm>
#include <cmath>

#include "../../autograd/create.hpp"

namespace xgrad::detail {

void expect_matrices(const char* op, const Tensor& x) {
  check(is_floating(x.dtype()), op, ": a tensor of dtype ", x.dtype(), "; convert it with .to(float32)");
  check(x.dim() >= 2, op, ": a tensor of shape ", x.shape(), " has no matrices; it needs at least two axes");
}

void expect_square(const char* op, const Tensor& x) {
  expect_matrices(op, x);
  check(rows_of(x) == columns_of(x), op, ": the matrices of a tensor of shape ", x.shape(), " are not square");
}

Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.dim() - 2); }

Shape with_vectors(const Shape& batch, std::int64_t size) {
  Shape shape = batch;
  shape.push_back(size);
  return shape;
}
Shape with_matrices(const Shape& batch, std::int64_t rows, std::int64_t columns) {
  return with_vectors(with_vectors(batch, rows), columns);
}

Tensor identity_like(const Tensor& x, std::int64_t order) {
  return expand(eye(order, {.dtype = x.dtype()}), with_matrices(batch_of(x), order, order));
}

Tensor dense_copy(const Tensor& x) {
  const Tensor out = empty(x.shape(), x.dtype());
  overwrite(out, x);
  return out;
}

std::pair<Tensor, Tensor> in_one_batch(const char* op, const Tensor& a, const Tensor& b) {
  const DType dtype = promote(a.dtype(), b.dtype());
  const Shape batch = broadcast_shapes(op, batch_of(a), batch_of(b));
  return {expand(a.to(dtype), with_matrices(batch, rows_of(a), columns_of(a))),
          expand(b.to(dtype), with_matrices(batch, rows_of(b), columns_of(b)))};
}

RightSides::RightSides(const char* op, const Tensor& matrices, const Tensor& right, bool left) {
  expect_square(op, matrices);
  check(is_floating(right.dtype()), op, ": right-hand sides of dtype ", right.dtype(),
        "; convert them with .to(float32)");
  check(right.dim() >= 1, op, ": the right-hand side is a number; it must be a vector or a matrix");
  vectors = right.dim() == 1 ||
            (right.dim() + 1 == matrices.dim() && right.shape() == Shape(matrices.shape().begin(), right.dim()));
  check(left || !vectors, op, ": vectors of shape ", right.shape(), " on the right of x A; they need a second axis");
  const Tensor sides = vectors ? as_columns(right) : right;
  check((left ? rows_of(sides) : columns_of(sides)) == rows_of(matrices), op, ": matrices of shape ", matrices.shape(),
        " and right-hand sides of shape ", right.shape(), " do not fit: ", left ? "A x" : "x A", " has ",
        rows_of(matrices), left ? " rows" : " columns");
  std::tie(a, b) = in_one_batch(op, matrices, sides);
}

std::string name_of_matrix(std::int64_t index, const Shape& batch) {
  if (batch.empty()) return "the matrix";
  Shape at = batch;
  for (std::size_t axis = batch.size(); axis-- > 0; index /= batch[axis]) at[axis] = index % batch[axis];
  return "matrix " + at.str() + " of the batch " + batch.str();
}

void expect_finite(const char* op, const Tensor& x) {
  const std::int64_t size = rows_of(x) * columns_of(x);
  dispatch_floating(op, x.dtype(), [&](auto zero) {
    const auto elements = x.span<decltype(zero)>();
    const auto bad = std::find_if(elements.begin(), elements.end(), [](auto value) { return !std::isfinite(value); });
    check(bad == elements.end(), op, ": ",
          name_of_matrix(bad == elements.end() ? 0 : (bad - elements.begin()) / size, batch_of(x)),
          " has an element that is NaN or infinite");
  });
}

bool matters(const Tensor& grad) {
  if (!grad.defined() || grad.numel() == 0) return false;
  if (grad.requires_grad()) return true;
  const MaybeOwned values = dense(grad);
  return dispatch_floating("linalg", grad.dtype(), [&](auto zero) {
    const auto elements = values->span<decltype(zero)>();
    return std::any_of(elements.begin(), elements.end(), [](auto value) { return value != 0; });
  });
}

}  // namespace xgrad::detail
