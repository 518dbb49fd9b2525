#include "products.hpp"

#include <limits>

#include "../../autograd/create.hpp"
#include "../../autograd/primitives.hpp"
#include "../arithmetic.hpp"
#include "../diagonal.hpp"
#include "../joining.hpp"
#include "../matmul.hpp"
#include "../reduce.hpp"
#include "../shape.hpp"
#include "../slicing.hpp"

namespace xgrad::linalg {

namespace {

/// Where to cut each chain of matrices in two, by [first][last].
using Cuts = std::vector<std::vector<std::size_t>>;

/// The cuts with the fewest multiplications, for matrices of sizes[i] by sizes[i + 1].
Cuts cheapest(const std::vector<double>& sizes) {
  const std::size_t n = sizes.size() - 1;
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  Cuts cuts(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t first = 0; first + length < n; ++first) {
      const std::size_t last = first + length;
      cost[first][last] = std::numeric_limits<double>::infinity();
      for (std::size_t cut = first; cut < last; ++cut) {
        const double of_cut = cost[first][cut] + cost[cut + 1][last] + sizes[first] * sizes[cut + 1] * sizes[last + 1];
        if (of_cut < cost[first][last]) cost[first][last] = of_cut, cuts[first][last] = cut;
      }
    }
  return cuts;
}

Tensor product(const std::vector<Tensor>& matrices, const Cuts& cuts, std::size_t first, std::size_t last) {
  if (first == last) return matrices[first];
  const std::size_t cut = cuts[first][last];
  return matmul(product(matrices, cuts, first, cut), product(matrices, cuts, cut + 1, last));
}

Tensor product_in_best_order(const char* op, const std::vector<Tensor>& matrices) {
  const std::size_t count = matrices.size();
  check(count >= 2, op, ": ", count, " tensors; a product has at least two");
  std::vector<Tensor> all = matrices;
  for (std::size_t i = 0; i < count; ++i) {
    const bool may_be_vector = i == 0 || i == count - 1;
    check(all[i].dim() == 2 || (may_be_vector && all[i].dim() == 1), op, ": tensor ", i, " has shape ", all[i].shape(),
          "; it must be a matrix", may_be_vector ? " or a vector" : "");
  }
  const bool row = all.front().dim() == 1, column = all.back().dim() == 1;
  if (row) all.front() = unsqueeze(all.front(), 0);
  if (column) all.back() = unsqueeze(all.back(), 1);
  std::vector<double> sizes{static_cast<double>(all[0].size(0))};
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0)
      check(all[i - 1].size(1) == all[i].size(0), op, ": tensors ", i - 1, " and ", i, " have shapes ",
            matrices[i - 1].shape(), " and ", matrices[i].shape(), ", whose inner sizes differ");
    sizes.push_back(static_cast<double>(all[i].size(1)));
  }
  Tensor result = product(all, cheapest(sizes), 0, count - 1);
  if (column) result = squeeze(result, 1);
  return row ? squeeze(result, 0) : result;
}

}  // namespace

Tensor multi_dot(const std::vector<Tensor>& matrices, detail::CallSite site) {
  constexpr const char* op = "linalg::multi_dot";
  const detail::CallSiteScope scope(site);
  return detail::with_memory_for(op, [&] { return product_in_best_order(op, matrices); });
}

Tensor cross(Operand a, Operand b, std::int64_t axis) {
  constexpr const char* op = "linalg::cross";
  const Shape shape = broadcast_shapes(op, a->shape(), b->shape());
  const std::size_t at = normalize_axis(op, axis, shape.size());
  check(shape[at] == 3, op, ": ", a->shape(), " and ", b->shape(), " have size ", shape[at], " along axis ", axis,
        "; it must be 3");
  const std::vector<Tensor> x = unbind(expand(*a, shape), axis), y = unbind(expand(*b, shape), axis);
  return stack({x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]},
               static_cast<std::int64_t>(at));
}

Tensor outer(Operand a, Operand b) {
  check(a->dim() == 1 && b->dim() == 1, "linalg::outer: tensors of shapes ", a->shape(), " and ", b->shape(),
        "; they must be vectors");
  return unsqueeze(*a, 1) * unsqueeze(*b, 0);
}

Tensor kron(Operand a, Operand b) {
  const std::size_t rank = std::max(a->dim(), b->dim());
  Shape left = Shape::filled(rank - a->dim(), 1), right = Shape::filled(rank - b->dim(), 1), result;
  for (const std::int64_t size : a->shape()) left.push_back(size);
  for (const std::int64_t size : b->shape()) right.push_back(size);
  check(2 * rank <= Shape::max_rank, "linalg::kron: tensors of ", rank, " axes; ", Shape::max_rank / 2,
        " are the most");
  Shape left_apart, right_apart;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    left_apart.push_back(left[axis]), left_apart.push_back(1);
    right_apart.push_back(1), right_apart.push_back(right[axis]);
    result.push_back(left[axis] * right[axis]);
  }
  return reshape(reshape(*a, left_apart) * reshape(*b, right_apart), result);
}

Tensor trace(Operand A) {
  check(A->dim() == 2, "linalg::trace: a tensor of shape ", A->shape(), " is no matrix");
  return sum(diagonal(*A));
}

Tensor vander(Operand x, std::optional<std::int64_t> N) {
  check(x->dim() >= 1, "linalg::vander: a number; x must have an axis");
  check(N.value_or(0) >= 0, "linalg::vander: ", N.value_or(0), " columns; there cannot be less than none");
  const Tensor powers = arange(N.value_or(x->size(-1)), {.dtype = x->dtype() == bool_ ? int64 : x->dtype()});
  return pow(unsqueeze(*x, -1), powers);
}

}  // namespace xgrad::linalg
