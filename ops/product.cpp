#include "product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/create.hpp"
#include "../kernels/reduction.hpp"
#include "arithmetic.hpp"
#include "broadcast.hpp"
#include "comparison.hpp"
#include "joining.hpp"
#include "map.hpp"
#include "math.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A partial product below the normal numbers becomes 0, so that a result other than 0, infinity and NaN has lost no
/// digits.
template <class T, class P>
struct Product {
  using Element = T;
  using Partial = P;
  static constexpr bool centred = false;
  static constexpr P identity = 1;
  [[gnu::always_inline]] static P lift(T x, T) { return static_cast<P>(x); }
  [[gnu::always_inline]] static P combine(P a, P b) {
    const P product = a * b;
    if constexpr (std::is_floating_point_v<P>)
      return elementary::select(elementary::abs(product) < elementary::Format<P>::min_normal, P(0), product);
    else
      return product;
  }
};

template <class T, class F>
bool any(const Tensor& x, const F& f) {
  const T* const at = reinterpret_cast<const T*>(x.impl().data);  // dense, in some order
  return std::any_of(at, at + x.numel(), f);
}

/// Whether the product of some of the elements behind a result may leave the range of the dtype: by their |log |x||,
/// and 0 for those that stay what they are in a product: 0, infinity and NaN.
bool may_leave_range(const Tensor& x, const detail::ReducedShape& shape) {
  return dispatch_floating("prod", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto log_size = [](const auto& v) {
      const auto a = abs(v);
      return abs(log(where(a > 0 && a < infinity, a, 1)));
    };
    const T limit = elementary::is_float<T> ? T(87) : T(708);  // below the logarithm of the smallest normal number's
    return any<T>(detail::sums(detail::map("prod", log_size, x), shape), [=](T size) { return !(size <= limit); });
  });
}

/// value times 2^exponent, both float64 tensors of one shape. The exponent is a constant for derivatives.
struct Scaled {
  Tensor value, exponent;
};

/// With a value of 1 to 2, unless it is 0, infinite, NaN or below the normal numbers.
Scaled normalized(const Tensor& value, const Tensor& exponent) {
  using F = elementary::Format<double>;
  const auto exponent_of = [](const auto& v) {
    const double a = elementary::abs(static_cast<double>(v.v));
    const bool counts = elementary::both(a > 0, a < F::infinity);
    const std::uint64_t biased = elementary::bits(elementary::select(counts, a, 1.0)) >> F::mantissa;
    return real<decltype(v.v)>{static_cast<decltype(v.v)>(static_cast<std::int64_t>(biased) - 1023)};
  };
  const Tensor shift = detail::map("prod", exponent_of, value);
  return {value * pow(2.0, -shift), exponent + shift};
}
Scaled scaled(const Tensor& x) {
  const Tensor value = x.to(float64);
  return normalized(value, zeros_like(value));
}
Tensor unscaled(const Scaled& x) {
  const Tensor exponent = clamp(x.exponent, -2000, 2000), half = floor(0.5 * exponent);  // 2^exponent may be infinite
  return x.value * pow(2.0, half) * pow(2.0, exponent - half);
}

Scaled operator*(const Scaled& a, const Scaled& b) { return normalized(a.value * b.value, a.exponent + b.exponent); }

Scaled ones_like(const Scaled& x) { return {xgrad::ones_like(x.value), zeros_like(x.exponent)}; }

std::int64_t length(const Tensor& x) { return x.size(-1); }
std::int64_t length(const Scaled& x) { return x.value.size(-1); }

Tensor part(const Tensor& x, std::int64_t begin, std::int64_t end = INT64_MAX) { return slice(x, -1, begin, end); }
Scaled part(const Scaled& x, std::int64_t begin, std::int64_t end = INT64_MAX) {
  return {part(x.value, begin, end), part(x.exponent, begin, end)};
}

