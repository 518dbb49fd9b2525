#include "math.hpp"

#include <cmath>
#include <numbers>

#include "../autograd/create.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using namespace detail;

/// Whether any |x| is beyond 2^31, where the sine of a dual is NaN.
template <class T>
bool any_wide(const T* x, std::int64_t n) {
  using Bits = elementary::Bits<T>;
  Bits wide = 0;
  vectorized([=, &wide] {
    Bits found = 0;
    for (std::int64_t i = 0; i < n; ++i)
      found |= elementary::bits(elementary::abs(x[i])) > elementary::bits(T(0x1p31)) ? Bits(1) : Bits(0);
    wide = found;
  });
  return wide != 0;
}

/// A function of duals whose last argument is an angle, and the same function of numbers, right for any angle.
template <class F, class Wide>
struct OfAngle {
  F f;
  Wide wide;
};

template <class F, class Wide, class T, class... In>
void angle_loop(const void* context, std::int64_t n, std::byte* const* pointers) {
  const auto& function = *static_cast<const OfAngle<F, Wide>*>(context);
  map_loop<F, In..., T>(&function.f, n, pointers);
  const auto at = [&](std::size_t i) { return reinterpret_cast<const T*>(pointers[i]); };
  const T* angle = at(1 + sizeof...(In));
  if (!any_wide(angle, n)) return;
  T* out = reinterpret_cast<T*>(pointers[0]);
  for (std::int64_t i = 0; i < n; ++i) {
    if (std::abs(angle[i]) <= T(0x1p31)) continue;
    if constexpr (sizeof...(In) == 0)
      out[i] = function.wide(angle[i]);
    else
      out[i] = function.wide(at(1)[i], angle[i]);
  }
}

/// map for functions of an angle. The few wide angles are computed again by `wide`.
template <class F, class Wide, class... More>
Tensor map_angle(const char* op, F f, Wide wide, const Tensor& first, const More&... more) {
  const OfAngle<F, Wide> function{f, wide};
  const std::array<const Array*, 1 + sizeof...(more)> all = {&first.array(), &more.array()...};
  return dispatch_floating(op, compute_dtype(first.dtype()), [&](auto zero) {
    using T = decltype(zero);
    MapLoop loop = make_map_loop<F, T, std::conditional_t<true, T, More>...>(op, f);
    loop.loop = angle_loop<F, Wide, T, std::conditional_t<true, T, More>...>;
    loop.context = &function;
    Tensor out = unallocated();
    run_map(loop, out.impl(), all);
    return out;
  });
}

struct Sin {
  static constexpr const char* name = "sin";
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return map_angle(
        name, [](const auto& v) { return sin(v); }, [](auto v) { return std::sin(v); }, input);
  }
  Tensor backward(const Tensor& grad) const {
    if (is_grad_enabled()) return grad * cos(x);
    return map_angle(
        name, [](const auto& g, const auto& v) { return g * cos(v); }, [](auto g, auto v) { return g * std::cos(v); },
        grad, x.get());
  }
};

struct Cos {
  static constexpr const char* name = "cos";
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return map_angle(
        name, [](const auto& v) { return cos(v); }, [](auto v) { return std::cos(v); }, input);
  }
  Tensor backward(const Tensor& grad) const {
    if (is_grad_enabled()) return grad * -sin(x);
    return map_angle(
        name, [](const auto& g, const auto& v) { return g * -sin(v); }, [](auto g, auto v) { return g * -std::sin(v); },
        grad, x.get());
  }
};

struct Tan {
  static constexpr const char* name = "tan";
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor out = map_angle(
        name, [](const auto& v) { return tan(v); }, [](auto v) { return std::tan(v); }, x);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    return fused(
        name, [](const auto& g, const auto& out) { return g * (1 + out * out); }, grad, y);
  }
};

// Derivatives without the rounding of x^2, for duals and tensors.

/// e^-(x^2)
template <class T>
[[gnu::always_inline]] inline real<T> gaussian(const real<T>& x) {
  return {elementary::gaussian(x.v)};
}
Tensor gaussian(const Tensor& x) {
  return function_of_input<"erf">(
      x, [](const auto& v) { return gaussian(v); },
      [](const auto& g, const auto& v) { return g * (-2 * v * gaussian(v)); });
}

/// 1 / sqrt(1 - x^2). Of tensors it is an operation of its own, for the derivative of the product (1 - x) (1 + x) is
/// NaN at 1 and -1.
template <class T>
[[gnu::always_inline]] inline real<T> asin_slope(const real<T>& x) {
  return rsqrt((1 - x) * (1 + x));
}
Tensor asin_slope(const Tensor& x) {
  return function_of_input<"asin">(
      x, [](const auto& v) { return asin_slope(v); },
      [](const auto& g, const auto& v) {
        const auto slope = asin_slope(v);
        return g * (v * (slope * slope * slope));
      });
}

