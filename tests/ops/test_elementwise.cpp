#include <xgrad/array/random.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <algorithm>
#include <functional>

#include "../catch.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

Tensor uniform(const Shape& shape, double low, double high, std::uint64_t seed = 1, DType dtype = float64) {
  Tensor x = empty(shape, {.dtype = float64});
  Generator(seed).uniform(x.data<double>(), x.numel(), low, high);
  return x.to(dtype).requires_grad_();
}

/// For an upstream gradient without symmetry.
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& x, bool recorded = false) {
  const Tensor seed = cos(reshape(arange(y.numel()).to(y.dtype()), y.shape()) * 0.7);
  return grad(y, x, {.retain_graph = true, .create_graph = recorded, .grad_outputs = {seed}});
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  double worst = 0;
  const Doubles x = values<double>(a.detach().to(float64)), y = values<double>(b.detach().to(float64));
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(x[i] - y[i]) / (1 + std::abs(y[i])));
  return worst;
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// Values and gradients of both, also in create_graph mode.
void check_same(const Function& f, const Function& composed, const std::vector<Tensor>& x, double tolerance = 1e-13) {
  const Tensor y = f(x), expected = composed(x);
  CHECK(largest_difference(y, expected) <= tolerance);
  const auto want = gradients(expected, x);
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const auto found = gradients(y, x, recorded);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(i);
      CHECK(largest_difference(found[i], want[i]) <= tolerance);
    }
  }
}

template <class F>
void check_function(const char* expression, const F& f, const Function& composed, double low, double high) {
  INFO(expression);
  const Tensor x = uniform({3, 7}, low, high);
  check_same([&](const auto& all) { return f(all[0]); }, composed, {x});
  CHECK(gradcheck(f, {x}));
  CHECK(gradgradcheck(f, {x}));
}

// Few long functions, so that backward computes the derivatives again; and many, so that forward stores them.
constexpr auto recomputed = elementwise("recomputed", [](auto a, auto b) { return a * a * b + 0.5 * b; });
constexpr auto stored = elementwise("stored", [](auto a, auto b) { return tanh(a) * exp(b) + sin(a * b); });
Tensor composed_recomputed(const std::vector<Tensor>& x) { return x[0] * x[0] * x[1] + 0.5 * x[1]; }
Tensor composed_stored(const std::vector<Tensor>& x) { return tanh(x[0]) * exp(x[1]) + sin(x[0] * x[1]); }

constexpr auto weighted = elementwise("weighted", [](auto a, auto b, auto c) { return a * exp(b) * sin(c) + a / c; });

}  // namespace

/// An expression in x, of a dual and of a tensor.
#define CHECK_FUNCTION(low, high, expression)                           \
  check_function(                                                       \
      #expression, elementwise("f", [](auto x) { return expression; }), \
      [](const std::vector<Tensor>& all) {                              \
        const Tensor& x = all[0];                                       \
        return expression;                                              \
      },                                                                \
      low, high)

