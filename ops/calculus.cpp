#include "calculus.hpp"

#include <algorithm>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/create.hpp"
#include "../kernels/reduction.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "convolution.hpp"
#include "cumulative.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

/// x[begin] ... of `length` places along an axis.
Tensor part(const Tensor& x, std::int64_t axis, std::int64_t begin, std::int64_t length) {
  return narrow(x, axis, begin, length);
}

/// x[i + 1] - x[i].
Tensor steps(const Tensor& x, std::int64_t axis) {
  const std::int64_t n = std::max<std::int64_t>(x.size(axis) - 1, 0);
  return part(x, axis, std::min<std::int64_t>(1, x.size(axis)), n) - part(x, axis, 0, n);
}

/// A vector as a tensor of `rank` axes that lies along one of them.
Tensor along(const Tensor& vector, std::size_t axis, std::size_t rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[axis] = vector.size(0);
  return reshape(vector, shape);
}

/// The areas between neighbours.
Tensor areas(const char* op, const Tensor& y, const Tensor& widths, std::int64_t axis) {
  check(y.dim() > 0, op, ": y has no axis to integrate along");
  const std::int64_t n = std::max<std::int64_t>(y.size(axis) - 1, 0);
  const Tensor sums = part(y, axis, 0, n) + part(y, axis, std::min<std::int64_t>(1, y.size(axis)), n);
  return widths.defined() ? 0.5 * sums * widths : 0.5 * sums;
}

Tensor widths_of(const char* op, const Tensor& y, const Tensor& x, std::int64_t axis) {
  const std::size_t at = normalize_axis(op, axis, y.dim());
  if (x.dim() == 1) {
    check(x.size(0) == y.shape()[at], op, ": x has ", x.size(0), " points, y of shape ", y.shape(), " has ",
          y.shape()[at], " along axis ", axis);
    return along(steps(x, 0), at, y.dim());
  }
  check(broadcasts_to(x.shape(), y.shape()) && x.dim() == y.dim() && x.shape()[at] == y.shape()[at], op,
        ": x has shape ", x.shape(), "; y of shape ", y.shape(), " needs as many axes, and as many points along axis ",
        axis);
  return steps(x, axis);
}

/// The slopes along one axis, from the distances h between neighbours: a number, or a tensor along the axis.
Tensor slopes(const Tensor& x, std::int64_t axis, const Tensor& h, std::int64_t edge_order) {
  const std::int64_t n = x.size(axis);
  const auto at = [&](std::int64_t i) { return part(x, axis, i, 1); };
  const auto distance = [&](std::int64_t i) { return h.dim() == 0 ? h : part(h, axis, i, 1); };
  const auto edge = [&](std::int64_t i, std::int64_t inward) {
    const std::int64_t first = inward > 0 ? 0 : n - 2;
    const Tensor h1 = distance(first);
    const Tensor near = static_cast<double>(inward) * (at(i + inward) - at(i)) / h1;
    if (edge_order == 1) return near;
    const Tensor h2 = distance(first + inward);
    const Tensor next = static_cast<double>(inward) * (at(i + 2 * inward) - at(i + inward)) / h2;
    return near + (near - next) * (h1 / (h1 + h2));
  };
  std::vector<Tensor> parts = {edge(0, 1)};
  if (n > 2) {
    const Tensor left = h.dim() == 0 ? h : part(h, axis, 0, n - 2), right = h.dim() == 0 ? h : part(h, axis, 1, n - 2);
    const Tensor before = (part(x, axis, 1, n - 2) - part(x, axis, 0, n - 2)) / left,
                 after = (part(x, axis, 2, n - 2) - part(x, axis, 1, n - 2)) / right;
    parts.push_back((before * right + after * left) / (left + right));
  }
  parts.push_back(edge(n - 1, -1));
  return concat(parts, axis);
}

/// For each x the interval of xp that it is in: 0 to n - 2.
Tensor intervals(const Tensor& x, const Tensor& xp) {
  const Tensor points = xp.detach().to(float64).contiguous(), at = x.detach().to(float64).contiguous();
  const double *first = points.data<double>(), *last = first + points.numel();
  for (const double* p = first; p + 1 < last; ++p)
    check(p[0] < p[1], "interp: xp does not increase: ", p[0], " at ", p - first, " is followed by ", p[1]);
  Tensor found = empty(x.shape(), {.dtype = int64});
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t above = std::upper_bound(first, last, at.data<double>()[i]) - first;
    found.data<std::int64_t>()[i] =
        std::clamp<std::int64_t>(above - 1, 0, std::max<std::int64_t>(points.numel() - 2, 0));
  }
  return found;
}

}  // namespace

Tensor diff(Operand x, std::int64_t axis, const DiffOptions& options) {
  normalize_axis("diff", axis, x->dim());
  check(options.n >= 0, "diff: n is ", options.n, ", expected a number not below 0");
  std::vector<Tensor> parts = {*x};
  if (options.prepend.defined()) parts.insert(parts.begin(), options.prepend);
  if (options.append.defined()) parts.push_back(options.append);
  Tensor y = parts.size() == 1 ? *x : concat(parts, axis);
  for (std::int64_t i = 0; i < options.n; ++i) {
    y = steps(y, axis);
    if (y.size(axis) == 0) break;
  }
  return y;
}

