#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/kernels/incomplete.hpp>
#include <xgrad/ops/bitwise.hpp>
#include <xgrad/ops/exponential.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/rounding.hpp>
#include <xgrad/ops/scan.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/special.hpp>

#include <cmath>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>
#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(),
                 no_number = std::numeric_limits<double>::quiet_NaN();

struct Function {
  const char* name;
  Tensor (*of_one)(Operand x);
  Tensor (*of_two)(Operand a, Operand b);
  double ulps;  // how many units in the last place are allowed
};

const Function functions[] = {
    {"log2", log2, nullptr, 1},
    {"log10", log10, nullptr, 1},
    {"exp2", exp2, nullptr, 1},
    {"asinh", asinh, nullptr, 3},
    {"acosh", acosh, nullptr, 3},
    {"atanh", atanh, nullptr, 3},
    {"hypot", nullptr, hypot, 1},
    {"logaddexp", nullptr, logaddexp, 2},
    {"logaddexp2", nullptr, logaddexp2, 2},
    {"erfinv", erfinv, nullptr, 2},
    {"i0", i0, nullptr, 8},
    {"i1", i1, nullptr, 8},
    {"i0e", i0e, nullptr, 8},
    {"i1e", i1e, nullptr, 8},
    {"sinc", sinc, nullptr, 4},
    {"xlogy", nullptr, xlogy, 2},
    {"gammainc", nullptr, gammainc, 32},
    {"gammaincc", nullptr, gammaincc, 32},
    {"beta", nullptr, beta, 128},
    {"betaln", nullptr, betaln, 4},
};

double number(const Tensor& x) { return x.item<double>(); }
Tensor at(double x) { return full({}, x, {.dtype = float64}); }

}  // namespace

TEST_CASE("special functions: right to some units in the last place") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/special.json");
  REQUIRE(file);
  const nlohmann::json reference = nlohmann::json::parse(file);
  for (const Function& f : functions)
    for (const auto& row : reference.at(f.name)) {
      const double x = row[0], expected = row.back();
      const double actual = number(f.of_one ? f.of_one(at(x)) : f.of_two(at(x), at(row[1])));
      const double ulp = std::nextafter(std::abs(expected), infinity) - std::abs(expected);
      INFO(f.name << " at " << row.dump() << ": " << actual << ", off by " << std::abs(actual - expected) / ulp);
      CHECK(std::abs(actual - expected) <= f.ulps * ulp);
    }
}

TEST_CASE("incomplete functions: derivatives by parameters are mpmath's, inverses lead back") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/special.json");
  REQUIRE(file);
  const nlohmann::json reference = nlohmann::json::parse(file);
  const auto check = [&](const std::string& name, auto f) {
    for (const auto& row : reference.at(name)) {
      const auto point = row.get<std::vector<double>>();
      INFO(name << " at " << row.dump());
      CHECK(f(point) == Approx(point.back()).epsilon(1e-11).margin(1e-300));
    }
  };
  using Point = const std::vector<double>&;
  check("gammainc by a", [](Point p) { return elementary::gammainc_by_a(1, p[0], p[1]); });
  check("gammainc by a and a", [](Point p) { return elementary::gammainc_by_a(2, p[0], p[1]); });
  check("betainc", [](Point p) { return elementary::betainc(p[0], p[1], p[2], 1 - p[2]); });
  const auto by = [](int a, int b) {
    return [=](Point p) { return elementary::betainc_by(a, b, p[0], p[1], p[2], 1 - p[2]); };
  };
  check("betainc by a", by(1, 0));
  check("betainc by b", by(0, 1));
  check("betainc by a and a", by(2, 0));
  check("betainc by a and b", by(1, 1));
  check("betainc by b and b", by(0, 2));
  for (const double a : {0.03, 0.8, 12.0, 3000.0})
    for (const double p : {1e-200, 1e-9, 0.3, 0.8, 1 - 1e-12}) {
      INFO("gammaincinv(" << a << ", " << p << ")");
      const double x = elementary::gammaincinv(a, p);
      if (x > 0) CHECK(elementary::gammainc(a, x) == Approx(p).epsilon(1e-11));
      for (const double b : {0.2, 5.0, 400.0}) {
        const double y = elementary::betaincinv(a, b, p);
        INFO("betaincinv(" << a << ", " << b << ", " << p << "): " << y);
        if (y > 1e-300 && y < 0.9) CHECK(elementary::betainc(a, b, y, 1 - y) == Approx(p).epsilon(1e-10));
      }
    }
  CHECK(elementary::gammaincinv(0.01, 1e-10) == 0);  // 1e-1000
  CHECK(elementary::betaincinv(0.01, 2, 1e-10) == 0);
}

