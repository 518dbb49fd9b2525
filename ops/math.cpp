#include "math.hpp"

#include <cmath>
#include <numbers>

#include "arithmetic.hpp"
#include "comparison.hpp"
#include "elementwise_samples.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using namespace detail;

/// Whether any |x| is beyond 2^31, where the sine of a lane is NaN.
template <class T>
bool any_wide(const T* x, std::int64_t n) {
  using Bits = lane_math::Bits<T>;
  Bits wide = 0;
  vectorized([=, &wide] {
    Bits found = 0;
    for (std::int64_t i = 0; i < n; ++i)
      found |= lane_math::bits(lane_math::abs(x[i])) > lane_math::bits(T(0x1p31)) ? Bits(1) : Bits(0);
    wide = found;
  });
  return wide != 0;
}

/// A function of lanes whose last argument is an angle, and the same function of numbers, right for any angle.
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
  const std::array<const Tensor*, 1 + sizeof...(more)> all = {&first, &more...};
  return dispatch_floating(op, first.dtype(), [&](auto zero) {
    using T = decltype(zero);
    MapLoop loop = make_map_loop<F, T, std::conditional_t<true, T, More>...>(op, f);
    loop.loop = angle_loop<F, Wide, T, std::conditional_t<true, T, More>...>;
    loop.context = &function;
    return run_map(loop, all);
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

// Derivatives without the rounding of x^2, for lanes and tensors.

/// e^-(x^2)
template <class T>
[[gnu::always_inline]] inline real<T> gaussian(const real<T>& x) {
  return {lane_math::gaussian(x.v)};
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
  const DType dtype = promote(promote(y->dtype(), x->dtype()), DType::float32);
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
  check(n >= 0 && n <= lane_math::max_polygamma_order, "polygamma: n is ", n, ", expected 0 to ",
        lane_math::max_polygamma_order);
  return apply(Polygamma{static_cast<int>(n)}, floating(*x));
}
Tensor floor(Operand x) { return apply(Floor{}, floating(*x)); }

namespace detail {

// Shifted, because PyTorch's trigamma, the derivative, has nine digits near 1.
static const char* const digamma_of_x = "torch.digamma(x[0] + 20) - (1 / (x[0][..., None] + torch.arange(20))).sum(-1)";

std::span<const OpInfo> math_ops() {
  static const OpInfo ops[] = {
      {"exp", "math", "e^x", true, [] { return unary_samples("torch.exp(x[0])", [](auto& x) { return exp(x); }); },
       [] { return unary_errors([](auto& x) { return exp(x); }); }},
      {"expm1", "math", "e^x - 1", true,
       [] { return unary_samples("torch.expm1(x[0])", [](auto& x) { return expm1(x); }); },
       [] { return unary_errors([](auto& x) { return expm1(x); }); }},
      {"log", "math", "log(x)", true,
       [] {
         return unary_samples("torch.log(x[0])", [](auto& x) { return log(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return log(x); }); }},
      {"log1p", "math", "log(1 + x)", true,
       [] {
         return unary_samples("torch.log1p(x[0])", [](auto& x) { return log1p(x); }, {-0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return log1p(x); }); }},
      {"sqrt", "math", "sqrt(x)", true,
       [] {
         return unary_samples("torch.sqrt(x[0])", [](auto& x) { return sqrt(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return sqrt(x); }); }},
      {"rsqrt", "math", "1 / sqrt(x)", true,
       [] {
         return unary_samples("torch.rsqrt(x[0])", [](auto& x) { return rsqrt(x); }, {0.5, 2});
       },
       [] { return unary_errors([](auto& x) { return rsqrt(x); }); }},
      {"sin", "math", "sin(x)", true, [] { return unary_samples("torch.sin(x[0])", [](auto& x) { return sin(x); }); },
       [] { return unary_errors([](auto& x) { return sin(x); }); }},
      {"cos", "math", "cos(x)", true, [] { return unary_samples("torch.cos(x[0])", [](auto& x) { return cos(x); }); },
       [] { return unary_errors([](auto& x) { return cos(x); }); }},
      {"tan", "math", "sin(x) / cos(x)", true,
       [] {
         return unary_samples("torch.tan(x[0])", [](auto& x) { return tan(x); }, {-1, 1});
       },
       [] { return unary_errors([](auto& x) { return tan(x); }); }},
      {"asin", "math", "the angle whose sine is x", true,
       [] {
         return unary_samples("torch.asin(x[0])", [](auto& x) { return asin(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return asin(x); }); }},
      {"acos", "math", "the angle whose cosine is x", true,
       [] {
         return unary_samples("torch.acos(x[0])", [](auto& x) { return acos(x); }, {-0.9, 0.9});
       },
       [] { return unary_errors([](auto& x) { return acos(x); }); }},
      {"atan", "math", "the angle whose tangent is x", true,
       [] { return unary_samples("torch.atan(x[0])", [](auto& x) { return atan(x); }); },
       [] { return unary_errors([](auto& x) { return atan(x); }); }},
      {"atan2", "math", "the angle of the point (x, y)", true,
       [] {
         return binary_samples("torch.atan2(x[0], x[1])", [](auto& y, auto& x) { return atan2(y, x); }, {0.5, 2}) +
                binary_samples("torch.atan2(x[0], x[1])", [](auto& y, auto& x) { return atan2(y, x); }, {-2, -0.5});
       },
       [] { return binary_errors([](auto& y, auto& x) { return atan2(y, x); }); }},
      {"sinh", "math", "(e^x - e^-x) / 2", true,
       [] { return unary_samples("torch.sinh(x[0])", [](auto& x) { return sinh(x); }); },
       [] { return unary_errors([](auto& x) { return sinh(x); }); }},
      {"cosh", "math", "(e^x + e^-x) / 2", true,
       [] { return unary_samples("torch.cosh(x[0])", [](auto& x) { return cosh(x); }); },
       [] { return unary_errors([](auto& x) { return cosh(x); }); }},
      {"tanh", "math", "(e^x - e^-x) / (e^x + e^-x)", true,
       [] { return unary_samples("torch.tanh(x[0])", [](auto& x) { return tanh(x); }); },
       [] { return unary_errors([](auto& x) { return tanh(x); }); }},
      {"sigmoid", "math", "1 / (1 + e^-x)", true,
       [] { return unary_samples("torch.sigmoid(x[0])", [](auto& x) { return sigmoid(x); }); },
       [] { return unary_errors([](auto& x) { return sigmoid(x); }); }},
      {"erf", "math", "2 / sqrt(pi) integral of e^(-t^2) from 0 to x", true,
       [] { return unary_samples("torch.erf(x[0])", [](auto& x) { return erf(x); }); },
       [] { return unary_errors([](auto& x) { return erf(x); }); }},
      {"erfc", "math", "1 - erf(x)", true,
       [] { return unary_samples("torch.erfc(x[0])", [](auto& x) { return erfc(x); }); },
       [] { return unary_errors([](auto& x) { return erfc(x); }); }},
      {"lgamma", "math", "log |gamma(x)|", true,
       [] {
         return unary_samples("torch.lgamma(x[0])", [](auto& x) { return lgamma(x); }, {0.5, 3}) +
                unary_samples("torch.lgamma(x[0])", [](auto& x) { return lgamma(x); }, {-2.7, -2.3});
       },
       [] { return unary_errors([](auto& x) { return lgamma(x); }); }},
      {"digamma", "math", "derivative of lgamma(x)", true,
       [] {
         return unary_samples(digamma_of_x, [](auto& x) { return digamma(x); }, {0.5, 3}) +
                unary_samples(digamma_of_x, [](auto& x) { return digamma(x); }, {-1.7, -1.3});
       },
       [] { return unary_errors([](auto& x) { return digamma(x); }); }},
      {"polygamma", "math", "n-th derivative of digamma(x)", true,
       [] {
         return unary_samples(digamma_of_x, [](auto& x) { return polygamma(0, x); }, {0.5, 3}) +
                unary_samples("torch.special.zeta(2, x[0])", [](auto& x) { return polygamma(1, x); }, {0.5, 3}) +
                unary_samples("torch.polygamma(3, x[0])", [](auto& x) { return polygamma(3, x); }, {0.5, 3});
       },
       [] {
         return unary_errors([](auto& x) { return polygamma(1, x); }) +
                std::vector<OpError>{{[] { polygamma(-1, ones({2})); }, "polygamma: n is -1, expected 0 to 64"},
                                     {[] { polygamma(65, ones({2})); }, "polygamma: n is 65, expected 0 to 64"}};
       }},
      {"floor", "math", "the largest integer not above x", false,
       [] { return unary_samples("torch.floor(x[0])", [](auto& x) { return floor(x); }); },
       [] { return unary_errors([](auto& x) { return floor(x); }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
