#include "elementwise.hpp"

#include <algorithm>
#include <array>

#include "../core/parallel.hpp"
#include "map.hpp"
#include "reduce.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t grain = 16384;  // elements worth a thread's attention
constexpr std::int64_t most_parts = 64;
// Elements of a tile: of one for which there are buffers, and of one whose operands are all dense. Reading and writing
// large memory by turns in longer stretches takes up to twice the time.
constexpr std::int64_t most_staged = 256, most_direct = 512;
constexpr std::size_t most_operands = 2 * max_elementwise_inputs + 1;

/// Rows and columns of neighbouring elements; where each operand has the first of them.
struct Tile {
  std::int64_t rows, columns;
  std::int64_t offsets[most_operands];
  std::int64_t count() const { return rows * columns; }
};

/// How operands step through the elements of a shape, cut into parts that do not depend on the number of threads.
class Walk {
 public:
  /// Over the axes of `shape` in this order, outermost first.
  Walk(const Shape& shape, const Shape& order) : order_(order) {
    for (const std::int64_t axis : order) sizes_[axes_++] = shape[static_cast<std::size_t>(axis)];
  }
  /// Over n elements that are neighbours for every operand.
  explicit Walk(std::int64_t n) : dense_(true) { sizes_[axes_++] = n; }

  /// The next operand, with its strides along the axes of the shape.
  void add(const Shape& strides) {
    std::int64_t* to = strides_[operands_++];
    if (dense_)
      to[0] = 1;
    else
      for (std::size_t i = 0; i < axes_; ++i) to[i] = strides[static_cast<std::size_t>(order_[i])];
  }

  /// After the last operand: merges axes and cuts into parts. `sums` names the operands that are sums.
  void finish(std::uint64_t sums) {
    std::size_t kept = axes_ == 0 ? 0 : 1;
    for (std::size_t axis = 1; axis < axes_; ++axis) {
      bool merges = true;
      for (std::size_t i = 0; i < operands_; ++i)
        merges = merges && strides_[i][kept - 1] == strides_[i][axis] * sizes_[axis];
      if (merges) --kept;
      sizes_[kept] = merges ? sizes_[kept] * sizes_[axis] : sizes_[axis];
      for (std::size_t i = 0; i < operands_; ++i) strides_[i][kept] = strides_[i][axis];
      ++kept;
    }
    axes_ = kept;
    while (axes_ < 2) {  // so that there always are rows and columns
      std::copy_backward(sizes_, sizes_ + axes_, sizes_ + axes_ + 1);
      sizes_[0] = 1;
      for (std::size_t i = 0; i < operands_; ++i) {
        std::copy_backward(strides_[i], strides_[i] + axes_, strides_[i] + axes_ + 1);
        strides_[i][0] = 0;
      }
      ++axes_;
    }
    split(sums);
  }

  std::int64_t parts() const { return parts_; }
  std::int64_t down(std::size_t operand) const { return strides_[operand][axes_ - 2]; }
  std::int64_t right(std::size_t operand) const { return strides_[operand][axes_ - 1]; }
  bool dense(std::size_t operand, const Tile& tile) const {
    return right(operand) == 1 && (tile.rows == 1 || down(operand) == tile.columns);
  }
  /// Whether every part adds to the same elements of this sum.
  bool shared(std::size_t sum) const { return strides_[sum][split_axis_] == 0; }

  template <class F>
  void for_each_tile(std::int64_t part, std::int64_t most, F f) const {
    std::int64_t low[Shape::max_rank] = {}, high[Shape::max_rank], index[Shape::max_rank];
    std::copy_n(sizes_, axes_, high);
    low[split_axis_] = bound(part), high[split_axis_] = bound(part + 1);
    for (std::size_t axis = 0; axis < axes_; ++axis)
      if (low[axis] == high[axis]) return;
    std::copy_n(low, axes_, index);
    const std::size_t row = axes_ - 2, column = axes_ - 1;
    const std::int64_t columns = std::min(high[column] - low[column], most);
    const std::int64_t rows = columns == high[column] - low[column] ? most / columns : 1;
    Tile tile;
    for (;;) {
      for (index[row] = low[row]; index[row] < high[row]; index[row] += rows)
        for (index[column] = low[column]; index[column] < high[column]; index[column] += columns) {
          tile.rows = std::min(rows, high[row] - index[row]);
          tile.columns = std::min(columns, high[column] - index[column]);
          for (std::size_t i = 0; i < operands_; ++i) {
            tile.offsets[i] = 0;
            for (std::size_t axis = 0; axis < axes_; ++axis) tile.offsets[i] += index[axis] * strides_[i][axis];
          }
          f(tile);
        }
      std::size_t axis = row;
      for (;; index[axis] = low[axis]) {
        if (axis-- == 0) return;
        if (++index[axis] < high[axis]) break;
      }
    }
  }

