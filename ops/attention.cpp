#include "attention.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "../autograd/apply.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/attention.hpp"
#include "../kernels/gemm.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "extrema.hpp"
#include "joining.hpp"
#include "map.hpp"
#include "matmul.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "slicing.hpp"
#include "softmax.hpp"

namespace xgrad {

namespace {

/// x, or a copy, with rows that lie dense in memory at a distance that BLAS takes.
Tensor with_dense_rows(const Tensor& x) {
  const std::int64_t columns = x.size(-1), row_stride = x.strides()[x.dim() - 2];
  const bool fits = (columns == 1 || x.strides()[x.dim() - 1] == 1) &&
                    (x.size(-2) == 1 || (row_stride >= columns && row_stride <= detail::gemm_limit));
  return fits ? x : *detail::dense(x);
}

/// A batch of matrices: the last two axes of a tensor.
class Batch {
 public:
  explicit Batch(const Tensor& x) : tensor_(with_dense_rows(x)) {
    const std::size_t axes = x.dim() - 2;
    const Shape batch(x.shape().begin(), axes);
    offsets_.assign(static_cast<std::size_t>(batch.numel()), 0);
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      auto index = static_cast<std::int64_t>(i);
      for (std::size_t axis = axes; axis-- > 0; index /= batch[axis])
        offsets_[i] += index % batch[axis] * tensor_.strides()[axis];
    }
    ld_ = x.size(-2) == 1 ? std::max<std::int64_t>(x.size(-1), 1) : tensor_.strides()[axes];
  }

  template <class T>
  detail::Matrices<T> as() const {
    return {detail::first_element<std::remove_const_t<T>>(tensor_), offsets_.data(), ld_};
  }

 private:
  Tensor tensor_;
  std::vector<std::int64_t> offsets_;
  std::int64_t ld_;
};

/// A new tensor whose axes lie in memory as those of x do, or row-major where columns would not be innermost.
Tensor empty_as(const Tensor& x, const Shape& shape) {
  Shape order = detail::memory_order(x.shape(), x.strides());
  Shape all;  // memory_order leaves out axes of size 1, which lie anywhere
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (std::find(order.begin(), order.end(), static_cast<std::int64_t>(axis)) == order.end())
      all.push_back(static_cast<std::int64_t>(axis));
  for (const std::int64_t axis : order) all.push_back(axis);
  const auto columns = static_cast<std::int64_t>(shape.size()) - 1;
  detail::Array out;
  detail::allocate_array_in_order(out, shape, x.dtype(), !order.empty() && order.back() == columns ? all : Shape());
  return Tensor(std::move(out));
}

struct Attention {
  static constexpr const char* name = "scaled_dot_product_attention";
  bool causal;
  double scale;
  Saved q = {}, k = {}, v = {}, out = {};
  Saved levels = {};  // of the rows of the softmax: detail::RowLevel

  detail::AttentionSize size(const Tensor& queries, const Tensor& keys, const Tensor& values) const {
    return {Shape(queries.shape().begin(), queries.dim() - 2).numel(),
            queries.size(-2),
            keys.size(-2),
            queries.size(-1),
            values.size(-1),
            scale,
            causal};
  }

