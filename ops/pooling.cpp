#include "pooling.hpp"

#include <cmath>
#include <memory>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/pooling.hpp"
#include "adaptive_max_pool.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "gather.hpp"
#include "math.hpp"
#include "spatial.hpp"
#include "window.hpp"

namespace xgrad {

namespace {

using detail::PoolPlace;
using detail::PoolRange;
using detail::PoolSize;

/// The windows of one call.
struct Pooling {
  PoolSize size;
  Shape input, output;           // (N, C, ...)
  std::vector<double> divisors;  // of each output of an image, for a mean
};
using SharedPooling = std::shared_ptr<const Pooling>;

/// Along one axis: the windows, and how many elements and zeros of the padding each has.
struct Axis {
  std::vector<PoolRange> ranges;
  std::vector<std::int64_t> padded_sizes;
};

/// Sliding windows over an axis of this size.
Axis sliding(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
             bool ceil_mode) {
  const std::int64_t reach = dilation * (kernel - 1) + 1, room = size + 2 * padding - reach;
  std::int64_t count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  if (ceil_mode && (count - 1) * stride >= size + padding) --count;  // it would begin in the padding at the end
  Axis axis;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = i * stride - padding, skipped = begin < 0 ? (-begin + dilation - 1) / dilation : 0;
    axis.ranges.push_back({begin + skipped * dilation, std::min(begin + reach, size), dilation});
    axis.padded_sizes.push_back(std::min(begin + kernel, size + padding) - begin);
  }
  return axis;
}

/// `count` windows that cover an axis of this size.
Axis covering(std::int64_t size, std::int64_t count) {
  Axis axis;
  for (std::int64_t i = 0; i < count; ++i)
    axis.ranges.push_back({i * size / count, ((i + 1) * size + count - 1) / count, 1});
  return axis;
}

std::shared_ptr<Pooling> make_pooling(const char* op, const Tensor& batch, std::array<Axis, 3>& axes,
                                      std::size_t rank) {
  auto pooling = std::make_shared<Pooling>();
  pooling->size = {batch.size(0), batch.size(1), detail::spatial(batch.shape(), rank), {}};
  pooling->input = batch.shape();
  pooling->output = {batch.size(0), batch.size(1)};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (axis >= 3 - rank) pooling->output.push_back(static_cast<std::int64_t>(axes[axis].ranges.size()));
    pooling->size.ranges[axis] = std::move(axes[axis].ranges);
  }
  const auto& extents = pooling->size.input;
  check(extents[0] * extents[1] * extents[2] <= 2147483647, op, ": input of shape ", batch.shape(),
        " has more than 2^31 - 1 places");
  return pooling;
}

/// A result whose elements a kernel gives.
template <class Kernel>
Tensor run(const char* op, const Shape& shape, const Tensor& x, const Kernel& kernel) {
  detail::Array y;
  detail::allocate_array_in_order(y, shape, x.dtype(), detail::axes_in(channels_last, shape.size()));
  if (y.numel == 0) return Tensor(y);
  const detail::Array from = detail::in_format(x, channels_last);
  dispatch_floating(op, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernel(detail::first_element<T>(from), detail::first_element<T>(y));
  });
  return Tensor(y);
}

/// Where max pooling took its elements: a PoolPlace of the dtype for each, in the order of the result's memory.
using Places = detail::Reference<detail::Storage>;
template <class T>
PoolPlace<T>* numbers(const Places& places) {
  return reinterpret_cast<PoolPlace<T>*>(places->data());
}

/// Elements at places (gathers), or elements put to places: linear, and the derivatives of each other.
template <bool gathers>
struct AtPlaces {
  static constexpr bool linear = true;
  const char* name;
  SharedPooling pooling;
  Places places;
  Tensor forward(const Tensor& x) {
    return run(name, gathers ? pooling->output : pooling->input, x, [&](const auto* from, auto* y) {
      using T = std::remove_pointer_t<decltype(y)>;
      if constexpr (gathers)
        detail::gather_pooled(pooling->size, from, numbers<T>(places), y);
      else
        detail::scatter_pooled(pooling->size, from, numbers<T>(places), y);
    });
  }
  Tensor backward(const Tensor& grad) const { return apply(AtPlaces<!gathers>{name, pooling, places}, grad); }
};

struct MaxPool {
  const char* name;
  SharedPooling pooling;
  Places places;  // which forward writes
  Tensor forward(const Tensor& x) {
    return run(name, pooling->output, x, [&](const auto* from, auto* y) {
      using T = std::remove_pointer_t<decltype(y)>;
      detail::max_pool(pooling->size, from, y, numbers<T>(places));
    });
  }
  Tensor backward(const Tensor& grad) const { return apply(AtPlaces<false>{name, pooling, places}, grad); }
  Tensor jvp(const Tensor& dx) const { return apply(AtPlaces<true>{name, pooling, places}, dx); }
};

