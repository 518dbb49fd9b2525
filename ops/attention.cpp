#include "attention.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
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

/// Where the matrices of a batch begin.
std::vector<std::int64_t> matrix_offsets(const Tensor& x) {
  const std::size_t axes = x.dim() - 2;
  const Shape batch(x.shape().begin(), axes);
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(batch.numel()), 0);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    auto index = static_cast<std::int64_t>(i);
    for (std::size_t axis = axes; axis-- > 0; index /= batch[axis])
      offsets[i] += index % batch[axis] * x.strides()[axis];
  }
  return offsets;
}

/// A batch of matrices: the last two axes of a tensor.
class Batch {
 public:
  explicit Batch(const Tensor& x) : tensor_(with_dense_rows(x)), offsets_(matrix_offsets(tensor_)) {
    ld_ = x.size(-2) == 1 ? std::max<std::int64_t>(x.size(-1), 1) : tensor_.strides()[x.dim() - 2];
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

/// The mask of a batch, which may repeat rows and columns; none where it is undefined.
class Mask {
 public:
  explicit Mask(const Tensor& mask) : tensor_(mask) {
    if (mask.defined()) offsets_ = matrix_offsets(mask);
  }

  template <class T>
  detail::AttentionMask<T> as() const {
    if (!tensor_.defined()) return {};
    const bool is_bool = tensor_.dtype() == bool_;
    return {is_bool ? detail::first_element<bool>(tensor_) : nullptr,
            is_bool ? nullptr : detail::first_element<T>(tensor_), offsets_.data(),
            tensor_.strides()[tensor_.dim() - 2], tensor_.strides()[tensor_.dim() - 1]};
  }

 private:
  Tensor tensor_;
  std::vector<std::int64_t> offsets_;
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
  detail::AttentionSize options;  // without its sizes
  Saved q = {}, k = {}, v = {}, mask = {}, out = {};
  Saved levels = {};  // of the rows of the softmax: detail::RowLevel

  detail::AttentionSize size(const Tensor& queries, const Tensor& keys, const Tensor& values) const {
    detail::AttentionSize all = options;
    all.batch = Shape(queries.shape().begin(), queries.dim() - 2).numel();
    all.queries = queries.size(-2), all.keys = keys.size(-2);
    all.width = queries.size(-1), all.value_width = values.size(-1);
    return all;
  }

  Tensor forward(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& masked) {
    q = queries, k = keys, v = values, mask = masked;
    const detail::AttentionSize s = size(queries, keys, values);
    Shape shape = queries.shape();
    shape[queries.dim() - 1] = s.value_width;
    if (s.keys == 0 || shape.numel() == 0) return zeros(shape, {.dtype = queries.dtype()});
    const Tensor result = empty_as(queries, shape);
    const Tensor row_levels = detail::empty({s.batch, s.queries, 2}, queries.dtype());
    dispatch_floating(name, queries.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::attention<T>(s, Mask(masked).as<T>(), Batch(queries).as<const T>(), Batch(keys).as<const T>(),
                           Batch(values).as<const T>(), Batch(result).as<T>(),
                           reinterpret_cast<detail::RowLevel<T>*>(row_levels.data<T>()));
    });
    out = result, levels = row_levels;
    return result;
  }

  std::array<Tensor, 4> backward(const Tensor& grad, Needs needs) const {
    const Tensor queries = q, keys = k, values = v, masked = mask.defined() ? mask.get() : Tensor();
    if (is_grad_enabled() || needs[3]) {
      const bool together = !hides() || (is_finite(queries) && is_finite(keys) && is_finite(values) && is_finite(grad));
      const auto formula = [&](const auto&... inputs) {
        return together ? composed(inputs...) : by_queries(inputs...);
      };
      return detail::composed_backward(formula, std::array<Tensor, 4>{queries, keys, values, masked}, grad, needs);
    }
    const Tensor row_levels = levels.defined() ? levels.get() : Tensor();
    if (!row_levels.defined()) return {zeros_like(queries), zeros_like(keys), zeros_like(values), Tensor()};
    std::array<Tensor, 4> gradients = {empty_as(queries, queries.shape()), empty_as(keys, keys.shape()),
                                       empty_as(values, values.shape()), Tensor()};
    dispatch_floating(name, queries.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::attention_backward<T>(
          size(queries, keys, values), Mask(masked).as<T>(), Batch(queries).as<const T>(), Batch(keys).as<const T>(),
          Batch(values).as<const T>(), Batch(out).as<const T>(), Batch(grad).as<const T>(),
          reinterpret_cast<const detail::RowLevel<T>*>(row_levels.data<T>()), Batch(gradients[0]).as<T>(),
          Batch(gradients[1]).as<T>(), Batch(gradients[2]).as<T>());
    });
    return gradients;
  }

