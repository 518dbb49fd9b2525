#include "transforms.hpp"

#include <cmath>

#include "../../autograd/apply.hpp"
#include "../../autograd/create.hpp"
#include "../../autograd/primitives.hpp"
#include "../../kernels/fft.hpp"
#include "../../kernels/reduction.hpp"
#include "../arithmetic.hpp"
#include "../joining.hpp"
#include "../slicing.hpp"

namespace xgrad::fft {

namespace {

Shape without_parts(const Shape& shape) { return Shape(shape.begin(), shape.size() - 1); }

struct Complex {
  const char* name;
  static constexpr bool linear = true;
  Shape axes;
  bool inverse;
  double scale;

  Tensor forward(const Tensor& x) const {
    const Tensor in = detail::dense(x), out = detail::empty(x.shape(), x.dtype());
    dispatch_floating(name, x.dtype(), [&]<class T>(T) {
      const T* from = in.data<T>();
      double factor = scale;
      for (const std::int64_t axis : axes) {
        detail::fft_complex(detail::size_along(without_parts(x.shape()), static_cast<std::size_t>(axis)), inverse,
                            factor, from, out.data<T>());
        from = out.data<T>();
        factor = 1;
      }
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(Complex{name, axes, !inverse, scale}, grad); }
};

/// Numbers of the kept half of a spectrum of n times a factor, but for those that are their own conjugates.
Tensor weighted(const Tensor& half, std::size_t axis, std::int64_t n, double factor) {
  Shape shape = Shape::filled(half.dim(), 1);
  shape[axis] = n / 2 + 1;
  const Tensor weights = full(shape, factor, {.dtype = half.dtype()});
  const auto along = static_cast<std::int64_t>(axis);
  narrow(weights, along, 0, 1).fill_(1);
  if (n % 2 == 0) narrow(weights, along, n / 2, 1).fill_(1);
  return half * weights;
}

struct HalfToReal {
  const char* name;
  static constexpr bool linear = true;
  std::size_t axis;
  std::int64_t n;
  double scale;

  Tensor forward(const Tensor& x) const {
    const Tensor in = detail::dense(x);
    Shape shape = without_parts(x.shape());
    shape[axis] = n;
    const Tensor out = detail::empty(shape, x.dtype());
    dispatch_floating(name, x.dtype(), [&]<class T>(T) {
      detail::fft_half_complex(detail::size_along(shape, axis), scale, in.data<T>(), out.data<T>());
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const;
};

struct RealToHalf {
  const char* name;
  static constexpr bool linear = true;
  std::size_t axis;
  std::int64_t n;
  double scale;

  Tensor forward(const Tensor& x) const {
    const Tensor in = detail::dense(x);
    Shape shape = x.shape();
    shape[axis] = n / 2 + 1;
    shape.push_back(2);
    const Tensor out = detail::empty(shape, x.dtype());
    dispatch_floating(name, x.dtype(), [&]<class T>(T) {
      detail::fft_real(detail::size_along(x.shape(), axis), scale, in.data<T>(), out.data<T>());
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    return apply(HalfToReal{name, axis, n, scale}, weighted(grad, axis, n, 0.5));
  }
};

Tensor HalfToReal::backward(const Tensor& grad) const {
  return weighted(apply(RealToHalf{name, axis, n, scale}, grad), axis, n, 2);
}

enum class Form { complex, real, half };  // of the input

/// A transform as the functions are asked for it.
struct Request {
  const char* op;
  Form form;
  bool inverse;
};

/// The axes of the transform, counted from the front, and their lengths.
struct Plan {
  Plan(const Request& request, const Tensor& x, const Shape& sizes, const Shape& named) {
    const char* const op = request.op;
    check(is_floating(x.dtype()), op, ": expected a floating tensor, got dtype ", x.dtype(),
          "; convert it with .to(float32)");
    shape = x.shape();
    if (request.form != Form::real) {
      check(x.dim() > 0 && shape.back() == 2, op, ": shape ", x.shape(),
            " has no last axis of two, real and imaginary part; stack({x, zeros_like(x)}, -1) makes real numbers "
            "complex");
      shape = without_parts(shape);
    }
    check(sizes.empty() || named.empty() || sizes.size() == named.size(), op, ": lengths ", sizes, " for axes ", named,
          "; there must be as many of both");
    const std::size_t count = !named.empty() ? named.size() : !sizes.empty() ? sizes.size() : shape.size();
    check(count <= shape.size(), op, ": ", count, " axes are named of shape ", shape);
    check(count > 0, op, ": there is no axis to transform along");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t axis = named.empty() ? shape.size() - count + i : normalize_axis(op, named[i], shape.size());
      axes.push_back(static_cast<std::int64_t>(axis));
      std::int64_t n = sizes.empty() || sizes[i] == -1 ? shape[axis] : sizes[i];
      if (request.form == Form::half && i + 1 == count && (sizes.empty() || sizes[i] == -1)) n = 2 * (shape[axis] - 1);
      check(n >= 1, op, ": a transform of length ", n, " along axis ", axis, " of shape ", shape,
            "; it must be at least 1");
      lengths.push_back(n);
    }
    normalize_axes(op, axes, shape.size());
  }
  double scale(Norm norm, bool inverse) const {
    double product = 1;
    for (const std::int64_t n : lengths) product *= static_cast<double>(n);
    if (norm == Norm::ortho) return 1 / std::sqrt(product);
    return (norm == Norm::backward) == inverse ? 1 / product : 1;
  }
  Shape shape, axes, lengths;
};

/// x with an axis cut to n, or filled up with zeros.
Tensor resized(const Tensor& x, std::int64_t axis, std::int64_t n) {
  const std::int64_t size = x.size(axis);
  if (size >= n) return narrow(x, axis, 0, n);
  Shape missing = x.shape();
  missing[static_cast<std::size_t>(axis)] = n - size;
  return concat({x, zeros(missing, {.dtype = x.dtype()})}, axis);
}

Tensor conjugate(const Tensor& x) { return x * tensor({1, -1}, {.dtype = x.dtype()}); }

Tensor transform(const Request& request, const Tensor& x, const Shape& sizes, const Shape& named, Norm norm) {
  return detail::with_memory_for(request.op, [&] {
    const Plan plan(request, x, sizes, named);
    const double scale = plan.scale(norm, request.inverse);
    const std::int64_t last = plan.axes.back(), n = plan.lengths.back();
    Tensor y = detail::widened(x);
    for (std::size_t i = 0; i < plan.axes.size(); ++i) {
      const bool half = request.form == Form::half && i + 1 == plan.axes.size();
      y = resized(y, plan.axes[i], half ? n / 2 + 1 : plan.lengths[i]);
    }
    Shape others = plan.axes;
    if (request.form != Form::complex) others.erase(others.size() - 1);
    // The kernels transform real numbers forward and half spectra back; the other way it is the conjugate's.
    const bool conjugated = request.form != Form::complex && request.inverse == (request.form == Form::real);
    if (request.form == Form::real) y = apply(RealToHalf{request.op, static_cast<std::size_t>(last), n, scale}, y);
    if (request.form == Form::real && conjugated) y = conjugate(y);
    if (!others.empty())
      y = apply(Complex{request.op, others, request.inverse, request.form == Form::complex ? scale : 1}, y);
    if (request.form == Form::half && conjugated) y = conjugate(y);
    if (request.form == Form::half) y = apply(HalfToReal{request.op, static_cast<std::size_t>(last), n, scale}, y);
    return detail::narrowed(std::move(y), x.dtype());
  });
}

Tensor along_axis(const Request& request, const Tensor& x, const FftOptions& options) {
  check(!options.n || *options.n >= 1, request.op, ": a transform of length ", options.n.value_or(0),
        "; it must be at least 1");
  return transform(request, x, options.n ? Shape{*options.n} : Shape(), {options.axis}, options.norm);
}

Tensor along_axes(const Request& request, const Tensor& x, const FftnOptions& options) {
  return transform(request, x, options.n, options.axes.numbers(), options.norm);
}

Tensor along_two(const Request& request, const Tensor& x, const FftnOptions& options) {
  const Shape named = options.axes.numbers();
  return transform(request, x, options.n, named.empty() ? Shape{-2, -1} : named, options.norm);
}

}  // namespace

Tensor fft(Operand x, const FftOptions& options) { return along_axis({"fft", Form::complex, false}, *x, options); }
Tensor ifft(Operand x, const FftOptions& options) { return along_axis({"ifft", Form::complex, true}, *x, options); }
Tensor rfft(Operand x, const FftOptions& options) { return along_axis({"rfft", Form::real, false}, *x, options); }
Tensor irfft(Operand x, const FftOptions& options) { return along_axis({"irfft", Form::half, true}, *x, options); }
Tensor hfft(Operand x, const FftOptions& options) { return along_axis({"hfft", Form::half, false}, *x, options); }
Tensor ihfft(Operand x, const FftOptions& options) { return along_axis({"ihfft", Form::real, true}, *x, options); }

Tensor fftn(Operand x, const FftnOptions& options) { return along_axes({"fftn", Form::complex, false}, *x, options); }
Tensor ifftn(Operand x, const FftnOptions& options) { return along_axes({"ifftn", Form::complex, true}, *x, options); }
Tensor rfftn(Operand x, const FftnOptions& options) { return along_axes({"rfftn", Form::real, false}, *x, options); }
Tensor irfftn(Operand x, const FftnOptions& options) { return along_axes({"irfftn", Form::half, true}, *x, options); }
Tensor hfftn(Operand x, const FftnOptions& options) { return along_axes({"hfftn", Form::half, false}, *x, options); }
Tensor ihfftn(Operand x, const FftnOptions& options) { return along_axes({"ihfftn", Form::real, true}, *x, options); }

Tensor fft2(Operand x, const FftnOptions& options) { return along_two({"fft2", Form::complex, false}, *x, options); }
Tensor ifft2(Operand x, const FftnOptions& options) { return along_two({"ifft2", Form::complex, true}, *x, options); }
Tensor rfft2(Operand x, const FftnOptions& options) { return along_two({"rfft2", Form::real, false}, *x, options); }
Tensor irfft2(Operand x, const FftnOptions& options) { return along_two({"irfft2", Form::half, true}, *x, options); }
Tensor hfft2(Operand x, const FftnOptions& options) { return along_two({"hfft2", Form::half, false}, *x, options); }
Tensor ihfft2(Operand x, const FftnOptions& options) { return along_two({"ihfft2", Form::real, true}, *x, options); }

}  // namespace xgrad::fft