Tensor joined(const std::vector<Tensor>& parts) { return concat(parts, -1); }
Scaled joined(const std::vector<Scaled>& parts) {
  std::vector<Tensor> values, exponents;
  for (const Scaled& each : parts) values.push_back(each.value), exponents.push_back(each.exponent);
  return {joined(values), joined(exponents)};
}

/// The product along the last axis, which becomes 1 long.
Scaled product(Scaled x) {
  while (length(x) > 1) {
    const std::int64_t half = length(x) / 2;
    x = joined(std::vector{part(x, 0, half) * part(x, half, 2 * half), part(x, 2 * half)});
  }
  return x;
}

/// For each element the product of the others along the last axis, without dividing, and with derivatives of any order:
/// those of the first half are those of the second times the other half's, and so on down to one element.
template <class X>
X product_of_others(const X& x) {
  const std::int64_t n = length(x), half = n / 2;
  if (n < 2) return ones_like(x);
  const X a = part(x, 0, half), b = part(x, half, 2 * half), left = part(x, 2 * half);
  const X outer = product_of_others(n % 2 ? joined(std::vector{a * b, left}) : a * b);
  const X both = part(outer, 0, half);
  return joined(std::vector{both * b, both * a, part(outer, half)});
}

/// Axes to reduce as the last one of rows, and back.
struct Rows {
  Shape order, sizes, back;
  Rows(const Shape& shape, const Shape& axes) : back(Shape::filled(shape.size(), 0)) {
    std::int64_t count = 1;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) == axes.end()) {
        order.push_back(static_cast<std::int64_t>(axis));
        sizes.push_back(shape[axis]);
      }
    for (const std::int64_t axis : axes) {
      order.push_back(axis);
      count *= shape[static_cast<std::size_t>(axis)];
    }
    sizes.push_back(count);
    for (std::size_t i = 0; i < order.size(); ++i)
      back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
};

struct Prod {
  static constexpr const char* name = "prod";
  detail::ReducedShape shape;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    if (input.dtype() == int64)
      return Tensor(detail::run_reduction(Product<std::int64_t, std::uint64_t>{}, input, shape));
    return dispatch_floating(name, input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const Tensor out(detail::run_reduction(Product<T, T>{}, input, shape));
      const bool ordinary = !any<T>(out, [](T y) { return !(y != 0 && std::isfinite(y)); });
      if (ordinary || !may_leave_range(input, shape)) return out;
      const Rows rows(input.shape(), shape.axes());
      const Scaled exact = product(scaled(reshape(permute(input, rows.order), rows.sizes)));
      return reshape(unscaled(exact).to(input.dtype()), shape.result());
    });
  }
  Tensor backward(const Tensor& grad) const { return weighted(detail::broadcast_over(grad, shape)); }
  Tensor jvp(const Tensor& dx) const { return detail::sum_over(weighted(dx), shape); }

 private:
  /// g times the product of the others, which may be beyond the range of the dtype: in float64 then.
  Tensor weighted(const Tensor& g) const {
    const Tensor in = x;
    const Rows to(in.shape(), shape.axes());
    const Tensor permuted = permute(in, to.order), rows = reshape(permuted, to.sizes);
    const Tensor others =
        may_leave_range(in, shape) ? unscaled(product_of_others(scaled(rows))) : product_of_others(rows);
    return (g * permute(reshape(others, permuted.shape()), to.back)).to(in.dtype());
  }
};

}  // namespace

Tensor prod(Operand x, const Axes& axes, const SumOptions& options) {
  const detail::MaybeOwned numbers = detail::in_float32(*x);
  const Tensor in = numbers->to(options.dtype.value_or(numbers->dtype()));
  Tensor product = apply(Prod{{"prod", x->shape(), axes, options.keepdim}}, detail::widened(in));
  return options.dtype || is_floating(in.dtype()) ? detail::narrowed(std::move(product), in.dtype()) : product;
}

}  // namespace xgrad
