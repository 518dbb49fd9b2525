#include "comparison.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/numbers.hpp"
#include "arithmetic.hpp"
#include "map.hpp"
#include "reduce.hpp"

namespace xgrad {

namespace {

using detail::map;
using detail::map_as;
using detail::map_numbers;
using detail::saturated;

template <class F>
Tensor compare(const char* op, F f, const Tensor& a, const Tensor& b) {
  const DType dtype = promote(a.dtype(), b.dtype());
  if (a.dtype() == dtype && b.dtype() == dtype) return map_numbers(op, f, a, b);
  const NoGrad no_grad;
  return map_numbers(op, f, a.to(dtype), b.to(dtype));
}

template <class F>
Tensor compare(const char* op, F f, const Tensor& x, Scalar number) {
  const NoGrad no_grad;
  return map_numbers(op, detail::WithNumber{f, number}, x.to(promote(x.dtype(), number)));
}

constexpr auto equal = [](const auto& a, const auto& b) { return a == b; };
constexpr auto unequal = [](const auto& a, const auto& b) { return a != b; };
constexpr auto less = [](const auto& a, const auto& b) { return a < b; };
constexpr auto at_most = [](const auto& a, const auto& b) { return a <= b; };
constexpr auto more = [](const auto& a, const auto& b) { return a > b; };
constexpr auto at_least = [](const auto& a, const auto& b) { return a >= b; };

/// A property of floating numbers that integers have or not, all of them.
template <class F>
Tensor classify(const char* op, F f, const Tensor& x, bool of_integers) {
  return is_floating(x.dtype()) ? map(op, f, x) : full(x.shape(), of_integers, {.dtype = DType::bool_});
}

template <class F>
Tensor combine(const char* op, F f, const Tensor& a, const Tensor& b) {
  return map_as<bool, bool>(op, f, a.to(DType::bool_), b.to(DType::bool_));
}

// What only chooses among elements sees them as integers of their size, whatever their dtype.

struct Choose {
  template <class T>
  T operator()(bool condition, T a, T b) const {
    return elementary::select(condition, a, b);
  }
};

/// A number where the condition is as `where` says, else the element.
struct ChooseNumber {
  alignas(8) std::byte number[8];  // an element
  bool where;
  template <class T>
  T operator()(bool condition, T x) const {
    T element;
    __builtin_memcpy(&element, number, sizeof element);
    return elementary::select(condition == where, element, x);
  }
};

template <class F, std::same_as<Tensor>... Tensors>
Tensor choose(const char* op, const F& f, const Tensor& condition, const Tensor& a, const Tensors&... others) {
  const std::array<const detail::Array*, 2 + sizeof...(others)> all = {&condition.array(), &a.array(),
                                                                       &others.array()...};
  const DType dtypes[] = {DType::bool_, a.dtype(), others.dtype()...};
  Tensor out = detail::unallocated();
  detail::dispatch_size(item_size(a.dtype()), [&](auto zero) {
    using T = std::make_signed_t<decltype(zero)>;
    detail::MapLoop loop = detail::make_map_loop<F, bool, T, std::conditional_t<true, T, Tensors>...>(op, f);
    loop.dtypes = dtypes, loop.result = a.dtype();
    run_map(loop, out.impl(), all);
  });
  return out;
}

struct Where {
  static constexpr const char* name = "where";
  static constexpr bool elementwise = true;
  Saved condition;
  Tensor forward(const Tensor& a, const Tensor& b) { return choose(name, Choose{}, condition.get(), a, b); }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? where(condition, grad, 0) : Tensor(), needs[1] ? where(condition, 0, grad) : Tensor()};
  }
};

struct WhereNumber {
  static constexpr const char* name = "where";
  static constexpr bool elementwise = true;
  Saved condition;
  Scalar number;
  bool where;
  Tensor forward(const Tensor& x) {
    ChooseNumber chosen{{}, where};
    detail::store(name, number, x.dtype(), chosen.number);
    return choose(name, chosen, condition.get(), x);
  }
  Tensor backward(const Tensor& grad) const { return apply(WhereNumber{condition, 0, where}, grad); }
};

