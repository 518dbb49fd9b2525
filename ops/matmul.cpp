#include "matmul.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/primitives.hpp"
#include "../core/parallel.hpp"
#include "../kernels/gemm.hpp"
#include "../kernels/half_gemm.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

/// Matrices as BLAS takes them: the last two axes row-major with a leading dimension, or the transpose of that.
struct Factor {
  detail::MaybeOwned memory;
  bool transposed = false;
  std::int64_t ld = 1;
};

Factor factor(const Tensor& x) {
  const std::size_t rank = x.dim();
  const std::int64_t rows = x.shape()[rank - 2], columns = x.shape()[rank - 1];
  const std::int64_t row_stride = x.strides()[rank - 2], column_stride = x.strides()[rank - 1];
  const auto fits = [](std::int64_t n, std::int64_t stride, std::int64_t row) {
    return n <= 1 || (stride >= row && stride >= 1 && stride <= detail::gemm_limit);
  };
  const auto ld = [](std::int64_t n, std::int64_t stride, std::int64_t row) {
    return n <= 1 ? std::max<std::int64_t>(row, 1) : stride;
  };
  if ((columns <= 1 || column_stride == 1) && fits(rows, row_stride, columns))
    return {x, false, ld(rows, row_stride, columns)};
  if ((rows <= 1 || row_stride == 1) && fits(columns, column_stride, rows))
    return {x, true, ld(columns, column_stride, rows)};
  return {detail::dense(x), false, std::max<std::int64_t>(columns, 1)};
}

/// Calls f with an element of a floating dtype: products read and write 16 bits themselves.
template <class F>
void dispatch_product(DType dtype, const F& f) {
  dispatch(dtype, [&](auto zero) {
    if constexpr (!std::is_integral_v<decltype(zero)>) f(zero);
  });
}

/// out = a b, or a b + bias, for one matrix of each, at these offsets in elements. A flag says to take the transpose.
template <class T>
void multiply(const Factor& a, bool transpose_a, const Factor& b, bool transpose_b, std::int64_t m, std::int64_t n,
              std::int64_t k, T* out, std::int64_t a_offset = 0, std::int64_t b_offset = 0, const T* bias = nullptr) {
  const T *const left = detail::first_element<T>(*a.memory) + a_offset, *const right =
                                                                            detail::first_element<T>(*b.memory) +
                                                                            b_offset;
  const bool turn_a = a.transposed != transpose_a, turn_b = b.transposed != transpose_b;
  const std::int64_t ld = std::max<std::int64_t>(n, 1);
  if constexpr (std::is_class_v<T>)
    detail::half_gemm<T>(turn_a, turn_b, m, n, k, left, a.ld, right, b.ld, out, ld, bias);
  else
    detail::gemm<T>(turn_a, turn_b, m, n, k, T(1), left, a.ld, right, b.ld, T(0), out, ld, bias);
}

Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.dim() - 2); }

/// Where matrix `index` of a batch begins.
std::int64_t offset_of(std::int64_t index, const Shape& batch, const Shape& strides) {
  std::int64_t offset = 0;
  for (std::size_t axis = batch.size(); axis-- > 0; index /= batch[axis]) offset += index % batch[axis] * strides[axis];
  return offset;
}

/// Products of int64 matrices, exact but for sums over 2^63, which wrap around. `out` lies dense, in shape
/// (batch..., m, n).
void multiply_integers(const Tensor& left, const Tensor& right, const Shape& batch, const Tensor& out) {
  const detail::MaybeOwned a = detail::dense(left), b = detail::dense(right);
  const std::int64_t m = left.size(-2), k = left.size(-1), n = right.size(-1);
  const auto strides_in = [&](const Tensor& x) {
    return detail::broadcast_strides(batch_of(x), Shape(x.strides().begin(), x.dim() - 2), batch);
  };
  const Shape a_strides = strides_in(a), b_strides = strides_in(b);
  const auto* const from_a = reinterpret_cast<const std::uint64_t*>(a->impl().data);
  const auto* const from_b = reinterpret_cast<const std::uint64_t*>(b->impl().data);
  auto* const to = reinterpret_cast<std::uint64_t*>(out.impl().data);
  parallel_for(batch.numel() * m, (1 << 16) / (n * std::max<std::int64_t>(k, 1)) + 1, [=](auto begin, auto end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::uint64_t* const factors = from_a + offset_of(row / m, batch, a_strides) + row % m * k;
      const std::uint64_t* const rows = from_b + offset_of(row / m, batch, b_strides);
      std::uint64_t* const sums = to + row * n;
      std::fill_n(sums, n, std::uint64_t{0});
      for (std::int64_t i = 0; i < k; ++i)
        for (std::int64_t j = 0; j < n; ++j) sums[j] += factors[i] * rows[i * n + j];
    }
  });
}

struct MatMul {
  static constexpr const char* name = "matmul";
  Saved a = {}, b = {};