TEST_CASE("special functions: special points") {
  CHECK(number(erfinv(at(1))) == infinity);
  CHECK(number(erfinv(at(-1))) == -infinity);
  CHECK(std::isnan(number(erfinv(at(1.5)))));
  CHECK(number(i0(at(infinity))) == infinity);
  CHECK(number(i1(at(-infinity))) == -infinity);
  CHECK(number(i0e(at(infinity))) == 0);
  CHECK(number(sinc(at(0))) == 1);
  CHECK(number(sinc(at(3))) == 0);
  CHECK(number(xlogy(at(0), at(0))) == 0);
  CHECK(number(xlogy(at(0), at(-1))) == 0);
  CHECK(std::isnan(number(xlogy(at(0), at(no_number)))));
  CHECK(number(gammainc(at(0), at(1))) == 1);
  CHECK(number(gammainc(at(2), at(infinity))) == 1);
  CHECK(std::isnan(number(gammainc(at(-1), at(1)))));
  CHECK(number(gammaincinv(at(2), at(0))) == 0);
  CHECK(number(gammaincinv(at(2), at(1))) == infinity);
  CHECK(std::isnan(number(gammaincinv(at(2), at(1.5)))));
  CHECK(number(betainc(at(2), at(3), at(0))) == 0);
  CHECK(number(betainc(at(2), at(3), at(1))) == 1);
  CHECK(std::isnan(number(betainc(at(2), at(3), at(1.5)))));
  CHECK(number(betaincinv(at(2), at(3), at(1))) == 1);
  CHECK(std::isnan(number(betaincinv(at(0), at(3), at(0.5)))));
  CHECK(number(logaddexp(at(infinity), at(infinity))) == infinity);
  CHECK(number(logaddexp(at(-infinity), at(-infinity))) == -infinity);
  CHECK(number(logaddexp(at(-infinity), at(2))) == 2);
  CHECK(number(hypot(at(infinity), at(no_number))) == infinity);
  CHECK(number(log2(at(8))) == 3);
  CHECK(std::isnan(number(acosh(at(0.5)))));
  CHECK(number(atanh(at(1))) == infinity);
}

TEST_CASE("special functions: derivatives at special points") {
  const auto slope = [](auto f, double x) {
    const Tensor v = at(x).requires_grad_();
    return number(grad(f(v), v));
  };
  CHECK(slope([](auto& x) { return sinc(x); }, 0) == 0);
  CHECK(slope([](auto& x) { return i1(x); }, 0) == 0.5);
  CHECK(slope([](auto& x) { return i1e(x); }, 0) == 0.5);
  CHECK(slope([](auto& x) { return hypot(x, x); }, 0) == 0);
  const Tensor a = at(2).requires_grad_();
  const Tensor once = grad(gammainc(a, at(1)), a, {.create_graph = true}),
               twice = grad(once, a, {.create_graph = true});
  CHECK_THROWS_WITH(grad(twice, a), Catch::StartsWith("gammainc: a third derivative by a"));
  const Tensor x = at(0).requires_grad_();
  const Tensor first = grad(sinc(x), x, {.create_graph = true});
  CHECK(number(grad(first, x)) == Approx(-M_PI * M_PI / 3).epsilon(1e-14));
}

TEST_CASE("cumprod, cummax, cummin, logcumsumexp: numbers that are none, and infinities") {
  const Tensor x = tensor({1, no_number, 3, infinity}, {.dtype = float64});
  CHECK(std::isnan(number(select(cummax(x, 0).values, 0, 3))));
  CHECK(select(cummax(x, 0).indices, 0, 2).item<std::int64_t>() == 1);
  Tensor y = tensor({-infinity, -infinity, 1, -infinity}, {.dtype = float64}).requires_grad_();
  const Tensor sums = logcumsumexp(y, 0);
  CHECK(sums.to_vector<double>() == std::vector<double>{-infinity, -infinity, 1, 1});
  CHECK(grad(sum(slice(sums, 0, 2)), y).to_vector<double>() == std::vector<double>{0, 0, 2, 0});
  CHECK(cumprod(tensor({2, 3}, {.dtype = int8}), 0).dtype() == int64);
  const Tensor large = tensor({1e300, 1e300, 1e-300, 1e-300}, {.dtype = float64}).requires_grad_();
  CHECK(std::isinf(number(select(cumprod(large, 0), 0, 1))));
}

TEST_CASE("bitwise: shorter integers wrap around") {
  const Tensor x = tensor({-128, 127, 3}, {.dtype = int8});
  CHECK((x << 1).to_vector<std::int8_t>() == std::vector<std::int8_t>{0, -2, 6});
  CHECK((x >> 9).to_vector<std::int8_t>() == std::vector<std::int8_t>{-1, 0, 0});
  CHECK((~tensor({0, 255}, {.dtype = uint8})).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{255, 0});
  CHECK((x << -1).to_vector<std::int8_t>() == std::vector<std::int8_t>{0, 0, 0});
}

TEST_CASE("rounding: numbers in place of what is none, by dtype; integers stay") {
  const Tensor x = tensor({no_number, infinity, -infinity});
  CHECK(nan_to_num(x.to(float16)).to(float64).to_vector<double>() == std::vector<double>{0, 65504, -65504});
  CHECK(nan_to_num(x).to_vector<float>()[1] == std::numeric_limits<float>::max());
  const Tensor mixed = tensor({no_number, infinity, -infinity, 2.5}, {.dtype = float64, .requires_grad = true});
  const Tensor numbers = nan_to_num(mixed, {.nan = 1, .posinf = 20, .neginf = -30});
  CHECK(numbers.to_vector<double>() == std::vector<double>{1, 20, -30, 2.5});
  CHECK(grad(sum(numbers), mixed).to_vector<double>() == std::vector<double>{0, 0, 0, 1});
  CHECK(number(nansum(tensor({1.5, no_number, -2.0}, {.dtype = float64}))) == -0.5);
  CHECK(number(nanmean(tensor({1.5, no_number, -2.0}, {.dtype = float64}))) == -0.25);
  CHECK(round(tensor({5, 7})).dtype() == int64);
  CHECK(floor(tensor({5, -7})).to_vector<std::int64_t>() == std::vector<std::int64_t>{5, -7});
  CHECK(floor(tensor({5}, {.dtype = uint8})).dtype() == uint8);
  CHECK(std::isnan(number(nanmean(tensor({no_number, no_number}, {.dtype = float64})))));
}