 private:
  /// Along the outermost axis that is long enough. A sum over that axis has memory for each part, which is kept small.
  void split(std::uint64_t sums) {
    split_axis_ = static_cast<std::size_t>(std::max_element(sizes_, sizes_ + axes_) - sizes_);
    for (std::size_t axis = axes_; axis-- > 0;)
      if (sizes_[axis] >= 16) split_axis_ = axis;
    std::int64_t n = 1;
    for (std::size_t axis = 0; axis < axes_; ++axis) n *= sizes_[axis];
    bool any_shared = false;
    for (std::size_t i = 0; i < operands_; ++i) any_shared = any_shared || ((sums >> i & 1) != 0 && shared(i));
    const std::int64_t size = sizes_[split_axis_];
    parts_ = std::clamp<std::int64_t>(std::min(n / grain, any_shared ? size / 4 : size), 1, most_parts);
  }
  std::int64_t bound(std::int64_t part) const {
    const std::int64_t size = sizes_[split_axis_];
    const bool columns = split_axis_ == axes_ - 1;  // cut where cache lines begin
    const std::int64_t at = size / parts_ * part + size % parts_ * part / parts_;
    return columns && part < parts_ ? at / 64 * 64 : at;
  }

  Shape order_;
  bool dense_ = false;
  std::size_t axes_ = 0, operands_ = 0, split_axis_ = 0;
  std::int64_t parts_ = 1;
  std::int64_t sizes_[Shape::max_rank + 1];
  std::int64_t strides_[most_operands][Shape::max_rank + 1];
};

/// The elements of a tile of an operand as dense memory: there already, or copied to `buffer`.
template <class T>
T* dense_in(const Walk& walk, std::size_t operand, const Tile& tile, T* data, T* buffer) {
  T* from = data + tile.offsets[operand];
  if (walk.dense(operand, tile)) return from;
  const std::int64_t down = walk.down(operand), right = walk.right(operand);
  T* to = buffer;
  for (std::int64_t row = 0; row < tile.rows; ++row, from += down, to += tile.columns) {
    if (right == 1)
      for (std::int64_t i = 0; i < tile.columns; ++i) to[i] = from[i];
    else if (right == 0)
      std::fill_n(to, tile.columns, *from);
    else
      for (std::int64_t i = 0; i < tile.columns; ++i) to[i] = from[i * right];
  }
  return buffer;
}

/// Where to compute the elements of a tile of an operand; dense_out brings them to their place.
template <class T>
T* dense_for(const Walk& walk, std::size_t operand, const Tile& tile, T* data, T* buffer) {
  return walk.dense(operand, tile) ? data + tile.offsets[operand] : buffer;
}
template <class T>
void dense_out(const Walk& walk, std::size_t operand, const Tile& tile, T* data, const T* computed) {
  T* to = data + tile.offsets[operand];
  if (to == computed) return;
  const std::int64_t down = walk.down(operand), right = walk.right(operand);
  for (std::int64_t row = 0; row < tile.rows; ++row, to += down, computed += tile.columns)
    for (std::int64_t i = 0; i < tile.columns; ++i) to[i * right] = computed[i];
}

template <class T>
void multiply(std::int64_t n, const T* a, const T* b, T* out) {
  vectorized([=] {
    for_each_streaming(
        n, [=](std::int64_t i) __attribute__((always_inline)) { out[i] = a[i] * b[i]; }, a, b, out);
  });
}

/// Adds the elements of a tile, dense, to a sum with the given strides.
template <class T>
void add_up(const T* x, std::int64_t rows, std::int64_t columns, double* sum, std::int64_t down, std::int64_t right) {
  if (right == 0) {
    if (down == 0) columns *= rows, rows = 1;
    vectorized([=] {
      for (std::int64_t row = 0; row < rows; ++row)
        sum[row * down] += reduce_row<32>(Sum<T, double>{}, x + row * columns, columns, T(0), {x + row * columns});
    });
  } else if (right == 1) {
    vectorized([=] {
      for (std::int64_t row = 0; row < rows; ++row) {
        double* to = sum + row * down;
        const T* from = x + row * columns;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < columns; ++i) to[i] += static_cast<double>(from[i]);
      }
    });
  } else {
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t i = 0; i < columns; ++i)
        sum[row * down + i * right] += static_cast<double>(x[row * columns + i]);
  }
}