  Tensor forward(const Tensor& left, const Tensor& right) {
    if (right.requires_grad()) a = left;
    if (left.requires_grad()) b = right;
    const std::int64_t m = left.size(-2), k = left.size(-1), n = right.size(-1);
    const Shape batch = broadcast_shapes(name, batch_of(left), batch_of(right));
    Shape shape = batch;
    shape.push_back(m);
    shape.push_back(n);
    const Tensor out = detail::empty(shape, left.dtype());
    if (out.numel() == 0) return out;
    if (out.dtype() == int64) {
      multiply_integers(left, right, batch, out);
      return out;
    }
    const Factor l = factor(left), r = factor(right);
    const auto strides_in = [&](const Factor& f) {
      const Shape strides(f.memory->strides().begin(), f.memory->dim() - 2);
      return detail::broadcast_strides(batch_of(f.memory), strides, batch);
    };
    const Shape l_strides = strides_in(l), r_strides = strides_in(r);
    dispatch_product(left.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto products = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          multiply<T>(l, false, r, false, m, n, k, out.data<T>() + i * m * n, offset_of(i, batch, l_strides),
                      offset_of(i, batch, r_strides));
      };
      // One product after the other where each is worth several threads.
      const std::int64_t count = batch.numel();
      if (count == 1 || detail::gemm_pieces(m, n, k) > 1) return products(0, count);
      parallel_for(count, (1 << 19) / (m * n * std::max<std::int64_t>(k, 1)) + 1, products);
    });
    return out;
  }

  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? matmul(grad, transpose(b, -2, -1)) : Tensor(),
            needs[1] ? matmul(transpose(a, -2, -1), grad) : Tensor()};
  }
  Tensor jvp(const Tensor& da, const Tensor& db) const {
    if (!db.defined()) return matmul(da, b);
    return da.defined() ? detail::accumulate(matmul(da, b), matmul(a, db)) : matmul(a, db);
  }
};

/// How many rows x (..., columns) has as a matrix.
std::int64_t rows_of(const Tensor& x) {
  const std::int64_t columns = x.size(-1);
  return columns > 0 ? x.numel() / columns : Shape(x.shape().begin(), x.dim() - 1).numel();
}

/// x (..., columns) as a matrix; not recorded.
detail::MaybeOwned as_rows(const Tensor& x, std::int64_t rows, std::int64_t columns) {
  if (x.dim() == 2) return x;
  return detail::view(detail::dense(x), {rows, columns}, {columns, 1});
}

template <bool has_bias>
struct Linear {
  static constexpr const char* name = "linear";
  Saved input = {}, weight = {};
  std::int64_t rows = 0, in = 0, out = 0;

  Tensor forward(const Tensor& x, const Tensor& w) { return forward(x, w, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias) {
    if (w.requires_grad()) input = x;
    if (x.requires_grad()) weight = w;
    in = w.shape()[1], out = w.shape()[0];
    rows = rows_of(x);
    Shape shape = x.shape();
    shape[x.dim() - 1] = out;
    const Tensor result = detail::empty(shape, x.dtype());
    if (result.numel() == 0) return result;
    const detail::MaybeOwned matrix = as_rows(x, rows, in), row = detail::dense(bias);
    const Factor left = factor(matrix), right = factor(w);
    dispatch_product(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      multiply<T>(left, false, right, true, rows, out, in, result.data<T>(), 0, 0,
                  has_bias ? row->template data<T>() : nullptr);
    });
    return result;
  }

  using Gradients = std::array<Tensor, has_bias ? 3 : 2>;
  Gradients backward(const Tensor& grad, Needs needs) const {
    return is_grad_enabled() ? composed(grad, needs) : direct(grad, needs);
  }
  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& dbias = {}) const {
    Tensor dy;
    if (dx.defined()) dy = linear(dx, weight, dbias);
    if (dw.defined()) dy = dy.defined() ? detail::accumulate(dy, linear(input, dw)) : linear(input, dw, dbias);
    return dy.defined() ? dy : expand(dbias, detail::running_node->outputs()[0].shape);
  }

 private:
  Gradients composed(const Tensor& grad, Needs needs) const {
    Gradients gradients;
    const Tensor g = reshape(grad, {rows, out});
    if (needs[0]) {
      Shape shape = grad.shape();
      shape[grad.dim() - 1] = in;
      gradients[0] = reshape(matmul(g, weight), shape);
    }
    if (needs[1]) gradients[1] = matmul(transpose(g, 0, 1), reshape(input, {rows, in}));
    if constexpr (has_bias)
      if (needs[2]) gradients[2] = sum_to(g, {out});
    return gradients;
  }

  Gradients direct(const Tensor& grad, Needs needs) const {
    Gradients gradients;
    const detail::MaybeOwned matrix = as_rows(grad, rows, out);
    const Factor g = factor(matrix);
    dispatch_product(grad.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if (needs[0]) {
        Shape shape = grad.shape();
        shape[grad.dim() - 1] = in;
        gradients[0] = detail::empty(shape, grad.dtype());
        const detail::MaybeOwned w(weight);
        multiply<T>(g, false, factor(w), false, rows, in, out, gradients[0].template data<T>());
      }
      if (needs[1]) {
        gradients[1] = detail::empty({out, in}, grad.dtype());
        const detail::MaybeOwned saved(input), x = as_rows(saved, rows, in);
        multiply<T>(g, true, factor(x), false, out, in, rows, gradients[1].template data<T>());
      }
    });
    if constexpr (has_bias)
      if (needs[2]) gradients[2] = sum_to(*matrix, {out});
    return gradients;
  }
};