  Tensor forward(const Tensor& queries, const Tensor& keys, const Tensor& values) {
    q = queries, k = keys, v = values;
    const detail::AttentionSize s = size(queries, keys, values);
    Shape shape = queries.shape();
    shape[queries.dim() - 1] = s.value_width;
    if (s.keys == 0 || shape.numel() == 0) return zeros(shape, {.dtype = queries.dtype()});
    const Tensor result = empty_as(queries, shape);
    const Tensor row_levels = detail::empty({s.batch, s.queries, 2}, queries.dtype());
    dispatch_floating(name, queries.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::attention<T>(s, Batch(queries).as<const T>(), Batch(keys).as<const T>(), Batch(values).as<const T>(),
                           Batch(result).as<T>(), reinterpret_cast<detail::RowLevel<T>*>(row_levels.data<T>()));
    });
    out = result, levels = row_levels;
    return result;
  }

  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    const Tensor queries = q, keys = k, values = v;
    if (is_grad_enabled()) {
      const bool together = !causal || (is_finite(queries) && is_finite(keys) && is_finite(values) && is_finite(grad));
      const auto formula = [&](const auto&... inputs) {
        return together ? composed(inputs...) : by_queries(inputs...);
      };
      return detail::composed_backward(formula, std::array<Tensor, 3>{queries, keys, values}, grad, needs);
    }
    const Tensor row_levels = levels;
    if (!row_levels.defined()) return {zeros_like(queries), zeros_like(keys), zeros_like(values)};
    std::array<Tensor, 3> gradients = {empty_as(queries, queries.shape()), empty_as(keys, keys.shape()),
                                       empty_as(values, values.shape())};
    dispatch_floating(name, queries.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::attention_backward<T>(
          size(queries, keys, values), Batch(queries).as<const T>(), Batch(keys).as<const T>(),
          Batch(values).as<const T>(), Batch(out).as<const T>(), Batch(grad).as<const T>(),
          reinterpret_cast<const detail::RowLevel<T>*>(row_levels.data<T>()), Batch(gradients[0]).as<T>(),
          Batch(gradients[1]).as<T>(), Batch(gradients[2]).as<T>());
    });
    return gradients;
  }

 private:
  static bool is_finite(const Tensor& x) { return all(isfinite(x)).item<bool>(); }

  Tensor composed(const Tensor& queries, const Tensor& keys, const Tensor& values) const {
    Tensor scores = matmul(queries, transpose(keys, -2, -1)) * scale;
    if (causal) {
      Tensor hidden = zeros({queries.size(-2), keys.size(-2)}, {.dtype = bool_});
      for (std::int64_t row = 0; row < hidden.size(0); ++row)
        for (std::int64_t column = row + 1; column < hidden.size(1); ++column)
          hidden.data<bool>()[row * hidden.size(1) + column] = true;
      scores = masked_fill(scores, hidden, -std::numeric_limits<double>::infinity());
    }
    if (keys.size(-2) == 0) return matmul(scores, values);
    const Tensor nothing = amax(scores.detach(), -1, {.keepdim = true}) == -std::numeric_limits<double>::infinity();
    return matmul(masked_fill(softmax(masked_fill(scores, nothing, 0), -1), nothing, 0), values);
  }

  /// The same, query by query with the keys that it sees: no product with the 0 of a hidden key, which gives NaN where
  /// the other factor is not finite.
  Tensor by_queries(const Tensor& queries, const Tensor& keys, const Tensor& values) const {
    std::vector<Tensor> rows;
    for (std::int64_t row = 0; row < queries.size(-2); ++row) {
      const std::int64_t visible = std::min(keys.size(-2), row + 1);
      rows.push_back(Attention{false, scale}.composed(narrow(queries, -2, row, 1), narrow(keys, -2, 0, visible),
                                                      narrow(values, -2, 0, visible)));
    }
    return cat(rows, -2);
  }
};

}  // namespace

Tensor scaled_dot_product_attention(Operand q, Operand k, Operand v, const AttentionOptions& options) {
  constexpr const char* name = Attention::name;
  check(q->dim() >= 2 && k->dim() >= 2 && v->dim() >= 2, name, ": q ", q->shape(), ", k ", k->shape(), " and v ",
        v->shape(), " must have at least two axes each");
  check(q->size(-1) == k->size(-1), name, ": q ", q->shape(), " and k ", k->shape(), " differ in their last size");
  check(k->size(-2) == v->size(-2), name, ": k ", k->shape(), " and v ", v->shape(), " differ in the number of keys");
  check(is_floating(q->dtype()) && q->dtype() == k->dtype() && q->dtype() == v->dtype(), name, ": q is ", q->dtype(),
        ", k ", k->dtype(), " and v ", v->dtype(), "; they must have one floating dtype");
  const double scale =
      options.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(q->size(-1), 1))));
  const auto leading = [](const Tensor& x) { return Shape(x.shape().begin(), x.dim() - 2); };
  const Shape batch = broadcast_shapes(name, broadcast_shapes(name, leading(*q), leading(*k)), leading(*v));
  const auto with_batch = [&](const Tensor& x) {
    Shape shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    const detail::MaybeOwned wide = detail::widened(x);
    return x.shape() == shape ? *wide : expand(*wide, shape);
  };
  Tensor out = apply(Attention{options.causal, scale}, with_batch(*q), with_batch(*k), with_batch(*v));
  return detail::narrowed(std::move(out), q->dtype());
}

}  // namespace xgrad