TEST_CASE("elementwise: every function of one number") {
  CHECK_FUNCTION(-2, 2, exp(x));
  CHECK_FUNCTION(-2, 2, expm1(x));
  CHECK_FUNCTION(0.5, 2, log(x));
  CHECK_FUNCTION(-0.5, 2, log1p(x));
  CHECK_FUNCTION(0.5, 2, sqrt(x));
  CHECK_FUNCTION(0.5, 2, rsqrt(x));
  CHECK_FUNCTION(-2, 2, square(x));
  CHECK_FUNCTION(-2, 2, sin(x));
  CHECK_FUNCTION(-2, 2, cos(x));
  CHECK_FUNCTION(-1, 1, tan(x));
  CHECK_FUNCTION(-0.9, 0.9, asin(x));
  CHECK_FUNCTION(-0.9, 0.9, acos(x));
  CHECK_FUNCTION(-2, 2, atan(x));
  CHECK_FUNCTION(-2, 2, sinh(x));
  CHECK_FUNCTION(-2, 2, cosh(x));
  CHECK_FUNCTION(-2, 2, tanh(x));
  CHECK_FUNCTION(-2, 2, sigmoid(x));
  CHECK_FUNCTION(-2, 2, softplus(x));
  CHECK_FUNCTION(-2, 2, erf(x));
  CHECK_FUNCTION(-2, 2, erfc(x));
  CHECK_FUNCTION(0.5, 3, lgamma(x));
  CHECK_FUNCTION(0.5, 3, digamma(x));
  CHECK_FUNCTION(0.5, 3, polygamma(1, x));
  CHECK_FUNCTION(0.5, 2, abs(x) + abs(-x));
  CHECK_FUNCTION(0.5, 2, sign(x) * x);
  CHECK_FUNCTION(0.1, 0.9, floor(x + 1) * x);
  CHECK_FUNCTION(0.5, 2, relu(x) * x);
  CHECK_FUNCTION(-2, 2, clamp(x, -0.5, 0.75) * x);
  CHECK_FUNCTION(-2, 2, pow(x, 0) + pow(x, 1) + pow(x, 2) + pow(x, 3));
  CHECK_FUNCTION(0.5, 2, pow(x, -1) + pow(x, 1.7) + pow(2.5, x));
  CHECK_FUNCTION(0.5, 2, x - 1 + (1 - x) * 2 + 3 * x / 4 + 5 / x - (-x));
  CHECK_FUNCTION(-2, 2, where((x > 0.5 && !(x >= 1.5)) || x < -1, x * x, 2 * x));
  CHECK_FUNCTION(-2, 2, where(x == x && x != 7 && 1 > x && -1 < x && x <= 2 && -3 <= x, x * x, 3.0));
}

TEST_CASE("elementwise: every function of two numbers, in either order of number and element") {
  const Tensor a = uniform({3, 4}, 0.5, 2, 1), b = uniform({3, 4}, 0.5, 2, 2);
  const auto check_pair = [&](const auto& f, Tensor (*composed)(const Tensor&, const Tensor&)) {
    check_same([&](const auto& x) { return f(x[0], x[1]); }, [&](const auto& x) { return composed(x[0], x[1]); },
               {a, b});
    CHECK(gradcheck(f, {a, b}));
    CHECK(gradgradcheck(f, {a, b}));
  };
  check_pair(elementwise("f", [](auto x, auto y) { return pow(x, y) / y - x; }),
             [](auto& x, auto& y) { return pow(x, y) / y - x; });
  check_pair(elementwise("f", [](auto x, auto y) { return atan2(x, y) + atan2(1, y) * atan2(x, 2); }),
             [](auto& x, auto& y) {
               const Tensor one = ones_like(x.detach());
               return atan2(x, y) + atan2(one, y) * atan2(x, 2 * one);
             });
  check_pair(elementwise("f", [](auto x, auto y) { return max(x * x, y) * min(x, y * y) + max(1.25, x) * min(y, 1); }),
             [](auto& x, auto& y) {
               const Tensor one = ones_like(x.detach());
               return maximum(x * x, y) * minimum(x, y * y) + maximum(1.25 * one, x) * minimum(y, one);
             });
  check_pair(elementwise("f", [](auto x, auto y) { return maximum(x, 1) * minimum(1.5, y) * x * y; }),
             [](auto& x, auto& y) {
               const Tensor one = ones_like(x.detach());
               return maximum(x, one) * minimum(1.5 * one, y) * x * y;
             });
  check_pair(elementwise("f",
                         [](auto x, auto y) {
                           auto z = +x;
                           z += y, z *= 2, z -= x * x, z /= y;
                           return z;
                         }),
             [](auto& x, auto& y) { return ((x + y) * 2 - x * x) / y; });
}

