// The incomplete gamma and beta functions of special.hpp, and their inverses.

#include "../kernels/incomplete.hpp"

#include "../autograd/apply.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "map.hpp"
#include "math.hpp"
#include "special.hpp"

namespace xgrad {

namespace {

using namespace detail;

/// log(x), and 0 where there is none: densities there are 0 or infinite already.
Tensor log_within(const Tensor& x) {
  const Tensor inside = x > 0;
  return where(inside, log(where(inside, x, 1)), 0);
}

/// x^(a-1) e^-x / gamma(a), differentiated so many times by a.
Tensor gamma_density(int order, const Tensor& a, const Tensor& x) {
  const Tensor density = exp(xlogy(a - 1, x) - x - lgamma(a));
  if (order == 0) return density;
  const Tensor slope = log_within(x) - digamma(a);
  return density * (order == 1 ? slope : square(slope) - polygamma(1, a));
}

/// P(a, x), or Q(a, x), differentiated so many times by a.
struct IncompleteGamma {
  const char* name;
  static constexpr bool elementwise = true;
  bool upper;
  int order = 0;
  Saved a = {}, x = {};

  struct Value {
    bool upper;
    int order;
    template <class T>
    real<T> operator()(const real<T>& first, const real<T>& second) const {
      const double shape = first.v, at = second.v;
      if (order == 0)
        return {static_cast<T>(upper ? elementary::gammaincc(shape, at) : elementary::gammainc(shape, at))};
      const double y = elementary::gammainc_by_a(order, shape, at);
      return {static_cast<T>(upper ? -y : y)};
    }
  };
  Tensor forward(const Tensor& shape, const Tensor& at) {
    a = shape, x = at;
    return map(name, Value{upper, order}, shape, at);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    check(!needs[0] || order < 2, name, ": a third derivative by a is asked for; there are two");
    std::array<Tensor, 2> gradients;
    if (needs[0]) gradients[0] = grad * apply(IncompleteGamma{name, upper, order + 1}, a.get(), x.get());
    if (needs[1]) gradients[1] = (upper ? -grad : grad) * gamma_density(order, a, x);
    return gradients;
  }
};

struct InverseGamma {
  static constexpr const char* name = "gammaincinv";
  static constexpr bool elementwise = true;
  Saved a = {}, x = {};
  struct Value {
    template <class T>
    real<T> operator()(const real<T>& shape, const real<T>& p) const {
      return {static_cast<T>(elementary::gammaincinv(shape.v, p.v))};
    }
  };
  Tensor forward(const Tensor& shape, const Tensor& p) {
    const Tensor out = map(name, Value{}, shape, p);
    a = shape, x = out;
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const Tensor by_p = grad / gamma_density(0, a, x);
    return {needs[0] ? -by_p * apply(IncompleteGamma{"gammainc", false, 1}, a.get(), x.get()) : Tensor(), by_p};
  }
};

/// x^(a-1) (1-x)^(b-1) / beta(a, b), differentiated so many times by a and by b.
Tensor beta_density(int by_a, int by_b, const Tensor& a, const Tensor& b, const Tensor& x) {
  const Tensor density = exp(xlogy(a - 1, x) + xlogy(b - 1, 1 - x) - betaln(a, b));
  if (by_a + by_b == 0) return density;
  const Tensor of_sum = digamma(a + b);
  const auto slope = [&](bool first) {
    return first ? log_within(x) - digamma(a) + of_sum : log_within(1 - x) - digamma(b) + of_sum;
  };
  if (by_a + by_b == 1) return density * slope(by_a == 1);
  const Tensor curvature = polygamma(1, a + b);
  if (by_a == 1) return density * (slope(true) * slope(false) + curvature);
  return density * (square(slope(by_a == 2)) + curvature - polygamma(1, by_a == 2 ? a : b));
}

/// I(a, b, x), differentiated so many times by a and by b.
struct IncompleteBeta {
  static constexpr const char* name = "betainc";
  static constexpr bool elementwise = true;
  int by_a = 0, by_b = 0;
  Saved a = {}, b = {}, x = {};

  struct Value {
    int by_a, by_b;
    template <class T>
    real<T> operator()(const real<T>& first, const real<T>& second, const real<T>& third) const {
      const double p = first.v, q = second.v, at = third.v;
      return {static_cast<T>(by_a + by_b == 0 ? elementary::betainc(p, q, at, 1 - at)
                                              : elementary::betainc_by(by_a, by_b, p, q, at, 1 - at))};
    }
  };
  Tensor forward(const Tensor& first, const Tensor& second, const Tensor& at) {
    a = first, b = second, x = at;
    return map(name, Value{by_a, by_b}, first, second, at);
  }
  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    check((!needs[0] && !needs[1]) || by_a + by_b < 2, name,
          ": a third derivative by a and b is asked for; there are two");
    const auto by_parameter = [&](int more_a, int more_b) {
      return grad * apply(IncompleteBeta{by_a + more_a, by_b + more_b}, a.get(), b.get(), x.get());
    };
    return {needs[0] ? by_parameter(1, 0) : Tensor(), needs[1] ? by_parameter(0, 1) : Tensor(),
            needs[2] ? grad * beta_density(by_a, by_b, a, b, x) : Tensor()};
  }
};

struct InverseBeta {
  static constexpr const char* name = "betaincinv";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {}, x = {};
  struct Value {
    template <class T>
    real<T> operator()(const real<T>& first, const real<T>& second, const real<T>& p) const {
      return {static_cast<T>(elementary::betaincinv(first.v, second.v, p.v))};
    }
  };
  Tensor forward(const Tensor& first, const Tensor& second, const Tensor& p) {
    const Tensor out = map(name, Value{}, first, second, p);
    a = first, b = second, x = out;
    return out;
  }
  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    const Tensor by_p = grad / beta_density(0, 0, a, b, x);
    const auto by_parameter = [&](int of_a, int of_b) {
      return -by_p * apply(IncompleteBeta{of_a, of_b}, a.get(), b.get(), x.get());
    };
    return {needs[0] ? by_parameter(1, 0) : Tensor(), needs[1] ? by_parameter(0, 1) : Tensor(), by_p};
  }
};

/// The operation on tensors in their common floating dtype.
template <class Op>
Tensor applied(const Op& op, const std::same_as<Tensor> auto&... x) {
  DType dtype = DType::bool_;
  ((dtype = promote(dtype, x.dtype())), ...);
  return apply(op, converted(x, at_least(dtype, DType::float32))...);
}

}  // namespace

Tensor gammainc(Operand a, Operand x) { return applied(IncompleteGamma{"gammainc", false}, *a, *x); }
Tensor gammaincc(Operand a, Operand x) { return applied(IncompleteGamma{"gammaincc", true}, *a, *x); }
Tensor gammaincinv(Operand a, Operand p) { return applied(InverseGamma{}, *a, *p); }
Tensor betainc(Operand a, Operand b, Operand x) { return applied(IncompleteBeta{}, *a, *b, *x); }
Tensor betaincinv(Operand a, Operand b, Operand p) { return applied(InverseBeta{}, *a, *b, *p); }

}  // namespace xgrad
