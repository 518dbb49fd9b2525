#include "arithmetic.hpp"

#include "../autograd/apply.hpp"
#include "elementwise_samples.hpp"
#include "kernels/map.hpp"

namespace xgrad {

namespace {

using detail::fused;
using detail::map;
using detail::map_numbers;
using detail::OfNumber;
using detail::WithNumber;

// Integers are computed without sign, where overflow is defined to wrap around.
std::int64_t wrapped(std::uint64_t x) { return static_cast<std::int64_t>(x); }

struct Plus {
  auto operator()(const auto& a, const auto& b) const { return a + b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return wrapped(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
};
struct Minus {
  auto operator()(const auto& a, const auto& b) const { return a - b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return wrapped(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  }
};
struct Times {
  auto operator()(const auto& a, const auto& b) const { return a * b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return wrapped(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
};
struct Over {
  auto operator()(const auto& a, const auto& b) const { return a / b; }
};
struct Minus0 {
  auto operator()(const auto& x) const { return -x; }
  std::int64_t operator()(std::int64_t x) const { return wrapped(-static_cast<std::uint64_t>(x)); }
};

struct Add {
  static constexpr const char* name = "add";
  Tensor forward(const Tensor& a, const Tensor& b) { return map_numbers(name, Plus{}, a, b); }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, grad}; }
};

struct AddNumber {
  static constexpr const char* name = "add";
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Plus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct Sub {
  static constexpr const char* name = "sub";
  Tensor forward(const Tensor& a, const Tensor& b) { return map_numbers(name, Minus{}, a, b); }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const { return {grad, needs[1] ? -grad : Tensor()}; }
};

struct SubNumber {
  static constexpr const char* name = "sub";
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Minus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct NumberSub {
  static constexpr const char* name = "sub";
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, OfNumber{Minus{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return -grad; }
};

struct Mul {
  static constexpr const char* name = "mul";
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
  Scalar number;
  Tensor forward(const Tensor& x) { return map_numbers(name, WithNumber{Times{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad * number; }
};

struct Div {
  static constexpr const char* name = "div";
  Saved a = {}, b = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    if (right.requires_grad()) a = left;
    b = right;
    return map(name, Over{}, left, right);
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto by_b = [](const auto& g, const auto& x, const auto& y) { return -g * (x / y / y); };
    return {needs[0] ? grad / b : Tensor(), needs[1] ? fused(name, by_b, grad, a.get(), b.get()) : Tensor()};
  }
};

struct DivNumber {
  static constexpr const char* name = "div";
  Scalar number;
  Tensor forward(const Tensor& x) { return map(name, WithNumber{Over{}, number}, x); }
  Tensor backward(const Tensor& grad) const { return grad / number; }
};

struct NumberDiv {
  static constexpr const char* name = "div";
  Scalar number;
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const Tensor out = map(name, OfNumber{Over{}, number}, input);
    x = input, y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    const auto by_x = [](const auto& g, const auto& in, const auto& out) { return -g * (out / in); };
    return fused(name, by_x, grad, x.get(), y.get());
  }
};

struct Neg {
  static constexpr const char* name = "neg";
  Tensor forward(const Tensor& x) { return map_numbers(name, Minus0{}, x); }
  Tensor backward(const Tensor& grad) const { return -grad; }
};

/// A binary operation on operands brought to one dtype, at least `least`.
template <class Op>
Tensor apply_promoted(Op op, const Tensor& a, const Tensor& b, DType least = DType::bool_) {
  const DType dtype = promote(promote(a.dtype(), b.dtype()), least);
  if (a.dtype() == dtype && b.dtype() == dtype) [[likely]]
    return apply(std::move(op), a, b);
  return apply(std::move(op), a.to(dtype), b.to(dtype));
}

/// An operation on a tensor and the number that `op` holds.
template <class Op>
Tensor apply_with_number(Op op, const Tensor& x, DType least = DType::bool_) {
  const DType dtype = promote(promote(x.dtype(), op.number), least);
  if (x.dtype() == dtype) [[likely]]
    return apply(std::move(op), x);
  return apply(std::move(op), x.to(dtype));
}

void expect_not_bool(const char* op, DType dtype) {
  check(dtype != DType::bool_, op, ": bool tensors have no difference; use logical_xor or logical_not, or .to(int64)");
}

}  // namespace

Tensor add(Operand a, Operand b) { return apply_promoted(Add{}, *a, *b); }
Tensor add(Operand a, Scalar b) { return apply_with_number(AddNumber{b}, *a); }
Tensor add(Scalar a, Operand b) { return apply_with_number(AddNumber{a}, *b); }

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

namespace detail {

namespace {
std::vector<OpSample> operator+(std::vector<OpSample> all, std::vector<OpSample> more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
}  // namespace

std::span<const OpInfo> arithmetic_ops() {
  static const OpInfo ops[] = {
      {"add", "arithmetic", "a + b", true,
       [] {
         return binary_samples("x[0] + x[1]", [](auto& a, auto& b) { return a + b; }) +
                unary_samples("x[0] + 1.5", [](auto& x) { return x + 1.5; }) +
                unary_samples("2 + x[0]", [](auto& x) { return 2 + x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a + b; }); }},
      {"sub", "arithmetic", "a - b", true,
       [] {
         return binary_samples("x[0] - x[1]", [](auto& a, auto& b) { return a - b; }) +
                unary_samples("x[0] - 1.5", [](auto& x) { return x - 1.5; }) +
                unary_samples("2 - x[0]", [](auto& x) { return 2 - x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a - b; }); }},
      {"mul", "arithmetic", "a b", true,
       [] {
         return binary_samples("x[0] * x[1]", [](auto& a, auto& b) { return a * b; }) +
                unary_samples("x[0] * 1.5", [](auto& x) { return x * 1.5; }) +
                unary_samples("x[0] * x[0]", [](auto& x) { return x * x; });
       },
       [] { return binary_errors([](auto& a, auto& b) { return a * b; }); }},
      {"div", "arithmetic", "a / b", true,
       [] {
         return binary_samples("x[0] / x[1]", [](auto& a, auto& b) { return a / b; }, {}, {0.5, 2}) +
                unary_samples("x[0] / 1.5", [](auto& x) { return x / 1.5; }) +
                unary_samples("2 / x[0]", [](auto& x) { return 2 / x; }, {-2, -0.5});
       },
       [] { return binary_errors([](auto& a, auto& b) { return a / b; }); }},
      {"neg", "arithmetic", "-x", true, [] { return unary_samples("-x[0]", [](auto& x) { return -x; }); },
       [] { return unary_errors([](auto& x) { return -x; }); }},
  };
  return ops;
}

}  // namespace detail

}  // namespace xgrad