TEST_CASE("elementwise: a tie shares the derivative, a kink has PyTorch's") {
  const auto both = elementwise("both", [](auto x, auto y) { return max(x, y) + 2 * min(x, y); });
  const Tensor a = doubles({1, 2}), b = doubles({1, 3});
  for (const bool recorded : {false, true}) {
    const auto g = grad(sum(both(a, b)), {a, b}, {.create_graph = recorded});
    CHECK(values<double>(g[0]) == Doubles{1.5, 2});
    CHECK(values<double>(g[1]) == Doubles{1.5, 1});
    const auto kinks = elementwise("kinks", [](auto x) { return abs(x) + relu(x) + clamp(x, 0, 1); });
    const Tensor zero = doubles({0});
    CHECK(values<double>(grad(sum(kinks(zero)), {zero}, {.create_graph = recorded})[0]) == Doubles{1});
  }
}

TEST_CASE("elementwise: numbers in where have the precision of the elements") {
  const auto f = elementwise("f", [](auto x) { return x * x * where(x > 0, 0.1, 0.3) + where(x > 0, 0.1, x * x * x); });
  const Tensor x = doubles({1, 2});
  const Tensor g = grad(sum(f(x)), {x}, {.create_graph = true})[0];
  CHECK(values<double>(g) == Doubles{0.2, 0.4});
}

