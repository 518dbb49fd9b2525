#include "special.hpp"

#include <cmath>
#include <numbers>

#include "../autograd/apply.hpp"
#include "../kernels/special.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "map.hpp"
#include "math.hpp"
#include "pointwise.hpp"

namespace xgrad {

namespace {

using namespace detail;

constexpr PointwiseFunction of_erfinv{"erfinv", elementary::erfinv, [](auto& g, auto&, auto& y) {
                                        return g * (0.5 / std::numbers::inv_sqrtpi * exp(y * y));
                                      }};
constexpr PointwiseFunction of_i0{"i0", elementary::i0, [](auto& g, auto& x, auto&) { return g * i1(x); }};
constexpr PointwiseFunction of_i0e{"i0e", elementary::i0e,
                                   [](auto& g, auto& x, auto& y) { return g * (i1e(x) - sign(x) * y); }};

/// y / x of an odd function y with slope 1/2 at 0.
Tensor ratio(const Tensor& y, const Tensor& x) {
  const Tensor origin = x == 0;
  return where(origin, 0.5, y / where(origin, 1, x));
}
constexpr PointwiseFunction of_i1{"i1", elementary::i1,
                                  [](auto& g, auto& x, auto& y) { return g * (i0(x) - ratio(y, x)); }};
constexpr PointwiseFunction of_i1e{"i1e", elementary::i1e,
                                   [](auto& g, auto& x, auto& y) { return g * (i0e(x) - sign(x) * y - ratio(y, x)); }};

constexpr PointwisePair of_xlogy{"xlogy", elementary::xlogy,
                                 [](auto& g, auto& x, auto& y, auto&) {
                                   const Tensor none = x == 0 && y <= 0;
                                   return g * where(none, 0, log(where(none, 1, y)));
                                 },
                                 [](auto& g, auto& x, auto& y, auto&) { return g * (x / y); }};

constexpr PointwisePair of_betaln{"betaln", elementary::betaln,
                                  [](auto& g, auto& a, auto& b, auto&) { return g * (digamma(a) - digamma(a + b)); },
                                  [](auto& g, auto& a, auto& b, auto&) { return g * (digamma(b) - digamma(a + b)); }};
constexpr PointwisePair of_beta{
    "beta", elementary::beta,
    [](auto& g, auto& a, auto& b, auto& y) { return g * (y * (digamma(a) - digamma(a + b))); },
    [](auto& g, auto& a, auto& b, auto& y) { return g * (y * (digamma(b) - digamma(a + b))); }};

/// Its derivatives of every order at 0, where a quotient has none.
struct Sinc {
  static constexpr const char* name = "sinc";
  static constexpr bool elementwise = true;
  int n = 0;
  Saved x = {};
  struct Derivative {
    int n;
    template <class T>
    real<T> operator()(const real<T>& v) const {
      return {static_cast<T>(elementary::sinc(n, static_cast<double>(v.v)))};
    }
  };
  Tensor forward(const Tensor& input) {
    x = input;
    return map(name, Derivative{n}, input);
  }
  Tensor backward(const Tensor& grad) const { return grad * apply(Sinc{n + 1}, x.get()); }
};

}  // namespace

Tensor erfinv(Operand y) { return pointwise(of_erfinv, *y); }
Tensor i0(Operand x) { return pointwise(of_i0, *x); }
Tensor i1(Operand x) { return pointwise(of_i1, *x); }
Tensor i0e(Operand x) { return pointwise(of_i0e, *x); }
Tensor i1e(Operand x) { return pointwise(of_i1e, *x); }
Tensor sinc(Operand x) { return apply(Sinc{}, converted(*x, at_least(x->dtype(), DType::float32))); }
Tensor xlogy(Operand x, Operand y) { return pointwise(of_xlogy, *x, *y); }
Tensor beta(Operand a, Operand b) { return pointwise(of_beta, *a, *b); }
Tensor betaln(Operand a, Operand b) { return pointwise(of_betaln, *a, *b); }

}  // namespace xgrad
