#include "convolution.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/convolution.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "spatial.hpp"

namespace xgrad {

namespace {

using detail::ConvolutionSize;
using detail::Extents;

/// A convolution: what all that follows from it, its derivatives and theirs, has in common.
struct Sizes {
  const char* name;
  std::size_t rank;  // how many spatial axes there are
  ConvolutionSize of;

  Shape input() const { return shape(of.batch, of.groups * of.in, of.input); }
  Shape output() const { return shape(of.batch, of.groups * of.out, of.output); }
  Shape weight() const { return shape(of.groups * of.out, of.in, of.kernel); }

 private:
  Shape shape(std::int64_t first, std::int64_t second, const Extents& extents) const {
    Shape all{first, second};
    for (std::size_t axis = 3 - rank; axis < 3; ++axis) all.push_back(extents[axis]);
    return all;
  }
};

// Three functions, each linear in both operands, whose derivatives are one another.
Tensor convolve(const Sizes& sizes, const Tensor& x, const Tensor& weight, const Tensor& bias = {});
Tensor input_grad(const Sizes& sizes, const Tensor& grad, const Tensor& weight, const Tensor& bias = {});
Tensor weight_grad(const Sizes& sizes, const Tensor& x, const Tensor& grad);

Tensor sum_or_other(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return detail::accumulate(a, b);
}

/// The sum of each channel.
Tensor channel_sums(const Tensor& x) {
  Shape axes{0};
  for (std::size_t axis = 2; axis < x.dim(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  return sum(x, axes);
}

/// A bias so that it broadcasts over (N, C, ...).
Tensor over_channels(const Tensor& bias, const Shape& shape) {
  Shape column = Shape::filled(shape.size() - 1, 1);
  column[0] = shape[1];
  return expand(reshape(bias, column), shape);
}

/// f(a number of the type that is computed with).
template <class F>
void dispatch_computed(const char* op, DType dtype, const F& f) {
  if (dtype == bfloat16) return f(BFloat16());
  dispatch_floating(op, dtype, f);
}

template <class T>
const T* elements(const detail::Array& array) {
  return array.data ? detail::first_element<T>(array) : nullptr;
}

/// One of the kernels whose result has the shape of an input or output.
template <class Kernel>
Tensor run(const Sizes& sizes, const Shape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias,
           const Kernel& kernel) {
  detail::Array y;
  detail::allocate_array_in_order(y, shape, x.dtype(), detail::axes_in(channels_last, shape.size()));
  if (y.numel == 0) return Tensor(y);
  const detail::Array from = detail::in_format(x, channels_last), w = detail::row_major(weight),
                      b = bias.defined() ? detail::row_major(bias) : detail::Array();
  dispatch_computed(sizes.name, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernel(sizes.of, elements<T>(from), elements<T>(w), elements<T>(b), detail::first_element<T>(y));
  });
  return Tensor(y);
}

struct Convolution {
  const char* name;
  Sizes sizes;
  Saved x = {}, weight = {};

  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& bias) {
    if (w.requires_grad()) x = input;
    if (input.requires_grad()) weight = w;
    return run(sizes, sizes.output(), input, w, bias,
               [](const auto&... arguments) { detail::convolution(arguments...); });
  }
  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? input_grad(sizes, grad, weight) : Tensor(), needs[1] ? weight_grad(sizes, x, grad) : Tensor(),
            needs[2] ? channel_sums(grad) : Tensor()};
  }
  Tensor jvp(const Tensor& dx, const Tensor& dw, const Tensor& db) const {
    const Tensor by_x = dx.defined() ? convolve(sizes, dx, weight, db) : Tensor();
    const Tensor by_weight = dw.defined() ? convolve(sizes, x, dw, dx.defined() ? Tensor() : db) : Tensor();
    return dx.defined() || dw.defined() ? sum_or_other(by_x, by_weight) : over_channels(db, sizes.output());
  }
};

struct InputGrad {
  const char* name;
  Sizes sizes;
  Saved grad = {}, weight = {};

  Tensor forward(const Tensor& g, const Tensor& w, const Tensor& bias) {
    if (w.requires_grad()) grad = g;
    if (g.requires_grad()) weight = w;
    return run(sizes, sizes.input(), g, w, bias,
               [](const auto&... arguments) { detail::convolution_input_grad(arguments...); });
  }
  std::array<Tensor, 3> backward(const Tensor& upstream, Needs needs) const {
    return {needs[0] ? convolve(sizes, upstream, weight) : Tensor(),
            needs[1] ? weight_grad(sizes, upstream, grad) : Tensor(), needs[2] ? channel_sums(upstream) : Tensor()};
  }
  Tensor jvp(const Tensor& dg, const Tensor& dw, const Tensor& db) const {
    const Tensor by_grad = dg.defined() ? input_grad(sizes, dg, weight, db) : Tensor();
    const Tensor by_weight = dw.defined() ? input_grad(sizes, grad, dw, dg.defined() ? Tensor() : db) : Tensor();
    return dg.defined() || dw.defined() ? sum_or_other(by_grad, by_weight) : over_channels(db, sizes.input());
  }
};