TEST_CASE("elementwise: any subset of the gradients, of one to three inputs") {
  for (int subset = 1; subset < 8; ++subset) {
    CAPTURE(subset);
    std::vector<Tensor> x, wanted;
    for (int i = 0; i < 3; ++i) {
      x.push_back(uniform({2, 5}, 0.5, 2, static_cast<std::uint64_t>(i + 1)).requires_grad_((subset >> i & 1) != 0));
      if (x.back().requires_grad()) wanted.push_back(x.back());
    }
    const Tensor y = weighted(x[0], x[1], x[2]), expected = x[0] * exp(x[1]) * sin(x[2]) + x[0] / x[2];
    CHECK(largest_difference(y, expected) < 1e-14);
    for (const Tensor& one : wanted)
      CHECK(largest_difference(gradients(y, {one})[0], gradients(expected, {one})[0]) < 1e-14);
    const auto found = gradients(y, wanted), want = gradients(expected, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(largest_difference(found[i], want[i]) < 1e-14);
    CHECK(gradcheck(weighted, x));
    CHECK(gradgradcheck(weighted, x));
    if (subset >= 4) continue;
    for (const auto& f : {Function([](const auto& t) { return recomputed(t[0], t[1]); }),
                          Function([](const auto& t) { return stored(t[0], t[1]); })})
      CHECK(gradcheck([&](const Tensor& a, const Tensor& b) { return f({a, b}); }, {x[0], x[1]}));
  }
}

TEST_CASE("elementwise: inputs that broadcast get the sum, in any position") {
  const std::pair<Shape, Shape> shapes[] = {{{4, 6}, {6}},          {{4, 6}, {4, 1}},       {{}, {3, 4}},
                                            {{2, 1, 5}, {3, 1}},    {{3, 1, 4}, {1, 5, 1}}, {{2, 3, 4}, {3, 1}},
                                            {{1, 3}, {3}},          {{1}, {2, 3}},          {{700, 3}, {3}},
                                            {{40, 3, 5}, {3, 1}},   {{300, 701}, {701}},    {{300, 701}, {300, 1}},
                                            {{3, 70001}, {70001}},  {{3, 70001}, {3, 1}},   {{200000}, {1}},
                                            {{64, 1, 33}, {65, 1}}, {{64, 65, 33}, {65, 1}}};
  for (const auto& [left, right] : shapes) {
    CAPTURE(left, right);
    const std::vector<Tensor> x = {uniform(left, -1, 1, 1), uniform(right, -1, 1, 2)}, swapped = {x[1], x[0]};
    for (const auto& inputs : {x, swapped}) {
      check_same([](const auto& t) { return recomputed(t[0], t[1]); }, composed_recomputed, inputs, 1e-11);
      check_same([](const auto& t) { return stored(t[0], t[1]); }, composed_stored, inputs, 1e-11);
    }
    if (x[0].numel() * x[1].numel() > 200) continue;
    CHECK(gradcheck(stored, x));
    CHECK(gradgradcheck(recomputed, x));
  }
}

TEST_CASE("elementwise: inputs that are not contiguous") {
  const Tensor base = uniform({30, 40}, -1, 1, 1), other = uniform({40, 30}, -1, 1, 2), line = uniform({30}, -1, 1, 3);
  const std::vector<std::pair<Tensor, Tensor>> pairs = {
      {transpose(base, 0, 1), other},
      {transpose(base, 0, 1), transpose(transpose(other, 0, 1).contiguous(), 0, 1)},
      {slice(base, 1, 3, 33, 2), narrow(transpose(other, 0, 1), 1, 4, 15)},
      {expand(line, {40, 30}), other},
      {transpose(base, 0, 1), line},
      {flip(base), transpose(other, 0, 1)}};
  for (const auto& [a, b] : pairs) {
    CAPTURE(a.shape(), a.strides(), b.shape(), b.strides());
    check_same([](const auto& t) { return recomputed(t[0], t[1]); }, composed_recomputed, {a, b}, 1e-12);
    check_same([](const auto& t) { return stored(t[0], t[1]); }, composed_stored, {a, b}, 1e-12);
  }
  CHECK(stored(pairs[0].first, pairs[0].first).strides() == pairs[0].first.strides());
}

TEST_CASE("elementwise: no elements") {
  for (const auto& [left, right] : {std::pair<Shape, Shape>{{0, 3}, {3}}, {{2, 0}, {2, 1}}, {{0}, {}}}) {
    CAPTURE(left, right);
    const std::vector<Tensor> x = {uniform(left, 0, 1), uniform(right, 0, 1)};
    for (const bool many : {false, true}) {
      const Tensor y = many ? stored(x[0], x[1]) : recomputed(x[0], x[1]);
      CHECK(y.shape() == left);
      const auto g = gradients(y, x);
      CHECK(g[0].shape() == left);
      CHECK(values<double>(g[1]) == Doubles(static_cast<std::size_t>(x[1].numel()), 0.0));
    }
  }
}

TEST_CASE("elementwise: dtypes") {
  const Tensor a = uniform({50, 60}, -1, 1, 1, float32), b = uniform({60}, -1, 1, 2, float32);
  check_same([](const auto& t) { return stored(t[0], t[1]); }, composed_stored, {a, b}, 4e-6);
  check_same([](const auto& t) { return recomputed(t[0], t[1]); }, composed_recomputed, {a, b}, 4e-6);
  const Tensor wide = uniform({60}, -1, 1, 3);
  const Tensor y = stored(a, wide);
  CHECK(y.dtype() == float64);
  const auto g = gradients(y, {a, wide});
  CHECK(g[0].dtype() == float32);
  CHECK(g[1].dtype() == float64);
  CHECK(values<float>(recomputed(integers({1, 2}), bools({1, 0}))) == Floats{1.5, 0});
}

TEST_CASE("elementwise: masks, constants and ignored inputs") {
  const auto larger = elementwise("larger", [](auto x, auto y) { return x > y && x != 5; });
  const Tensor a = doubles({1, 3, 5}), b = doubles({2, 2, 2});
  const Tensor y = larger(a, b);
  CHECK(values<bool>(y) == Bools{false, true, false});
  CHECK_FALSE(y.requires_grad());

  const auto seven = elementwise("seven", [](auto) { return 7; });
  const auto first = elementwise("first", [](auto x, auto) { return x; });
  for (const bool recorded : {false, true}) {
    CHECK(values<double>(seven(a)) == Doubles{7, 7, 7});
    const auto of_constant = grad(sum(seven(a)), {a}, {.create_graph = recorded, .allow_unused = true})[0];
    CHECK((!of_constant.defined() || values<double>(of_constant) == Doubles{0, 0, 0}));
    const Tensor one = doubles({2});
    CHECK(values<double>(grad(sum(first(one, b)), {one}, {.create_graph = recorded})[0]) == Doubles{3});
  }
}

TEST_CASE("elementwise: captured numbers are constants, functions and loops are free") {
  const auto power_sum = [](double scale, int terms) {
    return elementwise("power_sum", [scale, terms](auto x) {
      auto y = 0 * x;
      for (int i = terms; i > 0; --i) y = (y + scale) * x;
      return y;
    });
  };
  const Tensor x = uniform({7}, 0.5, 1.5);
  for (const int terms : {1, 2, 3}) {
    const auto f = power_sum(0.3, terms);
    CHECK(gradcheck(f, {x}));
    CHECK(gradgradcheck(f, {x}));
  }
  CHECK(largest_difference(power_sum(0.3, 2)(x), 0.3 * x + 0.3 * x * x) < 1e-15);
}

TEST_CASE("elementwise: derivatives of third order, alone and inside a graph") {
  const auto f = elementwise("f", [](auto x) { return exp(2 * x) + x * x * x * x; });
  const Tensor x = doubles({0.3, -0.5});
  Tensor y = sum(f(x));
  for (int i = 0; i < 3; ++i) y = sum(grad(y, {x}, {.create_graph = true})[0]);
  CHECK(std::abs(y.item() - (8 * std::exp(0.6) + 8 * std::exp(-1.0) + 24 * (0.3 - 0.5))) < 1e-8);

  const Tensor a = uniform({3, 4}, 0.5, 1.5, 1), b = uniform({4}, 0.5, 1.5, 2);
  const auto nested = [&](const Tensor& p, const Tensor& q) {
    return stored(tanh(recomputed(p, q)), 0.3 * f(0.3 * q)) * p;
  };
  CHECK(gradcheck(nested, {a, b}));
  CHECK(gradgradcheck(nested, {a, b}));
  CHECK(gradgradcheck(
      [&](const Tensor& p, const Tensor& q) { return grad(sum(stored(p, q)), {p}, {.create_graph = true})[0]; },
      {a, b}));
}

TEST_CASE("elementwise: one tensor given twice, and a graph kept for a second pass") {
  const Tensor x = uniform({3, 4}, -1, 1);
  check_same([](const auto& t) { return stored(t[0], t[0]); },
             [](const auto& t) {
               return composed_stored({t[0], t[0]});
             },
             {x});
  const Tensor y = sum(stored(x, x));
  y.backward({}, {.retain_graph = true});
  const Tensor once = x.grad().clone();
  y.backward();
  CHECK(largest_difference(x.grad(), 2 * once) == 0);
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("freed"));
}