Tensor trapezoid(Operand y, double dx, std::int64_t axis) {
  return dx * sum(areas("trapezoid", *y, Tensor(), axis), axis);
}
Tensor trapezoid(Operand y, const Tensor& x, std::int64_t axis) {
  return sum(areas("trapezoid", *y, widths_of("trapezoid", *y, x, axis), axis), axis);
}
Tensor cumulative_trapezoid(Operand y, double dx, std::int64_t axis) {
  return dx * cumsum(areas("cumulative_trapezoid", *y, Tensor(), axis), axis);
}
Tensor cumulative_trapezoid(Operand y, const Tensor& x, std::int64_t axis) {
  return cumsum(areas("cumulative_trapezoid", *y, widths_of("cumulative_trapezoid", *y, x, axis), axis), axis);
}

std::vector<Tensor> gradient(Operand x, const GradientOptions& options) {
  constexpr const char* op = "gradient";
  const Tensor in = is_floating(x->dtype()) ? *x : x->to(float32);
  check(options.edge_order == 1 || options.edge_order == 2, op, ": edge_order is ", options.edge_order,
        ", expected 1 or 2");
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : detail::ReducedShape(op, in.shape(), options.axes, false).axes())
    axes.push_back(static_cast<std::size_t>(axis));
  check(options.spacing.size() <= 1 || options.spacing.size() == axes.size(), op, ": there are ",
        options.spacing.size(), " spacings for ", axes.size(), " axes");
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t n = in.shape()[axes[i]];
    check(n > options.edge_order, op, ": axis ", axes[i], " has ", n, " points; edge_order ", options.edge_order,
          " needs more than that");
    Tensor h = options.spacing.empty() ? ones({}, {.dtype = in.dtype()})
                                       : options.spacing[options.spacing.size() == 1 ? 0 : i];
    check(h.dim() == 0 || h.shape() == Shape{n}, op, ": a spacing of axis ", axes[i], " has shape ", h.shape(),
          ", expected () or (", n, ",)");
    if (h.dim() == 1) h = along(steps(h, 0), axes[i], in.dim());
    result.push_back(slopes(in, static_cast<std::int64_t>(axes[i]), h.to(in.dtype()), options.edge_order));
  }
  return result;
}

Tensor convolve(Operand a, const Tensor& v, ConvolveMode mode) {
  const detail::WithoutAutocast without_autocast;
  constexpr const char* op = "convolve";
  check(a->dim() == 1 && v.dim() == 1 && a->numel() > 0 && v.numel() > 0, op, ": shapes ", a->shape(), " and ",
        v.shape(), "; both must be vectors that are not empty");
  const DType dtype = detail::at_least(promote(a->dtype(), v.dtype()), DType::float32);
  const bool a_is_longer = a->numel() >= v.numel();
  const Tensor longer = (a_is_longer ? *a : v).to(dtype), shorter = (a_is_longer ? v : *a).to(dtype);
  const std::int64_t n = shorter.numel();
  const std::int64_t padding = mode == ConvolveMode::valid ? 0 : n - 1;
  const Tensor full = reshape(
      conv1d(reshape(longer, {1, 1, -1}), reshape(flip(shorter, {0}), {1, 1, -1}), Tensor(), {.padding = padding}),
      {-1});
  return mode == ConvolveMode::same ? narrow(full, 0, (n - 1) / 2, longer.numel()) : full;
}

Tensor interp(Operand x, const Tensor& xp, const Tensor& fp) {
  constexpr const char* op = "interp";
  check(xp.dim() == 1 && xp.shape() == fp.shape() && xp.numel() > 0, op, ": xp has shape ", xp.shape(), " and fp ",
        fp.shape(), "; both must be (n,) with n above 0");
  const DType dtype = detail::at_least(promote(promote(x->dtype(), xp.dtype()), fp.dtype()), DType::float32);
  const Tensor at = x->to(dtype), points = xp.to(dtype), values = fp.to(dtype);
  const std::int64_t n = xp.numel();
  const Tensor low = intervals(*x, xp), flat = reshape(low, {-1});
  const auto of = [&](const Tensor& vector, const Tensor& index) {
    return reshape(index_select(vector, 0, index), at.shape());
  };
  const Tensor high = n == 1 ? flat : flat + 1;
  const Tensor x0 = of(points, flat), f0 = of(values, flat), width = n == 1 ? ones_like(x0) : of(points, high) - x0;
  const Tensor inside = f0 + (at - x0) * ((of(values, high) - f0) / width);
  const Tensor first = select(points, 0, 0), last = select(points, 0, n - 1);
  return where(at < first, select(values, 0, 0), where(at > last, select(values, 0, n - 1), inside));
}

}  // namespace xgrad
