#include "interpolate.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/resample.hpp"
#include "image_memory.hpp"
#include "window.hpp"

namespace xgrad {

namespace {

using detail::Resampling;

/// Along an axis of x; its transpose is the gradient.
struct Resample {
  static constexpr const char* name = "interpolate";
  static constexpr bool linear = true;
  std::size_t axis;
  std::shared_ptr<const Resampling> matrix;

  Tensor forward(const Tensor& x) const {
    Shape shape = x.shape();
    shape[axis] = matrix->outputs();
    const detail::Array from = detail::as_images(x), to = detail::allocate_images_like(from, shape);
    if (to.numel == 0) return Tensor(to);
    std::int64_t outer = 1, inner = detail::channels_lie_last(from) ? shape[1] : 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (i > axis) inner *= shape[i];
      if (i < axis && (i != 1 || !detail::channels_lie_last(from))) outer *= shape[i];
    }
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::resample(*matrix, outer, inner, detail::first_element<T>(from), detail::first_element<T>(to));
    });
    return Tensor(to);
  }
  Tensor backward(const Tensor& grad) const {
    return detail::with_memory_for(name, [&] {
      return apply(Resample{axis, std::make_shared<const Resampling>(detail::transposed(*matrix))}, grad);
    });
  }
};

/// Rows of a Resampling, one after the other.
class Rows {
 public:
  Rows(std::int64_t inputs, std::int64_t outputs) {
    matrix_.inputs = inputs;
    matrix_.first.reserve(static_cast<std::size_t>(outputs));
    matrix_.begin.reserve(static_cast<std::size_t>(outputs) + 1);
  }
  /// A row with f(j) at each of `count` places from `from` on; what lies outside goes to the edge.
  template <class F>
  void add(std::int64_t from, std::int64_t count, const F& f) {
    const auto inside = [&](std::int64_t at) { return std::clamp<std::int64_t>(at, 0, matrix_.inputs - 1); };
    const std::int64_t first = inside(from), last = inside(from + count - 1);
    const std::size_t begin = matrix_.weights.size();
    matrix_.weights.resize(begin + static_cast<std::size_t>(last - first + 1), 0);
    for (std::int64_t j = 0; j < count; ++j)
      matrix_.weights[begin + static_cast<std::size_t>(inside(from + j) - first)] += f(j);
    matrix_.first.push_back(first);
    matrix_.begin.push_back(static_cast<std::int64_t>(matrix_.weights.size()));
  }
  Resampling take() { return std::move(matrix_); }

 private:
  Resampling matrix_;
};

/// Keys' cubic convolution kernel.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((x - 5) * x + 8) * a * x - 4 * a : 0;
}

/// One axis of a call.
struct Axis {
  std::int64_t in, out;
  double scale;  // how far apart in the input neighbours of the output lie
};

Resampling nearest(const Axis& axis, bool exact) {
  Rows rows(axis.in, axis.out);
  const auto scale = static_cast<float>(axis.scale);  // PyTorch's precision, for any dtype: a rounded place is another
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const auto at = exact ? static_cast<float>((static_cast<double>(i) + 0.5) * scale) : static_cast<float>(i) * scale;
    rows.add(std::min(static_cast<std::int64_t>(std::floor(at)), axis.in - 1), 1, [](std::int64_t) { return 1.0; });
  }
  return rows.take();
}

Resampling smooth(const Axis& axis, bool is_cubic, bool align_corners) {
  Rows rows(axis.in, axis.out);
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const auto position = static_cast<double>(i);
    double at = align_corners ? axis.scale * position : axis.scale * (position + 0.5) - 0.5;
    if (is_cubic) {
      const double below = std::floor(at), t = at - below;
      rows.add(static_cast<std::int64_t>(below) - 1, 4,
               [=](std::int64_t j) { return cubic(t + 1 - static_cast<double>(j), -0.75); });
    } else {
      at = std::clamp(at, 0.0, static_cast<double>(axis.in - 1));
      const double below = std::floor(at), t = at - below;
      rows.add(static_cast<std::int64_t>(below), 2, [=](std::int64_t j) { return j == 0 ? 1 - t : t; });
    }
  }
  return rows.take();
}

/// The filter stretched over what an element of the output covers, where that is more than one of the input.
Resampling antialiased(const Axis& axis, bool is_cubic) {
  Rows rows(axis.in, axis.out);
  const double stretch = std::max(axis.scale, 1.0), support = (is_cubic ? 2 : 1) * stretch;
  std::vector<double> weights;
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const double center = axis.scale * (static_cast<double>(i) + 0.5);
    const std::int64_t begin = std::clamp<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0, axis.in),
                       end =
                           std::clamp<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), begin, axis.in);
    weights.clear();
    double sum = 0;
    for (std::int64_t j = begin; j < end; ++j) {
      const double x = (static_cast<double>(j) - center + 0.5) / stretch;
      weights.push_back(is_cubic ? cubic(x, -0.5) : std::max(0.0, 1 - std::abs(x)));
      sum += weights.back();
    }
    rows.add(begin, end - begin, [&](std::int64_t j) { return weights[static_cast<std::size_t>(j)] / sum; });
  }
  return rows.take();
}

Resampling area(const Axis& axis) {
  Rows rows(axis.in, axis.out);
  for (std::int64_t i = 0; i < axis.out; ++i) {
    const std::int64_t begin = i * axis.in / axis.out, end = ((i + 1) * axis.in + axis.out - 1) / axis.out;
    rows.add(begin, end - begin, [=](std::int64_t) { return 1 / static_cast<double>(end - begin); });
  }
  return rows.take();
}