Tensor where_number(const Tensor& condition, const Tensor& x, Scalar number, bool where) {
  return apply(WhereNumber{condition, number, where}, x.to(promote(x.dtype(), number)));
}

void expect_condition(const char* op, const Tensor& condition) {
  check(condition.dtype() == DType::bool_, op, ": the condition has dtype ", condition.dtype(),
        ", expected bool; compare it with something, or use .to(bool_)");
}

struct Clamp {
  static constexpr const char* name = "clamp";
  static constexpr bool elementwise = true;
  Scalar min, max;  // beyond every number where there is no bound
  Saved x = {};

  struct Value {
    Scalar min, max;
    template <class T>
    real<T> operator()(const real<T>& v) const {
      return clamp(v, min.value(), max.value());
    }
    std::int64_t operator()(std::int64_t v) const {
      const std::int64_t y = v < min.integer() ? min.integer() : v;
      return y > max.integer() ? max.integer() : y;
    }
  };
  Tensor forward(const Tensor& input) {
    x = input;
    return map_numbers(name, Value{min, max}, input);
  }
  Tensor backward(const Tensor& grad) const {
    const auto gradient = [low = min.value(), high = max.value()](const auto& g, const auto& in) {
      return where(in >= low && in <= high, g, 0.0);
    };
    return detail::fused(name, gradient, grad, x);
  }
};

/// Between bounds that are tensors.
struct ClampBetween {
  static constexpr const char* name = "clamp";
  static constexpr bool elementwise = true;
  Saved x = {}, min = {}, max = {};

  struct Value {
    auto operator()(const auto& v, const auto& low, const auto& high) const {
      return detail::Smaller{}(detail::Larger{}(v, low), high);
    }
  };
  Tensor forward(const Tensor& input, const Tensor& low, const Tensor& high) {
    x = input, min = low, max = high;
    return map_numbers(name, Value{}, input, low, high);
  }
  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    const auto by_x = [](const auto& g, const auto& v, const auto& low, const auto& high) {
      return where(v >= low && v <= high, g, 0.0);
    };
    const auto by_min = [](const auto& g, const auto& v, const auto& low, const auto& high) {
      return where(low < high && v < low, g, 0.0);
    };
    const auto by_max = [](const auto& g, const auto& v, const auto& low, const auto& high) {
      return where(v > high || high < low, g, 0.0);
    };
    const auto gradient = [&](bool needed, const auto& formula) {
      return needed ? detail::fused(name, formula, grad, x, min, max) : Tensor();
    };
    return {gradient(needs[0], by_x), gradient(needs[1], by_min), gradient(needs[2], by_max)};
  }
};

/// A bound as tensor without axes; one beyond the dtype's range as the end of that.
Tensor bound(const Scalar& number, DType dtype) { return full({}, saturated(number, dtype), {.dtype = dtype}); }

Tensor clamp_between(const Tensor& x, const Tensor& min, const Tensor& max) {
  const DType dtype = promote(promote(x.dtype(), min.dtype()), max.dtype());
  return apply(ClampBetween{}, x.to(dtype), min.to(dtype), max.to(dtype));
}

}  // namespace

Tensor eq(Operand a, Operand b) { return compare("eq", equal, *a, *b); }
Tensor eq(Operand a, Scalar b) { return compare("eq", equal, *a, b); }
Tensor ne(Operand a, Operand b) { return compare("ne", unequal, *a, *b); }
Tensor ne(Operand a, Scalar b) { return compare("ne", unequal, *a, b); }
Tensor lt(Operand a, Operand b) { return compare("lt", less, *a, *b); }
Tensor lt(Operand a, Scalar b) { return compare("lt", less, *a, b); }
Tensor le(Operand a, Operand b) { return compare("le", at_most, *a, *b); }
Tensor le(Operand a, Scalar b) { return compare("le", at_most, *a, b); }
Tensor gt(Operand a, Operand b) { return compare("gt", more, *a, *b); }
Tensor gt(Operand a, Scalar b) { return compare("gt", more, *a, b); }
Tensor ge(Operand a, Operand b) { return compare("ge", at_least, *a, *b); }
Tensor ge(Operand a, Scalar b) { return compare("ge", at_least, *a, b); }