/// Means of windows, or what each element gets of the gradients of its windows: linear, and the derivatives of each
/// other.
template <bool forwards>
struct AvgPool {
  static constexpr bool linear = true;
  const char* name;
  SharedPooling pooling;
  Tensor forward(const Tensor& x) {
    return run(name, forwards ? pooling->output : pooling->input, x, [&](const auto* from, auto* y) {
      using T = std::remove_pointer_t<decltype(y)>;
      const std::vector<T> divisors(pooling->divisors.begin(), pooling->divisors.end());
      if constexpr (forwards)
        detail::avg_pool(pooling->size, from, divisors.data(), y);
      else
        detail::avg_pool_backward(pooling->size, from, divisors.data(), y);
    });
  }
  Tensor backward(const Tensor& grad) const { return apply(AvgPool<!forwards>{name, pooling}, grad); }
};

/// What sliding windows are given by, a number for each axis.
struct Sliding {
  Shape kernel, stride, padding, dilation;
};

Sliding sliding_of(const char* op, const Tensor& x, std::size_t rank, const Shape& kernel_size, const Shape& stride,
                   const Shape& padding, const Shape& dilation) {
  detail::check_spatial(op, x, rank);
  Sliding of{detail::per_axis(op, "kernel_size", kernel_size, rank, 1), {}, {}, {}};
  of.stride = detail::per_axis(op, "stride", stride.empty() ? of.kernel : stride, rank, 1);
  of.padding = detail::per_axis(op, "padding", padding, rank, 0);
  of.dilation = detail::per_axis(op, "dilation", dilation, rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t size = x.shape()[x.dim() - rank + i], reach = of.dilation[i] * (of.kernel[i] - 1) + 1;
    check(of.padding[i] <= reach / 2, op, ": padding ", of.padding, " is more than half of what kernel_size ",
          of.kernel, " with dilation ", of.dilation, " reaches over");
    check(size + 2 * of.padding[i] >= reach, op, ": kernel_size ", of.kernel, " with dilation ", of.dilation,
          " reaches over ", reach, " places, more than the ", size + 2 * of.padding[i],
          " of the padded input of shape ", x.shape(), "; use a smaller kernel");
  }
  return of;
}

std::array<Axis, 3> sliding_axes(const Sliding& of, const Tensor& batch, std::size_t rank, bool ceil_mode) {
  std::array<Axis, 3> axes;
  for (std::size_t axis = 0; axis < 3 - rank; ++axis) axes[axis] = sliding(1, 1, 1, 0, 1, false);
  for (std::size_t i = 0; i < rank; ++i)
    axes[3 - rank + i] =
        sliding(batch.shape()[2 + i], of.kernel[i], of.stride[i], of.padding[i], of.dilation[i], ceil_mode);
  return axes;
}

std::array<Axis, 3> covering_axes(const char* op, const Tensor& batch, std::size_t rank, const Shape& output_size) {
  const Shape counts = detail::per_axis(op, "output_size", output_size, rank, -1);
  std::array<Axis, 3> axes;
  for (std::size_t axis = 0; axis < 3 - rank; ++axis) axes[axis] = covering(1, 1);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t size = batch.shape()[2 + i];
    axes[3 - rank + i] = covering(size, counts[i] == -1 ? size : counts[i]);
  }
  return axes;
}

/// f of a batch of images, or of one without that axis.
template <class F>
Tensor pooled(const char* op, std::size_t rank, const Tensor& x, const F& f) {
  return detail::with_memory_for(op, [&] { return detail::on_batch(x, rank, f); });
}

/// The largest of each window, and where they are.
std::pair<Tensor, Places> largest(const char* op, const Tensor& batch, const SharedPooling& pooling) {
  const Places places =
      detail::Storage::make(static_cast<std::size_t>(pooling->output.numel()) * item_size(batch.dtype()));
  return {apply(MaxPool{op, pooling, places}, batch), places};
}

/// Places as a tensor beside the result.
Tensor indices_of(const Pooling& pooling, DType dtype, const Places& places) {
  detail::Array out;
  detail::allocate_array_in_order(out, pooling.output, int64, detail::axes_in(channels_last, pooling.output.size()));
  dispatch_floating("max_pool", dtype, [&](auto zero) {
    const auto* const from = numbers<decltype(zero)>(places);
    std::copy_n(from, out.numel, detail::first_element<std::int64_t>(out));
  });
  return Tensor(out);
}