 private:
  static bool is_finite(const Tensor& x) { return all(isfinite(x)).item<bool>(); }
  bool hides() const {
    return options.from > -detail::unbounded || options.to < detail::unbounded ||
           (mask.defined() && mask.dtype() == bool_);
  }

  /// True where a key is hidden from a query; undefined where none is.
  Tensor hidden_keys(std::int64_t queries, std::int64_t keys) const {
    Tensor hidden;
    if (options.from > -detail::unbounded || options.to < detail::unbounded) {
      hidden = detail::empty({queries, keys}, bool_);
      for (std::int64_t row = 0; row < queries; ++row)
        for (std::int64_t key = 0; key < keys; ++key)
          hidden.data<bool>()[row * keys + key] = key < row + options.from || key >= row + options.to;
    }
    if (!mask.defined() || mask.dtype() != bool_) return hidden;
    const Tensor masked = logical_not(mask);
    return hidden.defined() ? logical_or(hidden, masked) : masked;
  }

  /// The factors of dropout for the scores, undefined without it.
  Tensor dropout_factors(const Tensor& queries, const Tensor& keys, const Tensor& values) const {
    if (options.dropout == 0) return {};
    const detail::AttentionSize s = size(queries, keys, values);
    Shape shape(queries.shape().begin(), queries.dim() - 1);
    shape.push_back(s.keys);
    const Tensor factors = detail::empty(shape, float32);
    for (std::int64_t i = 0; i < s.batch * s.queries; ++i)
      detail::attention_dropout(s, i / s.queries, i % s.queries, s.keys, factors.data<float>() + i * s.keys);
    return factors.to(queries.dtype());
  }

  Tensor attend(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& added,
                const Tensor& hidden, const Tensor& factors) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Tensor scores = matmul(queries, transpose(keys, -2, -1)) * options.scale;
    if (added.defined()) scores = scores + added;
    if (hidden.defined()) scores = masked_fill(scores, hidden, -infinity);
    if (keys.size(-2) == 0) return matmul(scores, values);
    const Tensor nothing = amax(scores.detach(), -1, {.keepdim = true}) == -infinity;
    Tensor weights = masked_fill(softmax(masked_fill(scores, nothing, 0), -1), nothing, 0);
    if (factors.defined()) weights = weights * factors;
    return matmul(weights, values);
  }

  static Tensor if_added(const Tensor& masked) {
    return masked.defined() && masked.dtype() != bool_ ? masked : Tensor();
  }

  Tensor composed(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& masked) const {
    return attend(queries, keys, values, if_added(masked), hidden_keys(queries.size(-2), keys.size(-2)),
                  dropout_factors(queries, keys, values));
  }

  /// The same, query by query with zeros for the keys that it does not see: no product with the 0 of a hidden key,
  /// which gives NaN where the other factor is not finite.
  Tensor by_queries(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& masked) const {
    const Tensor hidden = hidden_keys(queries.size(-2), keys.size(-2)), added = if_added(masked),
                 factors = dropout_factors(queries, keys, values);
    std::vector<Tensor> rows;
    for (std::int64_t row = 0; row < queries.size(-2); ++row) {
      const auto of_row = [&](const Tensor& x) { return x.defined() ? narrow(x, -2, row, 1) : x; };
      const Tensor unseen = of_row(hidden), across = transpose(unseen, -2, -1);
      rows.push_back(attend(of_row(queries), masked_fill(keys, across, 0), masked_fill(values, across, 0),
                            of_row(added), unseen, of_row(factors)));
    }
    return cat(rows, -2);
  }
};

constexpr const char* op_name = Attention::name;

void check_inputs(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, op_name, ": q ", q.shape(), ", k ", k.shape(), " and v ",
        v.shape(), " must have at least two axes each");
  check(q.size(-1) == k.size(-1), op_name, ": q ", q.shape(), " and k ", k.shape(), " differ in their last size");
  check(k.size(-2) == v.size(-2), op_name, ": k ", k.shape(), " and v ", v.shape(), " differ in the number of keys");
  check(is_floating(q.dtype()) && q.dtype() == k.dtype() && q.dtype() == v.dtype(), op_name, ": q is ", q.dtype(),
        ", k ", k.dtype(), " and v ", v.dtype(), "; they must have one floating dtype");
  check(options.dropout >= 0 && options.dropout <= 1, op_name, ": dropout is ", options.dropout,
        "; it must lie between 0 and 1");
  check(options.query_offset >= 0 && options.query_offset < detail::unbounded / 2, op_name, ": query_offset is ",
        options.query_offset, "; it must not be negative");
  check(!options.window || *options.window > 0, op_name, ": window is ", options.window.value_or(0),
        "; it must be positive");
  const Tensor& mask = options.mask;
  if (!mask.defined()) return;
  check(mask.dtype() == bool_ || mask.dtype() == q.dtype(), op_name, ": mask is ", mask.dtype(), "; bool or ",
        q.dtype(), ", as q, is needed");
}