Resampling resampling(const Axis& axis, const InterpolateOptions& options) {
  const bool is_cubic = options.mode == InterpolateMode::bicubic;
  switch (options.mode) {
    case InterpolateMode::nearest:
    case InterpolateMode::nearest_exact:
      return nearest(axis, options.mode == InterpolateMode::nearest_exact);
    case InterpolateMode::area:
      return area(axis);
    case InterpolateMode::linear:
    case InterpolateMode::bilinear:
    case InterpolateMode::trilinear:
    case InterpolateMode::bicubic:
      return options.antialias ? antialiased(axis, is_cubic) : smooth(axis, is_cubic, options.align_corners);
  }
  fail("interpolate: an unknown mode");
}

/// How many spatial axes a mode is for; 0 for any.
std::size_t rank_of(InterpolateMode mode) {
  if (mode == InterpolateMode::linear) return 1;
  if (mode == InterpolateMode::bilinear || mode == InterpolateMode::bicubic) return 2;
  return mode == InterpolateMode::trilinear ? 3 : 0;
}

void check_options(const Tensor& x, const InterpolateOptions& options) {
  check(x.dim() >= 3 && x.dim() <= 5, "interpolate: input has shape ", x.shape(),
        "; (N, C, L), (N, C, H, W) or (N, C, D, H, W) is needed");
  check(is_floating(x.dtype()), "interpolate: input is ", x.dtype(), "; convert it with .to(float32)");
  for (std::size_t axis = 1; axis < x.dim(); ++axis)
    check(x.shape()[axis] > 0, "interpolate: input has shape ", x.shape(), "; only the batch may be empty");
  const InterpolateMode mode = options.mode;
  const std::size_t rank = x.dim() - 2, wanted = rank_of(mode);
  check(wanted == 0 || wanted == rank, "interpolate: this mode is for ", wanted,
        " spatial axes, and an input of shape ", x.shape(), " has ", rank,
        "; linear, bilinear and trilinear are for one, two and three, bicubic is for two");
  check(!options.align_corners || wanted > 0, "interpolate: align_corners is for linear modes and bicubic");
  check(!options.antialias || wanted == 2, "interpolate: antialias is for bilinear and bicubic");
  const std::size_t factors = options.scale_factor.size();
  check(options.size.empty() != (factors == 0), "interpolate: give either size or scale_factor");
  check(factors <= 1 || factors == rank, "interpolate: scale_factor has ", factors,
        " numbers; give one, or one for each of the ", rank, " spatial axes");
  check(!options.recompute_scale_factor || factors > 0, "interpolate: recompute_scale_factor is for scale_factor");
  for (std::size_t i = 0; i < factors; ++i)
    check(options.scale_factor[i] > 0 && std::isfinite(options.scale_factor[i]), "interpolate: a scale_factor is ",
          options.scale_factor[i], "; it must be positive and finite");
}

/// How many elements an axis of `in` gets by a factor.
std::int64_t size_of(std::int64_t in, double factor) {
  const double out = std::floor(static_cast<double>(in) * factor);
  check(out >= 1 && out <= 2147483647, "interpolate: ", in, " elements times a scale_factor of ", factor, " are ", out,
        "; there must be at least 1, and no more than 2^31 - 1");
  return static_cast<std::int64_t>(out);
}

/// The axis that has `in` elements, number `i` of the spatial ones.
Axis axis_of(std::int64_t in, std::size_t i, const Shape& size, const InterpolateOptions& options) {
  const ScaleFactor& factors = options.scale_factor;
  const double factor = factors.size() == 0 ? 0 : factors[factors.size() == 1 ? 0 : i];
  const std::int64_t out = factor == 0 ? size[i] : size_of(in, factor);
  const auto ratio = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
  if (options.align_corners) return {in, out, out > 1 ? ratio(in - 1, out - 1) : 0};
  // As in PyTorch: where these keep the size, a factor that floor() took something from changes nothing.
  const bool keeps =
      in == out && rank_of(options.mode) > 0 && (options.antialias || options.mode != InterpolateMode::bicubic);
  return {in, out, factor == 0 || keeps || options.recompute_scale_factor ? ratio(in, out) : 1 / factor};
}

}  // namespace

ScaleFactor::ScaleFactor(std::initializer_list<double> each) : count_(each.size()) {
  check(each.size() <= factors_.size(), "interpolate: ", each.size(), " scale factors; there are at most 3");
  std::copy(each.begin(), each.end(), factors_.begin());
}

Tensor interpolate(Operand x, const InterpolateOptions& options) {
  check_options(*x, options);
  const std::size_t rank = x->dim() - 2;
  const Shape size = options.size.empty() ? Shape() : detail::per_axis("interpolate", "size", options.size, rank, 1);
  const detail::MaybeOwned computed = detail::widened(*x);
  Tensor y = *computed;
  detail::with_memory_for("interpolate", [&] {
    std::vector<std::pair<std::size_t, Axis>> axes;
    for (std::size_t i = 0; i < rank; ++i) axes.emplace_back(i + 2, axis_of(x->shape()[i + 2], i, size, options));
    // What shrinks most comes first: less is left to do for the others.
    std::stable_sort(axes.begin(), axes.end(), [](const auto& a, const auto& b) {
      return a.second.out * b.second.in < b.second.out * a.second.in;
    });
    for (const auto& [at, axis] : axes) {
      auto matrix = std::make_shared<const Resampling>(resampling(axis, options));
      if (!matrix->is_identity()) y = apply(Resample{at, std::move(matrix)}, y);
    }
  });
  return detail::narrowed(std::move(y), x->dtype());
}

}  // namespace xgrad