Shape broadcast_shape(const char* op, std::span<const Array* const> inputs) {
  Shape shape = inputs[0]->shape;
  for (const Array* input : inputs.subspan(1)) shape = broadcast_shapes(op, shape, input->shape);
  return shape;
}

template <class T>
T* elements(const Array& array) {
  return reinterpret_cast<T*>(array.data);
}

template <class T>
void run_values(const DerivativesLoop& loop, const Walk& walk, bool dense, std::span<const Array* const> inputs,
                std::span<const Array> results) {
  const std::size_t outputs = results.size(), count = outputs + inputs.size();
  T* data[most_operands];
  for (std::size_t i = 0; i < outputs; ++i) data[i] = elements<T>(results[i]);
  for (std::size_t i = 0; i < inputs.size(); ++i) data[outputs + i] = elements<T>(*inputs[i]);
  parallel_for(walk.parts(), 1, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) T buffers[most_operands][most_staged];
    for (std::int64_t part = begin; part < end; ++part)
      walk.for_each_tile(part, dense ? INT64_MAX : most_staged, [&](const Tile& tile) {
        std::byte* pointers[most_operands];
        T* at[most_operands];
        for (std::size_t i = 0; i < count; ++i) {
          at[i] = (i < outputs ? dense_for<T> : dense_in<T>)(walk, i, tile, data[i], buffers[i]);
          pointers[i] = reinterpret_cast<std::byte*>(at[i]);
        }
        loop.run(loop.context, tile.count(), pointers);
        for (std::size_t i = 0; i < outputs; ++i) dense_out(walk, i, tile, data[i], at[i]);
      });
  });
}

/// Operands of the walk: the gradients of inputs, `grad`, and the derivatives or the inputs.
template <class T>
class GradientPass {
 public:
  GradientPass(const DerivativesLoop& loop, const Walk& walk, const Array& grad, std::span<const Array* const> sources,
               bool recompute, std::span<const Array> gradients, std::uint64_t sums)
      : loop_(loop), walk_(walk), wanted_(gradients.size()), sources_(sources.size()), recompute_(recompute) {
    for (std::size_t k = 0; k < wanted_; ++k) {
      data_[k] = elements<T>(gradients[k]);
      sum_at_[k] = -1;
      if ((sums >> k & 1) == 0) continue;
      sum_at_[k] = sums_size_;
      sums_size_ += gradients[k].numel * (walk.shared(k) ? walk.parts() : 1);
    }
    data_[wanted_] = elements<T>(grad);
    for (std::size_t i = 0; i < sources_; ++i) data_[wanted_ + 1 + i] = elements<T>(*sources[i]);
  }

