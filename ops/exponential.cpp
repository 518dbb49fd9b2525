#include "exponential.hpp"

#include <cmath>
#include <numbers>

#include "../kernels/special.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "math.hpp"
#include "pointwise.hpp"

namespace xgrad {

namespace {

using detail::PointwiseFunction;
using detail::PointwisePair;
using std::numbers::ln10;
using std::numbers::ln2;

constexpr PointwiseFunction of_log2{"log2", [](double x) { return std::log2(x); },
                                    [](auto& g, auto& x, auto&) { return g / (x * ln2); }};
constexpr PointwiseFunction of_log10{"log10", [](double x) { return std::log10(x); },
                                     [](auto& g, auto& x, auto&) { return g / (x * ln10); }};
constexpr PointwiseFunction of_exp2{"exp2", [](double x) { return std::exp2(x); },
                                    [](auto& g, auto&, auto& y) { return g * (y * ln2); }};
constexpr PointwiseFunction of_asinh{"asinh", [](double x) { return std::asinh(x); },
                                     [](auto& g, auto& x, auto&) { return g / sqrt(1 + x * x); }};
constexpr PointwiseFunction of_acosh{"acosh", [](double x) { return std::acosh(x); },
                                     [](auto& g, auto& x, auto&) { return g / (sqrt(x - 1) * sqrt(x + 1)); }};
constexpr PointwiseFunction of_atanh{"atanh", [](double x) { return std::atanh(x); },
                                     [](auto& g, auto& x, auto&) { return g / ((1 - x) * (1 + x)); }};

/// a / y, 0 where both are.
Tensor part_of(const Tensor& a, const Tensor& y) { return a / where(y == 0, 1, y); }
constexpr PointwisePair of_hypot{"hypot", [](double a, double b) { return std::hypot(a, b); },
                                 [](auto& g, auto& a, auto&, auto& y) { return g * part_of(a, y); },
                                 [](auto& g, auto&, auto& b, auto& y) { return g * part_of(b, y); }};

/// a - b, and 0 for equal infinities.
Tensor ahead(const Tensor& a, const Tensor& b) { return where(isinf(a) && a == b, 0, a - b); }
constexpr PointwisePair of_logaddexp{"logaddexp", elementary::logaddexp,
                                     [](auto& g, auto& a, auto& b, auto&) { return g * sigmoid(ahead(a, b)); },
                                     [](auto& g, auto& a, auto& b, auto&) { return g * sigmoid(ahead(b, a)); }};
constexpr PointwisePair of_logaddexp2{"logaddexp2", elementary::logaddexp2,
                                      [](auto& g, auto& a, auto& b, auto&) { return g * sigmoid(ln2 * ahead(a, b)); },
                                      [](auto& g, auto& a, auto& b, auto&) { return g * sigmoid(ln2 * ahead(b, a)); }};

}  // namespace

Tensor log2(Operand x) { return detail::pointwise(of_log2, *x); }
Tensor log10(Operand x) { return detail::pointwise(of_log10, *x); }
Tensor exp2(Operand x) { return detail::pointwise(of_exp2, *x); }
Tensor logaddexp(Operand a, Operand b) { return detail::pointwise(of_logaddexp, *a, *b); }
Tensor logaddexp2(Operand a, Operand b) { return detail::pointwise(of_logaddexp2, *a, *b); }
Tensor asinh(Operand x) { return detail::pointwise(of_asinh, *x); }
Tensor acosh(Operand x) { return detail::pointwise(of_acosh, *x); }
Tensor atanh(Operand x) { return detail::pointwise(of_atanh, *x); }
Tensor hypot(Operand a, Operand b) { return detail::pointwise(of_hypot, *a, *b); }

}  // namespace xgrad