TEST_CASE("elementwise: bit for bit the same on any number of threads") {
  const int before = num_threads();
  const std::pair<Shape, Shape> shapes[] = {
      {{500, 401}, {401}}, {{500, 401}, {500, 1}}, {{3, 100003}, {100003}}, {{200003}, {}}, {{200003}, {200003}}};
  for (const auto& [left, right] : shapes) {
    const Tensor a = uniform(left, -1, 1, 1, float32), b = uniform(right, -1, 1, 2, float32);
    std::vector<Floats> expected;
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      std::vector<Floats> found;
      for (const bool many : {false, true}) {
        const Tensor y = many ? stored(a, b) : recomputed(a, b);
        found.push_back(values<float>(y));
        for (const Tensor& g : gradients(y, {a, b})) found.push_back(values<float>(g));
      }
      if (expected.empty()) expected = found;
      CHECK((found == expected));
    }
  }
  set_num_threads(before);
}

TEST_CASE("elementwise: gradients in float32 are summed without loss") {
  const Tensor x = full({1 << 20}, 0.1), one = tensor(1.0).requires_grad_();
  const Tensor g = grad(sum(recomputed(one, x)), {one})[0];  // 2 sum of x
  CHECK(std::abs(g.item() / (0.2 * (1 << 20)) - 1) < 1e-7);
}

