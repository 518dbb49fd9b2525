#include "arithmetic.hpp"

#include <cmath>

#include "../autograd/create.hpp"
#include "../kernels/numbers.hpp"
#include "comparison.hpp"
#include "math.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

using namespace detail;

struct Add {
  static constexpr const char* name = "add";
  static constexpr bool elementwise = true;
  Tensor forward(const Tensor& a, const Tensor& b) { return map_numbers(name, Plus{}, a, b); }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, grad}; }
};

struct AddNumber {
  static constexpr const char* name = "add";
  static constexpr bool elementwise = true;
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Plus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct Sub {
  static constexpr const char* name = "sub";
  static constexpr bool elementwise = true;
  Tensor forward(const Tensor& a, const Tensor& b) { return map_numbers(name, Minus{}, a, b); }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const { return {grad, needs[1] ? -grad : Tensor()}; }
};

struct SubNumber {
  static constexpr const char* name = "sub";
  static constexpr bool elementwise = true;
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Minus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct NumberSub {
  static constexpr const char* name = "sub";
  static constexpr bool elementwise = true;
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, OfNumber{Minus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return -grad; }
};

struct Mul {
  static constexpr const char* name = "mul";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    if (right.requires_grad()) a = left;
    if (left.requires_grad()) b = right;
    return map_numbers(name, Times{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? grad * b : Tensor(), needs[1] ? grad * a : Tensor()};
  }
};

struct MulNumber {
  static constexpr const char* name = "mul";
  static constexpr bool elementwise = true;
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Times{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad * number; }
};

struct Div {
  static constexpr const char* name = "div";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    if (right.requires_grad()) a = left;
    b = right;
    return map(name, Over{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_b = [](const auto& g, const auto& x, const auto& y) { return -g * (x / y / y); };
    return {needs[0] ? grad / b : Tensor(), needs[1] ? fused(name, by_b, grad, a, b) : Tensor()};
  }
};

struct DivNumber {
  static constexpr const char* name = "div";
  static constexpr bool elementwise = true;
  Scalar number;
  Tensor forward(const Tensor& x) { return map(name, WithNumber{Over{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad / number; }
};

struct NumberDiv {
  static constexpr const char* name = "div";
  static constexpr bool elementwise = true;
  Scalar number;
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const Tensor out = map(name, OfNumber{Over{}, number}, input);
    x = input, y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    const auto by_x = [](const auto& g, const auto& in, const auto& out) { return -g * (out / in); };
    return fused(name, by_x, grad, x, y);
  }
};

struct Neg {
  static constexpr const char* name = "neg";
  static constexpr bool elementwise = true;
  Tensor forward(const Tensor& x) { return map_numbers(name, Negated{}, x); }
  Tensor backward(const Tensor& grad) const { return -grad; }
};

struct Pow {
  static constexpr const char* name = "pow";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {}, result = {};
  Tensor forward(const Tensor& base, const Tensor& exponent) {
    const Tensor out = map_numbers(name, Power{}, base, exponent);
    a = base, b = exponent;
    if (exponent.requires_grad()) result = out;
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    // What is masked is computed at 1 instead, so that its derivatives are 0 and not NaN.
    const auto by_a = [](const auto& g, const auto& x, const auto& y) {
      const auto none = y == 0 && (x == 0 || x != x);
      return where(none, 0.0, g * (y * pow(where(none, 1.0, x), y - 1)));
    };
    // 0 where x is and y >= 0, in a form that has the derivative by x of 0^1, which is 1 as that of by_a by y.
    const auto by_b = [](const auto& g, const auto& x, const auto& y, const auto& out) {
      const auto none = x == 0 && y >= 0;
      return g * where(none, where(y == 1, x, 0.0), out * log(where(none, 1.0, x)));
    };
    return {needs[0] ? fused(name, by_a, grad, a, b) : Tensor(),
            needs[1] ? fused(name, by_b, grad, a, b, result) : Tensor()};
  }
};

/// Powers that need no logarithm have loops of their own.
Tensor power(const char* name, const Tensor& x, Scalar exponent) {
  if (!is_floating(x.dtype())) return map_numbers(name, WithNumber{Power{}, exponent}, x);
  const double n = exponent.value();
  if (n == 1)
    return map(
        name, [](const auto& v) { return v; }, x);
  if (n == 2) return map(name, Squared{}, x);
  if (n == 3)
    return map(
        name, [](const auto& v) { return v * v * v; }, x);
  if (n == 0.5)
    return map(
        name, [](const auto& v) { return sqrt(v); }, x);
  if (n == -0.5)
    return map(
        name, [](const auto& v) { return rsqrt(v); }, x);
  if (n == -1)
    return map(
        name, [](const auto& v) { return 1 / v; }, x);
  const auto any = [n]<class T>(const real<T>& v) { return real<T>{elementary::pow(v.v, static_cast<T>(n))}; };
  return map(name, any, x);
}

struct PowNumber {
  static constexpr const char* name = "pow";
  static constexpr bool elementwise = true;
  Scalar number;
  Saved x = {};
  Tensor forward(const Tensor& base) {
    x = base;
    return power(name, base, number);
  }
  Tensor backward(const Tensor& grad) const {
    const double n = number.value();
    if (n == 0) return zeros_like(grad);
    if (n == 2)
      return fused(
          name, [](const auto& g, const auto& base) { return g * (2 * base); }, grad, x);
    return grad * (n * pow(x, n - 1));
  }
};

struct NumberPow {
  static constexpr const char* name = "pow";
  static constexpr bool elementwise = true;
  Scalar number;
  Saved exponent = {}, result = {};
  Tensor forward(const Tensor& y) {
    const Tensor out = map_numbers(name, OfNumber{Power{}, number}, y);
    exponent = y, result = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    const double base = number.value(), log_base = std::log(base);
    if (base == 0) return grad * where(exponent >= 0, 0.0, -result);  // the infinite result times log 0
    return fused(
        name, [=](const auto& g, const auto& out) { return g * (out * log_base); }, grad, result);
  }
};

struct Square {
  static constexpr const char* name = "square";
  static constexpr bool elementwise = true;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return map_numbers(name, Squared{}, input);
  }
  Tensor backward(const Tensor& grad) const {
    return fused(
        name, [](const auto& g, const auto& in) { return g * (2 * in); }, grad, x);
  }
};

struct Abs {
  static constexpr const char* name = "abs";
  static constexpr bool elementwise = true;
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return map_numbers(name, Absolute{}, input);
  }
  Tensor backward(const Tensor& grad) const {
    return fused(
        name, [](const auto& g, const auto& in) { return g * sign(in); }, grad, x);
  }
};

struct SignOf {
  static constexpr const char* name = "sign";
  static constexpr bool elementwise = true;
  Tensor forward(const Tensor& x) { return map_numbers(name, Sign{}, x); }
  Tensor backward(const Tensor& grad) const { return zeros_like(grad); }
};

struct Maximum {
  static constexpr const char* name = "maximum";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    a = left, b = right;
    return map_numbers(name, Larger{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_larger = [](const auto& g, const auto& x, const auto& y) {
      return where(x < y, 0.0, where(x == y, 0.5 * g, g));
    };
    return {needs[0] ? fused(name, by_larger, grad, a, b) : Tensor(),
            needs[1] ? fused(name, by_larger, grad, b, a) : Tensor()};
  }
};

struct Minimum {
  static constexpr const char* name = "minimum";
  static constexpr bool elementwise = true;
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    a = left, b = right;
    return map_numbers(name, Smaller{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_smaller = [](const auto& g, const auto& x, const auto& y) {
      return where(x > y, 0.0, where(x == y, 0.5 * g, g));
    };
    return {needs[0] ? fused(name, by_smaller, grad, a, b) : Tensor(),
            needs[1] ? fused(name, by_smaller, grad, b, a) : Tensor()};
  }
};

/// A binary operation on operands brought to one dtype, at least of the kind of `least`.
template <class Op>
Tensor apply_promoted(Op op, const Tensor& a, const Tensor& b, DType least = DType::bool_) {
  const DType dtype = at_least(promote(a.dtype(), b.dtype()), least);
  return apply(std::move(op), converted(a, dtype), converted(b, dtype));
}

/// An operation on a tensor and the number that `op` holds.
template <class Op>
Tensor apply_with_number(Op op, const Tensor& x, DType least = DType::bool_) {
  const DType dtype = at_least(promote(x.dtype(), op.number), least);
  return apply(std::move(op), converted(x, dtype));
}

/// A number beside a tensor, as a tensor of the dtype that the operation has.
Tensor beside(const Tensor& x, Scalar number) { return full({}, number, {.dtype = promote(x.dtype(), number)}); }

/// x * alpha
Tensor scaled(const char* op, const Tensor& a, const Tensor& x, const Scalar& alpha) {
  const DType dtype = promote(a.dtype(), x.dtype());
  check(promote(dtype, alpha) == dtype, op, ": alpha is ", alpha, " and the tensors are ", dtype,
        "; the product must have this dtype");
  return mul(*converted(x, dtype), alpha);
}

void expect_not_bool(const char* op, DType dtype) {
  check(dtype != DType::bool_, op, ": bool tensors have no difference; use logical_xor or logical_not, or .to(int64)");
}

}  // namespace

Tensor add(Operand a, Operand b) { return apply_promoted(Add{}, *a, *b); }
Tensor add(Operand a, Scalar b) { return apply_with_number(AddNumber{b}, *a); }
Tensor add(Scalar a, Operand b) { return apply_with_number(AddNumber{a}, *b); }

Tensor add(Operand a, Operand b, const AlphaOptions& options) { return add(*a, scaled("add", *a, *b, options.alpha)); }

Tensor sub(Operand a, Operand b) {
  expect_not_bool("sub", promote(a->dtype(), b->dtype()));
  return apply_promoted(Sub{}, *a, *b);
}
Tensor sub(Operand a, Scalar b) {
  expect_not_bool("sub", promote(a->dtype(), b));
  return apply_with_number(SubNumber{b}, *a);
}
Tensor sub(Scalar a, Operand b) {
  expect_not_bool("sub", promote(b->dtype(), a));
  return apply_with_number(NumberSub{a}, *b);
}
Tensor sub(Operand a, Operand b, const AlphaOptions& options) { return sub(*a, scaled("sub", *a, *b, options.alpha)); }

Tensor mul(Operand a, Operand b) { return apply_promoted(Mul{}, *a, *b); }
Tensor mul(Operand a, Scalar b) { return apply_with_number(MulNumber{b}, *a); }
Tensor mul(Scalar a, Operand b) { return apply_with_number(MulNumber{a}, *b); }

Tensor div(Operand a, Operand b) { return apply_promoted(Div{}, *a, *b, DType::float32); }
Tensor div(Operand a, Scalar b) { return apply_with_number(DivNumber{b}, *a, DType::float32); }
Tensor div(Scalar a, Operand b) { return apply_with_number(NumberDiv{a}, *b, DType::float32); }

Tensor neg(Operand x) {
  expect_not_bool("neg", x->dtype());
  return apply(Neg{}, *x);
}

Tensor pow(Operand a, Operand b) { return apply_promoted(Pow{}, *a, *b, DType::int64); }
Tensor pow(Operand a, Scalar b) {
  check(b.kind() == DType::float32 || is_floating(a->dtype()) || b.integer() >= 0, "pow: integers to the power ", b,
        " are not integers; use .to(float32)");
  return apply_with_number(PowNumber{b}, *a, DType::int64);
}
Tensor pow(Scalar a, Operand b) { return apply_with_number(NumberPow{a}, *b, DType::int64); }
Tensor square(Operand x) { return x->dtype() == bool_ ? x->to(int64) : apply(Square{}, *x); }
Tensor reciprocal(Operand x) {
  return function_of_output<"reciprocal">(
      *x, [](const auto& v) { return 1 / v; }, [](const auto& g, const auto& y) { return -g * (y * y); });
}
Tensor abs(Operand x) { return apply(Abs{}, *x); }
Tensor sign(Operand x) { return apply(SignOf{}, *x); }
Tensor maximum(Operand a, Operand b) { return apply_promoted(Maximum{}, *a, *b); }
Tensor maximum(Operand a, Scalar b) { return maximum(*a, beside(*a, b)); }
Tensor maximum(Scalar a, Operand b) { return maximum(beside(*b, a), *b); }
Tensor minimum(Operand a, Operand b) { return apply_promoted(Minimum{}, *a, *b); }
Tensor minimum(Operand a, Scalar b) { return minimum(*a, beside(*a, b)); }
Tensor minimum(Scalar a, Operand b) { return minimum(beside(*b, a), *b); }

}  // namespace xgrad