/// Axis -3 of x as two, (groups, heads of a group), of which a size of 1 may stand for any.
Tensor in_groups(const Tensor& x, std::int64_t groups) {
  const std::size_t axis = x.dim() - 3;
  if (x.shape()[axis] == 1) return unsqueeze(x, static_cast<std::int64_t>(axis));
  Shape shape(x.shape().begin(), axis);
  for (const std::int64_t size : {groups, x.shape()[axis] / groups, x.size(-2), x.size(-1)}) shape.push_back(size);
  return reshape(x, shape);
}

/// Attention with fewer heads of keys, as attention with an axis more, which keys and values repeat.
Tensor grouped(const Tensor& q, const Tensor& k, const Tensor& v, AttentionOptions options) {
  check(q.dim() >= 3 && k.dim() >= 3 && v.dim() >= 3, op_name, ": enable_gqa needs an axis of heads; q has shape ",
        q.shape(), ", k ", k.shape(), " and v ", v.shape());
  const std::int64_t heads = q.size(-3), groups = k.size(-3);
  check(groups > 0 && groups == v.size(-3) && heads % groups == 0, op_name, ": ", heads, " heads of q, ", groups,
        " of k and ", v.size(-3), " of v; k and v must have as many, which divides that of q");
  Tensor& mask = options.mask;
  if (mask.defined() && mask.dim() >= 3) {
    check(mask.size(-3) == 1 || mask.size(-3) == heads, op_name, ": mask ", mask.shape(), " does not broadcast to ",
          heads, " heads");
    mask = in_groups(mask, groups);
  }
  options.enable_gqa = false;
  const Tensor y = scaled_dot_product_attention(in_groups(q, groups), unsqueeze(k, -3), unsqueeze(v, -3), options);
  Shape shape(y.shape().begin(), y.dim() - 4);
  for (const std::int64_t size : {heads, y.size(-2), y.size(-1)}) shape.push_back(size);
  return reshape(y, shape);
}

}  // namespace

Tensor scaled_dot_product_attention(Operand queries, Operand keys, Operand values, const AttentionOptions& chosen) {
  using detail::in_autocast_dtype;
  const detail::MaybeOwned q = in_autocast_dtype(*queries), k = in_autocast_dtype(*keys),
                           v = in_autocast_dtype(*values);
  AttentionOptions options = chosen;
  options.mask = in_autocast_dtype(chosen.mask);
  check_inputs(*q, *k, *v, options);
  if (options.enable_gqa) return grouped(*q, *k, *v, options);
  detail::AttentionSize s{};
  s.scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(q->size(-1), 1))));
  if (options.causal) s.to = options.query_offset + 1;
  if (options.window) {
    const std::int64_t far = std::min(*options.window, detail::unbounded / 2);
    s.from = options.query_offset + 1 - far;
    s.to = std::min(s.to, options.query_offset + far);
  }
  const auto leading = [](const Tensor& x) { return Shape(x.shape().begin(), x.dim() - 2); };
  Shape batch = broadcast_shapes(op_name, broadcast_shapes(op_name, leading(*q), leading(*k)), leading(*v));
  const auto with_batch = [&](const Tensor& x, std::int64_t rows, std::int64_t columns) {
    Shape shape = batch;
    shape.push_back(rows);
    shape.push_back(columns);
    return x.shape() == shape ? x : expand(x, shape);
  };
  using detail::widened;
  Tensor mask;
  if (options.mask.defined()) {
    const Tensor& given = options.mask;
    if (given.dim() > 2) batch = broadcast_shapes(op_name, batch, leading(given));
    mask = with_batch(given.dtype() == bool_ ? given : *widened(given), q->size(-2), k->size(-2));
  }
  if (options.dropout > 0) s.dropout = options.dropout, s.seed = default_generator().next();
  const auto whole = [&](const Tensor& x) { return with_batch(*widened(x), x.size(-2), x.size(-1)); };
  return detail::narrowed(apply(Attention{s}, whole(*q), whole(*k), whole(*v), mask), q->dtype());
}

}  // namespace xgrad