TEST_CASE("elementwise: forward mode, of inputs that broadcast and of stored derivatives too") {
  const auto check_jvp = [](const auto& f, const std::vector<Tensor>& x, const std::vector<Tensor>& v) {
    const auto call = [&](const Tensor& a, const Tensor& b) { return f(a, b); };
    const Tensor tangent = jvp(call, x, v).second;
    const double h = 1e-6;
    const Tensor difference = (f(x[0] + h * v[0], x[1] + h * v[1]) - f(x[0] - h * v[0], x[1] - h * v[1])) / (2 * h);
    CHECK(allclose(tangent, difference, {.rtol = 1e-7, .atol = 1e-8}));
    const auto pushed = [&](const Tensor& a, const Tensor& b) { return jvp(call, {a, b}, v).second; };
    CHECK(gradcheck(pushed, x));
  };
  for (const Shape& shape : {Shape{2, 3}, Shape{3}, Shape{2, 1}, Shape{}}) {
    const std::vector<Tensor> x = {uniform({2, 3}, 0.2, 1, 1, float64), uniform(shape, 0.2, 1, 2, float64)};
    const std::vector<Tensor> v = {uniform({2, 3}, -1, 1, 3, float64), uniform(shape, -1, 1, 4, float64)};
    check_jvp(stored, x, v);
    check_jvp(recomputed, x, v);
    check_jvp(stored, {x[1], x[0]}, {v[1], v[0]});
  }
}

TEST_CASE("elementwise: errors name the operation") {
  CHECK_THROWS_WITH(
      stored(ones({2, 3}), ones({4})),
      Catch::StartsWith(
          "stored: shapes (2, 3) and (4,) do not broadcast: sizes 3 and 4 at axis 1; counted from the last "
          "axis, sizes must be equal or one of them 1"));
  CHECK_THROWS_WITH(
      stored(ones({2, 3}).requires_grad_(), ones({4})),
      Catch::StartsWith(
          "stored: shapes (2, 3) and (4,) do not broadcast: sizes 3 and 4 at axis 1; counted from the last "
          "axis, sizes must be equal or one of them 1"));
  CHECK_THROWS_WITH(stored(ones({2}), Tensor()), Catch::StartsWith("stored: input 1 is an undefined tensor"));
  Tensor x = doubles({1, 2}), w = x * 1.0;
  const Tensor y = sum(recomputed(w, w));
  w.add_(1);
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("recomputed"));
  using Binary = decltype(stored);
  static_assert(std::is_invocable_v<Binary, Tensor, Tensor>);
  static_assert(!std::is_invocable_v<Binary, Tensor> && !std::is_invocable_v<Binary, Tensor, Tensor, Tensor>);
  static_assert(detail::lane_count<decltype([](double v) { return v; })>() == 0);
}

TEST_CASE("elementwise: on more memory than caches hold, every element is computed as one of few is") {
  constexpr auto f = elementwise("f", [](auto a, auto b) { return a * sigmoid(b) + tanh(a * b); });
  const std::int64_t n = 1'100'000;
  const auto run = [&](std::int64_t begin, std::int64_t end, const Tensor& x, const Tensor& y) {
    const Tensor a = slice(x, 0, begin, end).detach().requires_grad_(),
                 b = slice(y, 0, begin, end).detach().requires_grad_();
    const Tensor out = f(a, b);
    sum(out).backward();
    return std::vector{out.detach(), a.grad(), b.grad()};
  };
  const Tensor x = uniform({n}, -3, 3, 1, float32), y = uniform({n}, -3, 3, 2, float32);
  const auto all = run(0, n, x, y);
  for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{549'900}, n - 1000}) {
    const auto some = run(begin, begin + 1000, x, y);
    for (std::size_t i = 0; i < all.size(); ++i)
      CHECK(largest_difference(slice(all[i], 0, begin, begin + 1000), some[i]) < 1e-6);
  }
}