struct Atan2 {
  static constexpr const char* name = "atan2";
  Saved y = {}, x = {};
  Tensor forward(const Tensor& up, const Tensor& right) {
    y = up, x = right;
    return map(
        name, [](const auto& a, const auto& b) { return atan2(a, b); }, up, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_y = [](const auto& g, const auto& a, const auto& b) { return g * atan2_slopes(a, b).by_y; };
    const auto by_x = [](const auto& g, const auto& a, const auto& b) { return g * atan2_slopes(a, b).by_x; };
    return {needs[0] ? fused(name, by_y, grad, y, x) : Tensor(), needs[1] ? fused(name, by_x, grad, y, x) : Tensor()};
  }
};

struct Polygamma {
  static constexpr const char* name = "polygamma";
  int n;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return map(
        name, [n = n](const auto& v) { return polygamma(n, v); }, input);
  }
  Tensor backward(const Tensor& grad) const { return grad * polygamma(n + 1, x); }
};

struct Floor {
  static constexpr const char* name = "floor";
  Tensor forward(const Tensor& x) {
    return map(
        name, [](const auto& v) { return floor(v); }, x);
  }
  Tensor backward(const Tensor& grad) const { return zeros_like(grad); }
};

}  // namespace

Tensor exp(Operand x) {
  return function_of_output<"exp">(
      *x, [](const auto& v) { return exp(v); }, [](const auto& g, const auto& y) { return g * y; });
}
Tensor expm1(Operand x) {
  return function_of_output<"expm1">(
      *x, [](const auto& v) { return expm1(v); }, [](const auto& g, const auto& y) { return g * (y + 1); });
}
Tensor log(Operand x) {
  return function_of_input<"log">(
      *x, [](const auto& v) { return log(v); }, [](const auto& g, const auto& v) { return g / v; });
}
Tensor log1p(Operand x) {
  return function_of_input<"log1p">(
      *x, [](const auto& v) { return log1p(v); }, [](const auto& g, const auto& v) { return g / (1 + v); });
}
Tensor sqrt(Operand x) {
  return function_of_output<"sqrt">(
      *x, [](const auto& v) { return sqrt(v); }, [](const auto& g, const auto& y) { return g / (2 * y); });
}
Tensor rsqrt(Operand x) {
  return function_of_output<"rsqrt">(
      *x, [](const auto& v) { return rsqrt(v); },
      [](const auto& g, const auto& y) { return g * (-0.5 * y * (y * y)); });
}
Tensor sin(Operand x) { return apply(Sin{}, floating(*x)); }
Tensor cos(Operand x) { return apply(Cos{}, floating(*x)); }
Tensor tan(Operand x) { return apply(Tan{}, floating(*x)); }
Tensor asin(Operand x) {
  return function_of_input<"asin">(
      *x, [](const auto& v) { return asin(v); }, [](const auto& g, const auto& v) { return g * asin_slope(v); });
}
Tensor acos(Operand x) {
  return function_of_input<"acos">(
      *x, [](const auto& v) { return acos(v); }, [](const auto& g, const auto& v) { return g * -asin_slope(v); });
}
Tensor atan(Operand x) {
  return function_of_input<"atan">(
      *x, [](const auto& v) { return atan(v); }, [](const auto& g, const auto& v) { return g * atan_slope(v); });
}
Tensor atan2(Operand y, Operand x) {
  const DType dtype = at_least(promote(y->dtype(), x->dtype()), DType::float32);
  return apply(Atan2{}, y->to(dtype), x->to(dtype));
}
Tensor sinh(Operand x) {
  return function_of_input<"sinh">(
      *x, [](const auto& v) { return sinh(v); }, [](const auto& g, const auto& v) { return g * cosh(v); });
}
Tensor cosh(Operand x) {
  return function_of_input<"cosh">(
      *x, [](const auto& v) { return cosh(v); }, [](const auto& g, const auto& v) { return g * sinh(v); });
}
Tensor tanh(Operand x) {
  return function_of_output<"tanh">(
      *x, [](const auto& v) { return tanh(v); }, [](const auto& g, const auto& y) { return g * (1 - y * y); });
}
Tensor sigmoid(Operand x) {
  return function_of_output<"sigmoid">(
      *x, [](const auto& v) { return sigmoid(v); }, [](const auto& g, const auto& y) { return g * ((1 - y) * y); });
}
Tensor erf(Operand x) {
  return function_of_input<"erf">(
      *x, [](const auto& v) { return erf(v); },
      [](const auto& g, const auto& v) { return g * (2 * std::numbers::inv_sqrtpi * gaussian(v)); });
}
Tensor erfc(Operand x) {
  return function_of_input<"erfc">(
      *x, [](const auto& v) { return erfc(v); },
      [](const auto& g, const auto& v) { return g * (-2 * std::numbers::inv_sqrtpi * gaussian(v)); });
}
Tensor lgamma(Operand x) {
  return function_of_input<"lgamma">(
      *x, [](const auto& v) { return lgamma(v); }, [](const auto& g, const auto& v) { return g * digamma(v); });
}
Tensor digamma(Operand x) {
  return function_of_input<"digamma">(
      *x, [](const auto& v) { return digamma(v); }, [](const auto& g, const auto& v) { return g * polygamma(1, v); });
}
Tensor polygamma(std::int64_t n, Operand x) {
  check(n >= 0 && n <= elementary::max_polygamma_order, "polygamma: n is ", n, ", expected 0 to ",
        elementary::max_polygamma_order);
  return apply(Polygamma{static_cast<int>(n)}, floating(*x));
}
Tensor floor(Operand x) { return is_floating(x->dtype()) ? apply(Floor{}, *x) : *x; }

}  // namespace xgrad