struct WeightGrad {
  const char* name;
  Sizes sizes;
  Saved x = {}, grad = {};

  Tensor forward(const Tensor& input, const Tensor& g) {
    if (g.requires_grad()) x = input;
    if (input.requires_grad()) grad = g;
    if (g.numel() == 0) return zeros(sizes.weight(), {.dtype = g.dtype()});
    const Tensor out = detail::empty(sizes.weight(), g.dtype());
    const detail::Array from = detail::in_format(input, channels_last), of = detail::in_format(g, channels_last);
    dispatch_computed(name, g.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::convolution_weight_grad(sizes.of, elements<T>(from), elements<T>(of), out.data<T>());
    });
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& upstream, Needs needs) const {
    return {needs[0] ? input_grad(sizes, grad, upstream) : Tensor(),
            needs[1] ? convolve(sizes, x, upstream) : Tensor()};
  }
  Tensor jvp(const Tensor& dx, const Tensor& dg) const {
    return sum_or_other(dx.defined() ? weight_grad(sizes, dx, grad) : Tensor(),
                        dg.defined() ? weight_grad(sizes, x, dg) : Tensor());
  }
};

Tensor convolve(const Sizes& sizes, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return apply(Convolution{sizes.name, sizes}, x, weight, bias);
}
Tensor input_grad(const Sizes& sizes, const Tensor& grad, const Tensor& weight, const Tensor& bias) {
  return apply(InputGrad{sizes.name, sizes}, grad, weight, bias);
}
Tensor weight_grad(const Sizes& sizes, const Tensor& x, const Tensor& grad) {
  return apply(WeightGrad{sizes.name, sizes}, x, grad);
}

/// Checks what convolution and its transpose have in common, and gives the kernel's sizes.
Shape kernel_of(const char* op, std::size_t rank, const Tensor& x, const Tensor& weight, std::int64_t groups) {
  detail::check_spatial(op, x, rank);
  check(weight.dim() == rank + 2, op, ": weight has shape ", weight.shape(), "; it must have ", rank + 2, " axes");
  check(is_floating(weight.dtype()), op, ": weight is ", weight.dtype(), "; convert it with .to(float32)");
  check(weight.numel() > 0, op, ": weight has shape ", weight.shape(), " and no elements");
  check(groups >= 1, op, ": groups is ", groups, "; it must be at least 1");
  check(weight.size(0) % groups == 0, op, ": weight has shape ", weight.shape(), ", whose first size ", weight.size(0),
        " is not a multiple of groups ", groups);
  return Shape(weight.shape().begin() + 2, rank);
}

void check_bias(const char* op, const Tensor& bias, std::int64_t channels) {
  if (!bias.defined()) return;
  check(bias.shape() == Shape{channels}, op, ": bias has shape ", bias.shape(), "; for ", channels,
        " output channels it must be (", channels, ",)");
  check(is_floating(bias.dtype()), op, ": bias is ", bias.dtype(), "; convert it with .to(float32)");
}

/// f(x, weight, bias), which have one dtype that is computed in, for a batch.
template <class F>
Tensor on_batch(std::size_t rank, std::int64_t groups, const Tensor& x, const Tensor& weight, const Tensor& bias,
                const F& f) {
  DType dtype = promote(x.dtype(), weight.dtype());
  if (bias.defined()) dtype = promote(dtype, bias.dtype());
  const bool as_it_is =
      dtype == bfloat16 && detail::convolves_bfloat16(groups, weight.size(1), weight.size(0) / groups);
  const DType computed = as_it_is ? dtype : detail::compute_dtype(dtype);
  const Tensor w = weight.to(computed), b = bias.defined() ? bias.to(computed) : Tensor();
  return detail::on_batch(x.to(dtype), rank, computed, [&](const Tensor& batch) { return f(batch, w, b); });
}

