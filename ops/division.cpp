#include "division.hpp"

#include <cmath>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/numbers.hpp"
#include "../kernels/quotients.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "map.hpp"
#include "reduce.hpp"

namespace xgrad {

namespace {

using namespace detail;

// Of integers, -1 is a divisor of its own: the processor traps on -2^63 / -1.
std::int64_t quotient(std::int64_t a, std::int64_t b) { return b == -1 ? Negated{}(a) : a / b; }
std::int64_t rest(std::int64_t a, std::int64_t b) { return b == -1 ? 0 : a % b; }

struct TruncatedRest {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b) const {
    return {std::fmod(a.v, b.v)};
  }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return rest(a, b); }
};

struct FlooredRest {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b) const {
    return {elementary::floored_rest(a.v, b.v)};
  }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    const std::int64_t r = rest(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
};

struct TruncatedQuotient {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b) const {
    return {std::trunc(a.v / b.v)};
  }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const { return quotient(a, b); }
};

struct FlooredQuotient {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b) const {
    return {elementary::floored_quotient(a.v, b.v)};
  }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    const std::int64_t r = rest(a, b), q = quotient(a, b);
    return r != 0 && (r < 0) != (b < 0) ? q - 1 : q;
  }
};

struct RoundedDiv {
  const char* name;
  static constexpr bool elementwise = true;
  RoundingMode mode;
  Tensor forward(const Tensor& a, const Tensor& b) {
    return mode == RoundingMode::floor ? map_numbers(name, FlooredQuotient{}, a, b)
                                       : map_numbers(name, TruncatedQuotient{}, a, b);
  }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {zeros_like(grad), zeros_like(grad)}; }
};

struct Rest {
  const char* name;
  static constexpr bool elementwise = true;
  RoundingMode mode;
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    if (right.requires_grad()) a = left, b = right;
    return mode == RoundingMode::floor ? map_numbers(name, FlooredRest{}, left, right)
                                       : map_numbers(name, TruncatedRest{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {grad, needs[1] ? -grad * div(a, b, {.rounding_mode = mode}) : Tensor()};
  }
};

template <class Op>
Tensor divided(Op op, const Tensor& a, const Tensor& b) {
  const DType dtype = at_least(promote(a.dtype(), b.dtype()), DType::int64);
  if (!is_floating(dtype) && broadcast_shapes(op.name, a.shape(), b.shape()).numel() > 0)
    check(all(b).template item<bool>(), op.name, ": an integer is divided by 0; the divisor of shape ", b.shape(),
          " has one, and only floating numbers have an infinity: use .to(float32)");
  return apply(std::move(op), converted(a, dtype), converted(b, dtype));
}

/// A number beside a tensor, as a tensor of the dtype that the operation has.
Tensor beside(const Tensor& x, Scalar number) { return full({}, number, {.dtype = promote(x.dtype(), number)}); }

}  // namespace

Tensor div(Operand a, Operand b, const DivOptions& options) {
  return options.rounding_mode ? divided(RoundedDiv{"div", *options.rounding_mode}, *a, *b) : div(*a, *b);
}
Tensor div(Operand a, Scalar b, const DivOptions& options) { return div(*a, beside(*a, b), options); }
Tensor div(Scalar a, Operand b, const DivOptions& options) { return div(beside(*b, a), *b, options); }

Tensor floor_divide(Operand a, Operand b) { return divided(RoundedDiv{"floor_divide", RoundingMode::floor}, *a, *b); }
Tensor floor_divide(Operand a, Scalar b) { return floor_divide(*a, beside(*a, b)); }
Tensor floor_divide(Scalar a, Operand b) { return floor_divide(beside(*b, a), *b); }

Tensor remainder(Operand a, Operand b) { return divided(Rest{"remainder", RoundingMode::floor}, *a, *b); }
Tensor remainder(Operand a, Scalar b) { return remainder(*a, beside(*a, b)); }
Tensor remainder(Scalar a, Operand b) { return remainder(beside(*b, a), *b); }

Tensor fmod(Operand a, Operand b) { return divided(Rest{"fmod", RoundingMode::trunc}, *a, *b); }
Tensor fmod(Operand a, Scalar b) { return fmod(*a, beside(*a, b)); }
Tensor fmod(Scalar a, Operand b) { return fmod(beside(*b, a), *b); }

}  // namespace xgrad