/// The largest of each window of make_axes(batch), and, where wanted, their places.
template <class F>
ValuesAndIndices max_of_windows(const char* op, std::size_t rank, const Tensor& x, bool with_indices,
                                const F& make_axes) {
  Tensor indices;
  const Tensor values = pooled(op, rank, x, [&](const Tensor& batch) {
    auto axes = make_axes(batch);
    const SharedPooling pooling = make_pooling(op, batch, axes, rank);
    const auto [y, places] = largest(op, batch, pooling);
    if (with_indices) indices = indices_of(*pooling, y.dtype(), places);
    return y;
  });
  if (with_indices && values.dim() == rank + 1) indices = squeeze(indices, 0);
  return {values, indices};
}

ValuesAndIndices max_pool(const char* op, std::size_t rank, const Tensor& x, const Shape& kernel_size,
                          const MaxPoolOptions& options, bool with_indices) {
  const Sliding of = sliding_of(op, x, rank, kernel_size, options.stride, options.padding, options.dilation);
  return max_of_windows(op, rank, x, with_indices,
                        [&](const Tensor& batch) { return sliding_axes(of, batch, rank, options.ceil_mode); });
}

Tensor avg_pool(const char* op, std::size_t rank, const Tensor& x, const Shape& kernel_size,
                const AvgPoolOptions& options) {
  const Sliding of = sliding_of(op, x, rank, kernel_size, options.stride, options.padding, 1);
  return pooled(op, rank, x, [&](const Tensor& batch) {
    auto axes = sliding_axes(of, batch, rank, options.ceil_mode);
    std::vector<double> divisors;
    const auto size = [&](const Axis& axis, std::size_t i) {
      return static_cast<double>(options.count_include_pad ? axis.padded_sizes[i]
                                                           : axis.ranges[i].end - axis.ranges[i].begin);
    };
    for (std::size_t d = 0; d < axes[0].ranges.size(); ++d)
      for (std::size_t h = 0; h < axes[1].ranges.size(); ++h)
        for (std::size_t w = 0; w < axes[2].ranges.size(); ++w)
          divisors.push_back(options.divisor_override != 0 ? static_cast<double>(options.divisor_override)
                                                           : size(axes[0], d) * size(axes[1], h) * size(axes[2], w));
    const auto pooling = make_pooling(op, batch, axes, rank);
    pooling->divisors = std::move(divisors);
    return apply(AvgPool<true>{op, pooling}, batch);
  });
}

Tensor adaptive_avg_pool(const char* op, std::size_t rank, const Tensor& x, const Shape& output_size) {
  detail::check_spatial(op, x, rank);
  return pooled(op, rank, x, [&](const Tensor& batch) {
    auto axes = covering_axes(op, batch, rank, output_size);
    std::vector<double> divisors;
    for (const PoolRange& d : axes[0].ranges)
      for (const PoolRange& h : axes[1].ranges)
        for (const PoolRange& w : axes[2].ranges)
          divisors.push_back(static_cast<double>((d.end - d.begin) * (h.end - h.begin) * (w.end - w.begin)));
    const auto pooling = make_pooling(op, batch, axes, rank);
    pooling->divisors = std::move(divisors);
    return apply(AvgPool<true>{op, pooling}, batch);
  });
}

ValuesAndIndices adaptive_max_pool(const char* op, std::size_t rank, const Tensor& x, const Shape& output_size,
                                   bool with_indices) {
  detail::check_spatial(op, x, rank);
  return max_of_windows(op, rank, x, with_indices,
                        [&](const Tensor& batch) { return covering_axes(op, batch, rank, output_size); });
}

Tensor lp_pool(const char* op, std::size_t rank, const Tensor& x, double p, const Shape& kernel_size,
               const LPPoolOptions& options) {
  check(p == p && p != 0, op, ": norm_type is ", p, "; it must be a number other than 0");
  if (std::isinf(p)) {
    const Tensor sizes = p > 0 ? abs(x) : -abs(x);
    const Tensor y =
        max_pool(op, rank, sizes, kernel_size, {.stride = options.stride, .ceil_mode = options.ceil_mode}, false)
            .values;
    return p > 0 ? y : -y;
  }
  const Shape kernel = detail::per_axis(op, "kernel_size", kernel_size, rank, 1);
  const Tensor mean = avg_pool(op, rank, pow(x, p), kernel, {.stride = options.stride, .ceil_mode = options.ceil_mode});
  const Tensor sum = mean * kernel.numel(), none = sum.detach() == 0;
  return masked_fill(pow(masked_fill(sum, none, 1), 1 / p), none, p > 0 ? 0.0 : INFINITY);
}