Tensor conv(const char* op, std::size_t rank, const Tensor& images, const Tensor& filters, const Tensor& shift,
            const ConvOptions& options) {
  using detail::in_autocast_dtype;
  const Tensor x = in_autocast_dtype(images), weight = in_autocast_dtype(filters), bias = in_autocast_dtype(shift);
  const Shape kernel = kernel_of(op, rank, x, weight, options.groups),
              stride = detail::per_axis(op, "stride", options.stride, rank, 1),
              dilation = detail::per_axis(op, "dilation", options.dilation, rank, 1);
  const detail::PaddedSides sides = detail::padded_sides(op, options.padding, kernel, stride, dilation);
  const std::int64_t channels = x.shape()[x.dim() - rank - 1];
  check(channels == weight.size(1) * options.groups, op, ": input of shape ", x.shape(), " has ", channels,
        " channels, weight ", weight.shape(), " with groups ", options.groups, " needs ",
        weight.size(1) * options.groups);
  check_bias(op, bias, weight.size(0));
  Shape output = kernel;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t padded = x.shape()[x.dim() - rank + i] + sides.before[i] + sides.after[i],
                       reach = dilation[i] * (kernel[i] - 1) + 1;
    check(padded >= reach, op, ": kernel ", kernel, " with dilation ", dilation, " reaches over ", reach,
          " places, more than the ", padded, " of the padded input of shape ", x.shape(), "; use a larger padding");
    output[i] = (padded - reach) / stride[i] + 1;
  }
  return on_batch(rank, options.groups, x, weight, bias, [&](const Tensor& input, const Tensor& w, const Tensor& b) {
    const ConvolutionSize size{.batch = input.size(0),
                               .groups = options.groups,
                               .in = w.size(1),
                               .out = w.size(0) / options.groups,
                               .input = detail::spatial(input.shape(), rank),
                               .kernel = detail::spatial(kernel, rank),
                               .stride = detail::spatial(stride, rank),
                               .padding = detail::spatial(sides.before, rank, 0),
                               .dilation = detail::spatial(dilation, rank),
                               .output = detail::spatial(output, rank)};
    return convolve({op, rank, size}, input, w, b);
  });
}

Tensor conv_transpose(const char* op, std::size_t rank, const Tensor& images, const Tensor& filters,
                      const Tensor& shift, const ConvTransposeOptions& options) {
  using detail::in_autocast_dtype;
  const Tensor x = in_autocast_dtype(images), weight = in_autocast_dtype(filters), bias = in_autocast_dtype(shift);
  const Shape kernel = kernel_of(op, rank, x, weight, options.groups),
              stride = detail::per_axis(op, "stride", options.stride, rank, 1),
              dilation = detail::per_axis(op, "dilation", options.dilation, rank, 1),
              padding = detail::per_axis(op, "padding", options.padding, rank, 0),
              more = detail::per_axis(op, "output_padding", options.output_padding, rank, 0);
  const std::int64_t channels = x.shape()[x.dim() - rank - 1];
  check(channels == weight.size(0), op, ": input of shape ", x.shape(), " has ", channels, " channels, weight ",
        weight.shape(), " needs ", weight.size(0), "; it is (in, out / groups, kernel...)");
  check_bias(op, bias, weight.size(1) * options.groups);
  Shape output = kernel;
  for (std::size_t i = 0; i < rank; ++i) {
    check(more[i] < std::max(stride[i], dilation[i]), op, ": output_padding is ", more,
          "; it must be less than stride ", stride, " or dilation ", dilation);
    output[i] =
        (x.shape()[x.dim() - rank + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + more[i] + 1;
    check(output[i] > 0, op, ": padding ", padding, " leaves nothing of the result for input ", x.shape(),
          " and kernel ", kernel, "; use a smaller padding");
  }
  return on_batch(rank, options.groups, x, weight, bias, [&](const Tensor& input, const Tensor& w, const Tensor& b) {
    const ConvolutionSize size{.batch = input.size(0),
                               .groups = options.groups,
                               .in = w.size(1),
                               .out = w.size(0) / options.groups,
                               .input = detail::spatial(output, rank),
                               .kernel = detail::spatial(kernel, rank),
                               .stride = detail::spatial(stride, rank),
                               .padding = detail::spatial(padding, rank, 0),
                               .dilation = detail::spatial(dilation, rank),
                               .output = detail::spatial(input.shape(), rank)};
    return input_grad({op, rank, size}, input, w, b);
  });
}

}  // namespace

Tensor conv1d(Operand x, Operand weight, const Tensor& bias, const ConvOptions& options) {
  return conv("conv1d", 1, x, weight, bias, options);
}
Tensor conv2d(Operand x, Operand weight, const Tensor& bias, const ConvOptions& options) {
  return conv("conv2d", 2, x, weight, bias, options);
}
Tensor conv3d(Operand x, Operand weight, const Tensor& bias, const ConvOptions& options) {
  return conv("conv3d", 3, x, weight, bias, options);
}

Tensor conv_transpose1d(Operand x, Operand weight, const Tensor& bias, const ConvTransposeOptions& options) {
  return conv_transpose("conv_transpose1d", 1, x, weight, bias, options);
}
Tensor conv_transpose2d(Operand x, Operand weight, const Tensor& bias, const ConvTransposeOptions& options) {
  return conv_transpose("conv_transpose2d", 2, x, weight, bias, options);
}
Tensor conv_transpose3d(Operand x, Operand weight, const Tensor& bias, const ConvTransposeOptions& options) {
  return conv_transpose("conv_transpose3d", 3, x, weight, bias, options);
}

}  // namespace xgrad