  void run(std::span<const Array> gradients, bool empty, bool dense) {
    const Scratch<double> scratch(sums_size_);
    sums_ = scratch.data();
    std::fill_n(sums_, sums_size_, 0.0);
    const std::int64_t most = dense && !recompute_ ? most_direct : most_staged;
    if (!empty)
      parallel_for(walk_.parts(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t part = begin; part < end; ++part) run_part(part, most, gradients);
      });
    for (std::size_t k = 0; k < wanted_; ++k)
      if (sum_at_[k] >= 0) total(k, gradients[k].numel);
  }

 private:
  void run_part(std::int64_t part, std::int64_t most, std::span<const Array> gradients) const {
    alignas(64) T staged[max_elementwise_inputs + 1][most_staged];
    alignas(64) T computed[max_elementwise_inputs + 1][most_staged];
    walk_.for_each_tile(part, most, [&](const Tile& tile) {
      const T* grad = dense_in(walk_, wanted_, tile, data_[wanted_], staged[0]);
      T* source[max_elementwise_inputs];
      for (std::size_t i = 0; i < sources_; ++i)
        source[i] = dense_in(walk_, wanted_ + 1 + i, tile, data_[wanted_ + 1 + i], staged[1 + i]);
      if (recompute_) {
        std::byte* pointers[most_operands];
        for (std::size_t k = 0; k <= wanted_; ++k) pointers[k] = reinterpret_cast<std::byte*>(computed[k]);
        for (std::size_t i = 0; i < sources_; ++i) pointers[wanted_ + 1 + i] = reinterpret_cast<std::byte*>(source[i]);
        loop_.run(loop_.context, tile.count(), pointers);
      }
      for (std::size_t k = 0; k < wanted_; ++k) {
        const T* derivative = recompute_ ? computed[1 + k] : source[k];
        T* const buffer = computed[1 + k];
        if (sum_at_[k] < 0) {
          T* out = dense_for(walk_, k, tile, data_[k], buffer);
          multiply(tile.count(), grad, derivative, out);
          dense_out(walk_, k, tile, data_[k], out);
        } else {
          multiply(tile.count(), grad, derivative, buffer);
          double* sum = sums_ + sum_at_[k] + (walk_.shared(k) ? part * gradients[k].numel : 0);
          add_up(buffer, tile.rows, tile.columns, sum + tile.offsets[k], walk_.down(k), walk_.right(k));
        }
      }
    });
  }

  /// The sums of all parts, in their order, become gradient k.
  void total(std::size_t k, std::int64_t n) const {
    const std::int64_t parts = walk_.shared(k) ? walk_.parts() : 1;
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        double sum = 0;
        for (std::int64_t part = 0; part < parts; ++part) sum += sums_[sum_at_[k] + part * n + i];
        data_[k][i] = static_cast<T>(sum);
      }
    });
  }

  const DerivativesLoop& loop_;
  const Walk& walk_;
  std::size_t wanted_, sources_;
  bool recompute_;
  T* data_[most_operands];
  std::int64_t sum_at_[max_elementwise_inputs];  // -1: not a sum
  std::int64_t sums_size_ = 0;
  double* sums_ = nullptr;
};

}  // namespace

void values_and_derivatives(const char* op, const DerivativesLoop& loop, std::span<const Array* const> inputs,
                            std::span<Array> results) {
  const Shape shape = broadcast_shape(op, inputs);
  const DType dtype = inputs[0]->dtype;
  const bool dense = lie_alike(inputs);
  const Shape order = dense ? Shape() : common_order(shape, inputs);
  for (Array& result : results)
    if (dense)
      allocate_array_like(result, *inputs[0], dtype);
    else
      allocate_array_in_order(result, shape, dtype, order);
  if (shape.numel() == 0) return;
  Walk walk = dense ? Walk(shape.numel()) : Walk(shape, order);
  for (const Array& result : results) walk.add(result.strides);
  for (const Array* input : inputs) walk.add(strided(*input, shape).strides);
  walk.finish(0);
  dispatch_floating(op, dtype, [&](auto zero) { run_values<decltype(zero)>(loop, walk, dense, inputs, results); });
}

void input_gradients(const DerivativesLoop& loop, const Array& grad, std::span<const Array* const> inputs,
                     std::span<const std::size_t> wanted, std::span<const Array* const> derivatives,
                     std::span<Array> gradients) {
  const Shape& shape = grad.shape;
  const bool recompute = derivatives.empty();
  const std::span<const Array* const> sources = recompute ? inputs : derivatives;
  bool dense = lie_alike(sources) && lies_like(grad, *sources[0]);
  std::uint64_t sums = 0;
  for (std::size_t k = 0; k < wanted.size(); ++k)
    if (inputs[wanted[k]]->shape != shape) sums |= std::uint64_t{1} << k;
  dense = dense && sums == 0;
  const Shape order = dense ? Shape() : common_order(shape, sources);
  for (std::size_t k = 0; k < wanted.size(); ++k)
    if ((sums >> k & 1) != 0)
      allocate_array(gradients[k], inputs[wanted[k]]->shape, grad.dtype);
    else if (dense)
      allocate_array_like(gradients[k], *sources[0], grad.dtype);
    else
      allocate_array_in_order(gradients[k], shape, grad.dtype, order);
  const bool nothing = shape.numel() == 0;
  Walk walk = dense || nothing ? Walk(shape.numel()) : Walk(shape, order);
  for (const Array& gradient : gradients) walk.add(strided(gradient, shape).strides);
  walk.add(strided(grad, shape).strides);
  for (const Array* source : sources) walk.add(strided(*source, shape).strides);
  walk.finish(sums);
  dispatch_floating("elementwise", grad.dtype, [&](auto zero) {
    using T = decltype(zero);
    GradientPass<T>(loop, walk, grad, sources, recompute, gradients, sums).run(gradients, nothing, dense);
  });
}

}  // namespace xgrad::detail