Tensor max_unpool(const char* op, std::size_t rank, const Tensor& x, const Tensor& indices, const Shape& kernel_size,
                  const MaxUnpoolOptions& options) {
  detail::check_spatial(op, x, rank);
  const Shape kernel = detail::per_axis(op, "kernel_size", kernel_size, rank, 1),
              stride = detail::per_axis(op, "stride", options.stride.empty() ? kernel : options.stride, rank, 1),
              padding = detail::per_axis(op, "padding", options.padding, rank, 0);
  check(indices.shape() == x.shape() && detail::kind_of(indices.dtype()) == detail::Kind::integer, op,
        ": indices have shape ", indices.shape(), " and dtype ", indices.dtype(),
        "; they must have the shape of the input, ", x.shape(), ", and be integers");
  Shape size = kernel;
  for (std::size_t i = 0; i < rank; ++i)
    size[i] = (x.shape()[x.dim() - rank + i] - 1) * stride[i] - 2 * padding[i] + kernel[i];
  if (!options.output_size.empty()) size = detail::per_axis(op, "output_size", options.output_size, rank, 1);
  for (const std::int64_t length : size)
    check(length > 0, op, ": padding ", padding, " leaves nothing of the result; give output_size");
  Shape rows(x.shape().begin(), x.dim() - rank), shape = rows;
  for (const std::int64_t length : size) shape.push_back(length);
  Shape places = rows;
  places.push_back(size.numel());
  rows.push_back(Shape(x.shape().begin() + (x.dim() - rank), rank).numel());
  const Tensor zero = zeros(places, {.dtype = x.dtype()});
  return reshape(scatter_add(zero, -1, reshape(indices, rows), reshape(x, rows)), shape);
}

}  // namespace

Tensor max_pool1d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool1d", 1, x, kernel_size, options, false).values;
}
Tensor max_pool2d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool2d", 2, x, kernel_size, options, false).values;
}
Tensor max_pool3d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool3d", 3, x, kernel_size, options, false).values;
}

ValuesAndIndices max_pool1d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool1d_with_indices", 1, x, kernel_size, options, true);
}
ValuesAndIndices max_pool2d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool2d_with_indices", 2, x, kernel_size, options, true);
}
ValuesAndIndices max_pool3d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options) {
  return max_pool("max_pool3d_with_indices", 3, x, kernel_size, options, true);
}

Tensor max_unpool1d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options) {
  return max_unpool("max_unpool1d", 1, x, indices, kernel_size, options);
}
Tensor max_unpool2d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options) {
  return max_unpool("max_unpool2d", 2, x, indices, kernel_size, options);
}
Tensor max_unpool3d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options) {
  return max_unpool("max_unpool3d", 3, x, indices, kernel_size, options);
}

Tensor avg_pool1d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool1d", 1, x, kernel_size, options);
}
Tensor avg_pool2d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool2d", 2, x, kernel_size, options);
}
Tensor avg_pool3d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options) {
  return avg_pool("avg_pool3d", 3, x, kernel_size, options);
}

Tensor adaptive_avg_pool1d(Operand x, const Shape& output_size) {
  return adaptive_avg_pool("adaptive_avg_pool1d", 1, x, output_size);
}
Tensor adaptive_avg_pool2d(Operand x, const Shape& output_size) {
  return adaptive_avg_pool("adaptive_avg_pool2d", 2, x, output_size);
}
Tensor adaptive_avg_pool3d(Operand x, const Shape& output_size) {
  return adaptive_avg_pool("adaptive_avg_pool3d", 3, x, output_size);
}

Tensor adaptive_max_pool1d(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool1d", 1, x, output_size, false).values;
}
Tensor adaptive_max_pool2d(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool2d", 2, x, output_size, false).values;
}
Tensor adaptive_max_pool3d(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool3d", 3, x, output_size, false).values;
}

ValuesAndIndices adaptive_max_pool1d_with_indices(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool1d_with_indices", 1, x, output_size, true);
}
ValuesAndIndices adaptive_max_pool2d_with_indices(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool2d_with_indices", 2, x, output_size, true);
}
ValuesAndIndices adaptive_max_pool3d_with_indices(Operand x, const Shape& output_size) {
  return adaptive_max_pool("adaptive_max_pool3d_with_indices", 3, x, output_size, true);
}

Tensor lp_pool1d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options) {
  return lp_pool("lp_pool1d", 1, x, norm_type, kernel_size, options);
}
Tensor lp_pool2d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options) {
  return lp_pool("lp_pool2d", 2, x, norm_type, kernel_size, options);
}
Tensor lp_pool3d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options) {
  return lp_pool("lp_pool3d", 3, x, norm_type, kernel_size, options);
}

}  // namespace xgrad