void check_size(const char* op, const Tensor& a, const Tensor& b, std::int64_t size) {
  check(size <= detail::gemm_limit, op, ": ", a.shape(), " x ", b.shape(), ": size ", size, " is over ",
        detail::gemm_limit, ", the most that BLAS takes");
}

DType product_dtype(const char* op, const Tensor& a, const Tensor& b, DType least, const char* remedy) {
  const DType dtype = promote(a.dtype(), b.dtype());
  check(detail::at_least(dtype, least) == dtype, op, ": ", a.shape(), " of ", a.dtype(), " x ", b.shape(), " of ",
        b.dtype(), ": there is no such product; convert one with ", remedy);
  return dtype;
}

/// The dtype that products of this one are computed in: of floating numbers as they are, of integers as int64.
DType computed_dtype(DType dtype) { return is_floating(dtype) ? dtype : detail::compute_dtype(dtype); }

}  // namespace

Tensor matmul(Operand x, Operand y) {
  const detail::MaybeOwned a = detail::in_autocast_dtype(*x), b = detail::in_autocast_dtype(*y);
  check(a->dim() > 0 && b->dim() > 0, "matmul: ", a->shape(), " x ", b->shape(), ": a number is no matrix; use mul");
  const DType dtype = product_dtype("matmul", *a, *b, DType::int64, ".to(int64)");
  const bool row = a->dim() == 1, column = b->dim() == 1;
  const std::int64_t k = a->size(-1), inner = b->size(column ? -1 : -2);
  check(k == inner, "matmul: ", a->shape(), " x ", b->shape(), ": inner sizes ", k, " and ", inner,
        " differ; transpose or reshape one so that they agree");
  const std::int64_t m = row ? 1 : a->size(-2), n = column ? 1 : b->size(-1);
  for (const std::int64_t size : {m, n, k}) check_size("matmul", *a, *b, size);

  const DType computed = computed_dtype(dtype);
  Tensor left = a->to(computed), right = b->to(computed);
  if (row) left = unsqueeze(left, 0);
  if (column) right = unsqueeze(right, 1);
  const Shape a_batch = batch_of(left), b_batch = batch_of(right);
  Shape shape = a_batch.size() >= b_batch.size() ? a_batch : b_batch;
  for (std::size_t i = 1; i <= std::min(a_batch.size(), b_batch.size()); ++i) {
    const std::int64_t of_a = a_batch[a_batch.size() - i], of_b = b_batch[b_batch.size() - i];
    check(of_a == of_b || of_a == 1 || of_b == 1, "matmul: ", a->shape(), " x ", b->shape(), ": batch sizes ", of_a,
          " and ", of_b, " do not broadcast; they must be equal, or one of them 1");
    shape[shape.size() - i] = of_a == 1 ? of_b : of_a;
  }
  if (!row) shape.push_back(m);
  if (!column) shape.push_back(n);

  // Many matrices by one are one product of all their rows, here and, more so, in the gradient of the one.
  if (b_batch.empty() && !a_batch.empty()) {
    const std::int64_t rows = rows_of(left);
    if (rows <= detail::gemm_limit) left = reshape(left, {rows, k});
  }
  const Tensor out = detail::narrowed(apply(MatMul{}, left, right), dtype);
  return out.shape() == shape ? out : reshape(out, shape);
}

Tensor linear(Operand x, Operand w, const Tensor& row) {
  using detail::in_autocast_dtype;
  const detail::MaybeOwned input = in_autocast_dtype(*x), weight = in_autocast_dtype(*w),
                           added = in_autocast_dtype(row);
  const Tensor& bias = added;
  check(weight->dim() == 2, "linear: a weight of shape ", weight->shape(), "; it must have two axes, (out, in)");
  check(input->dim() > 0 && input->size(-1) == weight->size(1), "linear: input ", input->shape(), " and weight ",
        weight->shape(), ": the last size of the input must be ", weight->size(1));
  DType dtype = product_dtype("linear", *input, *weight, DType::float32, ".to(float32)");
  for (const std::int64_t size : {weight->size(0), weight->size(1), rows_of(*input)})
    check_size("linear", *input, *weight, size);
  if (!bias.defined())
    return apply(Linear<false>{}, detail::converted(*input, dtype), detail::converted(*weight, dtype));
  check(bias.dim() == 1 && bias.size(0) == weight->size(0), "linear: a bias of shape ", bias.shape(), " for weight ",
        weight->shape(), "; it must be (", weight->size(0), ",)");
  dtype = promote(dtype, bias.dtype());
  return apply(Linear<true>{}, detail::converted(*input, dtype), detail::converted(*weight, dtype),
               detail::converted(bias, dtype));
}

}  // namespace xgrad