Tensor isnan(Operand x) {
  return classify(
      "isnan", [](const auto& v) { return v != v; }, *x, false);
}
Tensor isinf(Operand x) {
  return classify(
      "isinf", [](const auto& v) { return abs(v) == std::numeric_limits<double>::infinity(); }, *x, false);
}
Tensor isfinite(Operand x) {
  return classify(
      "isfinite", [](const auto& v) { return abs(v) < std::numeric_limits<double>::infinity(); }, *x, true);
}

Tensor logical_and(Operand a, Operand b) {
  return combine(
      "logical_and", [](bool x, bool y) -> bool { return x & y; }, *a, *b);
}
Tensor logical_or(Operand a, Operand b) {
  return combine(
      "logical_or", [](bool x, bool y) -> bool { return x | y; }, *a, *b);
}
Tensor logical_xor(Operand a, Operand b) {
  return combine(
      "logical_xor", [](bool x, bool y) { return x != y; }, *a, *b);
}
Tensor logical_not(Operand x) {
  return map_as<bool>(
      "logical_not", [](bool v) { return !v; }, x->to(DType::bool_));
}

Tensor where(Operand condition, Operand a, Operand b) {
  expect_condition("where", *condition);
  const DType dtype = promote(a->dtype(), b->dtype());
  return apply(Where{*condition}, a->to(dtype), b->to(dtype));
}
Tensor where(Operand condition, Operand a, Scalar b) {
  expect_condition("where", *condition);
  return where_number(*condition, *a, b, false);
}
Tensor where(Operand condition, Scalar a, Operand b) {
  expect_condition("where", *condition);
  return where_number(*condition, *b, a, true);
}
Tensor where(Operand condition, Scalar a, Scalar b) {
  return where(*condition, a, full({}, b, {.dtype = promote(a.kind(), b.kind())}));
}

Tensor masked_fill(Operand x, Operand mask, Scalar value) {
  expect_condition("masked_fill", *mask);
  const DType dtype = promote(x->dtype(), value);
  check(dtype == x->dtype(), "masked_fill: the value ", value, " would make the ", x->dtype(), " tensor ", dtype,
        "; convert it with .to(", dtype, ")");
  broadcast_shapes("masked_fill", x->shape(), mask->shape());
  return where_number(*mask, *x, value, true);
}

Tensor clamp(Operand x, std::optional<Scalar> min, std::optional<Scalar> max) {
  check(min || max, "clamp: neither min nor max was given");
  DType dtype = x->dtype();
  if (min) dtype = promote(dtype, *min);
  if (max) dtype = promote(dtype, *max);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return apply(Clamp{saturated(min.value_or(-infinity), dtype), saturated(max.value_or(infinity), dtype)},
               x->to(dtype));
}

Tensor clamp(Operand x, Operand min, std::optional<Scalar> max) {
  const DType dtype = promote(x->dtype(), min->dtype());
  const Scalar number = max.value_or(std::numeric_limits<double>::infinity());
  return clamp_between(*x, *min, bound(number, max ? promote(dtype, number) : dtype));
}
Tensor clamp(Operand x, std::optional<Scalar> min, Operand max) {
  const DType dtype = promote(x->dtype(), max->dtype());
  const Scalar number = min.value_or(-std::numeric_limits<double>::infinity());
  return clamp_between(*x, bound(number, min ? promote(dtype, number) : dtype), *max);
}
Tensor clamp(Operand x, Operand min, Operand max) { return clamp_between(*x, *min, *max); }

bool allclose(Operand a, Operand b, const AllcloseOptions& options) {
  const NoGrad no_grad;
  const Tensor x = a->to(float64), y = b->to(float64);
  Tensor close = x == y || (isfinite(y) && abs(x - y) <= options.atol + options.rtol * abs(y));
  if (options.equal_nan) close = close || (isnan(x) && isnan(y));
  return all(close).item<bool>();
}

}  // namespace xgrad
