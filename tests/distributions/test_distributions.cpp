#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/distributions/kl_divergence.hpp>
#include <xgrad/kernels/incomplete.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/gather.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/sorting.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>

#include <nlohmann/json.hpp>
#include "../catch.hpp"

using namespace xgrad;
using namespace xgrad::distributions;
using nlohmann::json;

namespace {

double to_double(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

Tensor to_tensor(const json& value) {
  if (value.is_number()) return full({}, value.get<double>(), {.dtype = float64});
  std::vector<double> numbers;
  Shape shape;
  for (const json* at = &value; at->is_array(); at = &at->front())
    shape.push_back(static_cast<std::int64_t>(at->size()));
  for (const json& item : value.flatten()) numbers.push_back(item.get<double>());
  return from_values(numbers, shape, {.dtype = float64});
}

void check_close(const Tensor& actual, const json& expected, const char* what) {
  INFO(what << ": " << actual << ", expected " << expected.dump());
  Shape shape;
  for (const json& size : expected["shape"]) shape.push_back(size.get<std::int64_t>());
  REQUIRE(actual.shape() == shape);
  const std::vector<double> values = actual.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double wanted = to_double(expected["values"][i]);
    INFO("element " << i);
    CHECK((std::isnan(wanted)   ? std::isnan(values[i])
           : std::isinf(wanted) ? values[i] == wanted
                                : std::abs(values[i] - wanted) <= 1e-12 + 1e-9 * std::abs(wanted)));
  }
}

/// The parameters of a case, by name, which may require gradients.
struct Parameters {
  const json& values;
  bool requires_grad = false;
  std::vector<Tensor> used = {};
  Tensor operator()(const char* name) {
    if (!values.contains(name)) return {};
    Tensor x = to_tensor(values[name]);
    if (requires_grad && std::string(name) != "total_count") used.push_back(x.requires_grad_());
    return x;
  }
  ProbabilityOptions probabilities() {
    return values.contains("probs") ? ProbabilityOptions{.probs = (*this)("probs")}
                                    : ProbabilityOptions{.logits = (*this)("logits")};
  }
};

template <class D>
void check_case(const json& expected, D (*make)(Parameters&)) {
  Parameters parameters{expected["parameters"], true};
  const D d = make(parameters);
  const Tensor value = to_tensor(expected["value"]);
  const Tensor log_prob = d.log_prob(value);
  check_close(log_prob, expected["log_prob"], "log_prob");
  check_close(d.mean(), expected["mean"], "mean");
  check_close(d.variance(), expected["variance"], "variance");
  if (!expected["gradients"].empty()) {
    Tensor upstream = empty(log_prob.shape(), {.dtype = float64});
    for (std::int64_t i = 0; i < upstream.numel(); ++i)
      upstream.data<double>()[i] =
          std::isfinite(log_prob.to_vector<double>()[static_cast<std::size_t>(i)]) ? std::sin(double(i + 1)) : 0;
    const auto gradients = grad({log_prob}, parameters.used, {.allow_unused = true, .grad_outputs = {upstream}});
    for (std::size_t i = 0; i < gradients.size(); ++i) check_close(gradients[i], expected["gradients"][i], "gradient");
  }
  if constexpr (requires { d.entropy(); })
    if (expected.contains("entropy")) check_close(d.entropy(), expected["entropy"], "entropy");
  if constexpr (requires { d.cdf(value); })
    if (expected.contains("cdf")) {
      Parameters constants{expected["parameters"]};
      check_close(make(constants).cdf(value), expected["cdf"], "cdf");
    }
  if constexpr (requires { d.icdf(value); })
    if (expected.contains("icdf"))
      check_close(d.icdf(tensor({0.05, 0.3, 0.6, 0.99}, {.dtype = float64})), expected["icdf"], "icdf");
  if constexpr (requires { kl_divergence(d, d); })
    if (expected.contains("kl")) {
      Parameters of_other{expected["other"]};
      check_close(kl_divergence(d, make(of_other)), expected["kl"], "kl_divergence");
    }
}

void check_any(const json& c) {
  const std::string name = c["name"];
  INFO(c["name"] << " " << c["parameters"].dump());
  if (name == "Normal")
    check_case<Normal>(c, [](auto& p) {
      const Tensor a = p("loc"), b = p("scale");
      return Normal(a, b);
    });
  else if (name == "LogNormal")
    check_case<LogNormal>(c, [](auto& p) {
      const Tensor a = p("loc"), b = p("scale");
      return LogNormal(a, b);
    });
  else if (name == "Laplace")
    check_case<Laplace>(c, [](auto& p) {
      const Tensor a = p("loc"), b = p("scale");
      return Laplace(a, b);
    });
  else if (name == "Cauchy")
    check_case<Cauchy>(c, [](auto& p) {
      const Tensor a = p("loc"), b = p("scale");
      return Cauchy(a, b);
    });
  else if (name == "StudentT")
    check_case<StudentT>(c, [](auto& p) {
      const Tensor a = p("df"), b = p("loc"), s = p("scale");
      return StudentT(a, b, s);
    });
  else if (name == "Uniform")
    check_case<Uniform>(c, [](auto& p) {
      const Tensor a = p("low"), b = p("high");
      return Uniform(a, b);
    });
  else if (name == "Exponential")
    check_case<Exponential>(c, [](auto& p) { return Exponential(p("rate")); });
  else if (name == "Gamma")
    check_case<Gamma>(c, [](auto& p) {
      const Tensor a = p("concentration"), b = p("rate");
      return Gamma(a, b);
    });
  else if (name == "Chi2")
    check_case<Chi2>(c, [](auto& p) { return Chi2(p("df")); });
  else if (name == "Beta")
    check_case<Beta>(c, [](auto& p) {
      const Tensor a = p("concentration1"), b = p("concentration0");
      return Beta(a, b);
    });
  else if (name == "Dirichlet")
    check_case<Dirichlet>(c, [](auto& p) { return Dirichlet(p("concentration")); });
  else if (name == "Bernoulli")
    check_case<Bernoulli>(c, [](auto& p) { return Bernoulli(p.probabilities()); });
  else if (name == "Geometric")
    check_case<Geometric>(c, [](auto& p) { return Geometric(p.probabilities()); });
  else if (name == "Poisson")
    check_case<Poisson>(c, [](auto& p) { return Poisson(p("rate")); });
  else if (name == "Binomial")
    check_case<Binomial>(c, [](auto& p) { return Binomial(p("total_count"), p.probabilities()); });
  else if (name == "Categorical")
    check_case<Categorical>(c, [](auto& p) { return Categorical(p.probabilities()); });
  else if (name == "Multinomial")
    check_case<Multinomial>(c, [](auto& p) { return Multinomial(6, p.probabilities()); });
  else if (name == "MultivariateNormal")
    check_case<MultivariateNormal>(c, [](auto& p) {
      const Tensor loc = p("loc");
      return MultivariateNormal(
          loc, {.covariance_matrix = p("covariance_matrix"), .precision_matrix = p("precision_matrix")});
    });
  else
    FAIL("a distribution that the test does not know");
}

void check_pairs(const json& expected) {
  const auto f = [](double x) { return full({}, x, {.dtype = float64}); };
  const Normal normal(f(0.3), 1.2);
  const Exponential exponential(f(0.7));
  const Laplace laplace(f(0.5), 1.5);
  const Uniform uniform(f(0.2), 1.7);
  const Gamma gamma(f(2.5), 1.3);
  const Beta beta(f(1.5), 2.5);
  const Exponential slow(f(0.8));
  const Tensor found[] = {
      kl_divergence(laplace, normal),    kl_divergence(uniform, normal),   kl_divergence(slow, normal),
      kl_divergence(gamma, normal),      kl_divergence(beta, normal),      kl_divergence(uniform, exponential),
      kl_divergence(gamma, exponential), kl_divergence(beta, exponential), kl_divergence(slow, Gamma(f(1.8), 0.6))};
  for (std::size_t i = 0; i < std::size(found); ++i) {
    INFO("pair " << i);
    CHECK(found[i].item() == Approx(expected[i].get<double>()).epsilon(1e-12));
  }
}

constexpr std::int64_t draws = 200000;

Tensor f64(double x) { return full({}, x, {.dtype = float64}); }

/// What kolmogorov_smirnov() is above once in 20000 times.
constexpr double limit = 2.3;

/// The largest distance between the distribution function and the share of a million draws up to a point, times the
/// root of their number. Of the draws in order every 100th is looked at; the others can be off by 0.1 more.
double kolmogorov_smirnov(const Tensor& sample, const std::function<Tensor(const Tensor& x)>& cdf) {
  const std::vector<double> x = sort(sample).values.to_vector<double>();
  const auto n = static_cast<double>(x.size());
  std::vector<double> points, shares;
  for (std::size_t i = 0; i < x.size(); i += 100) {
    while (i + 1 < x.size() && x[i + 1] == x[i]) ++i;
    points.push_back(x[i]), shares.push_back(static_cast<double>(i + 1) / n);
  }
  const std::vector<double> f = cdf(tensor(points)).to_vector<double>();
  double largest = 0;
  for (std::size_t i = 0; i < f.size(); ++i) largest = std::max(largest, std::abs(f[i] - shares[i]));
  return largest * std::sqrt(n);
}
template <class D>
double kolmogorov_smirnov(const D& d) {
  Generator generator(17);
  return kolmogorov_smirnov(d.sample({1000000}, {.generator = &generator}), [&](const Tensor& x) { return d.cdf(x); });
}
/// Of the first number of vectors, whose distribution is known.
template <class D, class Of>
double kolmogorov_smirnov_of_first(const D& d, const Of& of_first) {
  Generator generator(17);
  return kolmogorov_smirnov(select(d.sample({1000000}, {.generator = &generator}), 1, 0),
                            [&](const Tensor& x) { return of_first.cdf(x); });
}

}  // namespace

TEST_CASE("distributions: densities, moments, entropies and divergences are PyTorch's") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/distributions.json");
  REQUIRE(file);
  for (const json& c : json::parse(file)) c["name"] == "pairs" ? check_pairs(c["kl"]) : check_any(c);
}

TEST_CASE("distributions: cdf and icdf have gradients for parameters too, and are inverses") {
  const Tensor values = tensor({0.2, 0.55, 0.9}, {.dtype = float64, .requires_grad = true}),
               a = tensor({0.7, 2.5, 9.0}, {.dtype = float64, .requires_grad = true}),
               b = tensor({1.4, 0.6, 3.0}, {.dtype = float64, .requires_grad = true});
  const auto check = [&](const char* name, auto make) {
    INFO(name);
    const auto of = [&](const std::vector<Tensor>& x) {
      const auto d = make(x[1], x[2]);
      return std::vector<Tensor>{d.cdf(x[0]), d.icdf(x[0])};
    };
    const auto first = gradcheck(of, {values, a, b}), second = gradgradcheck(of, {values, a, b});
    INFO(first.message << second.message);
    CHECK(first);
    CHECK(second);
    const auto d = make(a.detach(), b.detach());
    CHECK(allclose(d.cdf(d.icdf(values.detach())), values.detach(), {.rtol = 1e-12}));
  };
  check("Gamma", [](const Tensor& x, const Tensor& y) { return Gamma(x, y); });
  check("Beta", [](const Tensor& x, const Tensor& y) { return Beta(x, y); });
  check("StudentT", [](const Tensor& x, const Tensor& y) { return StudentT(x, 0.1, y); });
  check("Normal", [](const Tensor& x, const Tensor& y) { return Normal(x, y); });
  CHECK(StudentT(3).icdf(tensor({0.5})).item() == Approx(0).margin(1e-7));
  const Tensor p = f64(0.5).requires_grad_();
  CHECK(grad(StudentT(f64(3)).icdf(p), p).item() == Approx(2.720699046351327));  // 1 over the density at 0
  const Tensor zero = f64(0).requires_grad_();
  CHECK(grad(StudentT(f64(3)).cdf(zero), zero).item() == Approx(1 / 2.720699046351327));
  const Tensor chance = f64(0.3).requires_grad_();
  const auto binomial = gradcheck(
      [](const std::vector<Tensor>& x) { return std::vector<Tensor>{Binomial(9, {.probs = x[0]}).cdf(f64(4))}; },
      {chance});
  INFO(binomial.message);
  CHECK(binomial);
}

TEST_CASE("distributions: counts below which a share lies") {
  for (const double rate : {0.0, 0.3, 17.0, 1e5})
    for (const double p : {0.0, 1e-9, 0.2, 0.5, 0.999}) {
      const Poisson poisson(f64(rate));
      const Tensor k = poisson.icdf(f64(p));
      INFO("rate " << rate << ", p " << p << ": " << k.item());
      CHECK(poisson.cdf(k).item() >= p);
      CHECK(poisson.cdf(k - 1).item() <= p);
    }
  CHECK(Poisson(2).icdf(f64(1)).item() == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(Poisson(2).icdf(f64(1.5)).item()));
  CHECK(Binomial(5, {.probs = 0.3}).icdf(f64(1)).item() == 5);
  CHECK(Geometric({.probs = 0.5}).icdf(f64(0.75)).item() == 1);
  const Categorical classes({.probs = tensor({{2, 5, 3, 0}, {0, 1, 0, 1}}, {.dtype = float64, .requires_grad = true})});
  CHECK(classes.cdf(tensor({1.5, -0.5})).to_vector<double>() == std::vector<double>{0.7, 0});
  CHECK(classes.cdf(tensor({{7, 1}, {0, 3}, {2, 2}})).to_vector<double>() ==
        std::vector<double>{1, 0.5, 0.2, 1, 1, 0.5});
  CHECK(grad(sum(classes.cdf(tensor({1, 1}))), classes.probs).to_vector<double>() ==
        std::vector<double>{1, 1, 0, 0, 1, 1, 0, 0});
  const Tensor found = classes.icdf(tensor({{0.0, 0.0}, {0.19, 0.5}, {0.69, 0.51}, {1.0, 1.0}, {-0.1, 1.1}}));
  CHECK(std::isnan(found.to_vector<double>()[8]));
  CHECK(std::isnan(found.to_vector<double>()[9]));
  CHECK(narrow(found, 0, 0, 4).to_vector<double>() == std::vector<double>{0, 0, 0, 1, 1, 3, 2, 3});
  CHECK(Poisson(f64(1e4)).entropy().item() == Approx(0.5 * std::log(2 * M_PI * std::exp(1) * 1e4)).epsilon(1e-5));
}

TEST_CASE("distributions: draws have the distribution (Kolmogorov and Smirnov)") {
  CHECK(kolmogorov_smirnov(Normal(f64(1), 2)) < limit);
  CHECK(kolmogorov_smirnov(LogNormal(f64(0.3), 0.8)) < limit);
  CHECK(kolmogorov_smirnov(Laplace(f64(-1), 0.5)) < limit);
  CHECK(kolmogorov_smirnov(Cauchy(f64(0.5), 2)) < limit);
  CHECK(kolmogorov_smirnov(StudentT(f64(2.5), 1, 3)) < limit);
  CHECK(kolmogorov_smirnov(Uniform(f64(-1), 4)) < limit);
  CHECK(kolmogorov_smirnov(Exponential(f64(0.7))) < limit);
  for (const double a : {0.05, 0.6, 1.0, 3.7, 250.0}) CHECK(kolmogorov_smirnov(Gamma(f64(a), 1.5)) < limit);
  CHECK(kolmogorov_smirnov(Chi2(f64(3))) < limit);
  CHECK(kolmogorov_smirnov(Beta(f64(0.3), 0.6)) < limit);
  CHECK(kolmogorov_smirnov(Beta(f64(5), 12)) < limit);
  CHECK(kolmogorov_smirnov(Bernoulli({.probs = f64(0.3)})) < limit);
  CHECK(kolmogorov_smirnov(Geometric({.probs = f64(0.2)})) < limit);
  for (const double rate : {0.4, 8.0, 12.0, 300.0}) CHECK(kolmogorov_smirnov(Poisson(f64(rate))) < limit);
  CHECK(kolmogorov_smirnov(Binomial(f64(9), {.probs = f64(0.4)})) < limit);
  CHECK(kolmogorov_smirnov(Binomial(f64(400), {.probs = f64(0.3)})) < limit);
  CHECK(kolmogorov_smirnov(Binomial(f64(400), {.probs = f64(0.9)})) < limit);
  const Tensor a = tensor({0.7, 2.0, 3.5}, {.dtype = float64}), p = a / 6.2;
  CHECK(kolmogorov_smirnov_of_first(Dirichlet(a), Beta(f64(0.7), 5.5)) < limit);
  CHECK(kolmogorov_smirnov_of_first(Multinomial(50, {.probs = p}), Binomial(50, {.probs = p[0]})) < limit);
  const MultivariateNormal vectors(tensor({1, -2}, {.dtype = float64}),
                                   {.covariance_matrix = tensor({{2, 0.7}, {0.7, 1}}, {.dtype = float64})});
  CHECK(kolmogorov_smirnov_of_first(vectors, Normal(f64(1), std::sqrt(2.0))) < limit);
  Generator generator(17);
  const Tensor classes = Categorical({.probs = p}).sample({1000000}, {.generator = &generator});
  CHECK(kolmogorov_smirnov(classes.to(float64), [&](const Tensor& x) { return Categorical({.probs = p}).cdf(x); }) <
        limit);
}

TEST_CASE("distributions: draws of vectors and classes have the mean and variance") {
  Generator generator(5);
  const auto check_moments = [&](const auto& d) {
    const Tensor x = d.sample({draws}, {.generator = &generator}).to(float64);
    const Tensor error = sqrt(d.variance() / double(draws));
    CHECK(all(abs(mean(x, 0) - d.mean()) <= 5 * error).template item<bool>());
    CHECK(allclose(var(x, 0), d.variance(), {.rtol = 0.03, .atol = 1e-12}));
  };
  check_moments(Dirichlet(tensor({0.2, 1, 3.5}, {.dtype = float64})));
  check_moments(Multinomial(50, {.probs = tensor({0.2, 0, 0.5, 0.3}, {.dtype = float64})}));
  check_moments(MultivariateNormal(tensor({1, -2}, {.dtype = float64}),
                                   {.covariance_matrix = tensor({{2, 0.7}, {0.7, 1}}, {.dtype = float64})}));
  const Categorical categorical({.probs = tensor({{0.2, 0.0, 0.8}, {1, 1, 2}}, {.dtype = float64})});
  const Tensor classes = categorical.sample({draws}, {.generator = &generator});
  CHECK(classes.shape() == Shape{draws, 2});
  for (std::int64_t k = 0; k < 3; ++k) {
    const Tensor share = mean((classes == k).to(float64), 0), p = select(categorical.probs, 1, k);
    CHECK(all(abs(share - p) <= 5 * sqrt(p * (1 - p) / double(draws))).item<bool>());
  }
}

TEST_CASE("distributions: the same draws at any number of threads") {
  const auto all_draws = [] {
    Generator generator(3);
    const SampleOptions options{.generator = &generator};
    const Tensor a = tensor({0.3, 2, 30}, {.dtype = float64});
    std::vector<double> drawn;
    const auto add = [&](const Tensor& x) {
      const std::vector<double> values = x.to(float64).to_vector<double>();
      drawn.insert(drawn.end(), values.begin(), values.end());
    };
    add(Gamma(a, 1).sample({2000}, options)), add(Beta(a, 2).sample({2000}, options));
    add(Poisson(a).sample({2000}, options)), add(Binomial(100, {.probs = 0.01 * a}).sample({2000}, options));
    add(Dirichlet(a).sample({2000}, options)), add(Categorical({.probs = a}).sample({6000}, options));
    add(Multinomial(20, {.probs = a}).sample({500}, options)), add(Normal(a, 1).sample({2000}, options));
    return drawn;
  };
  const int before = num_threads();
  set_num_threads(1);
  const std::vector<double> expected = all_draws();
  set_num_threads(3);
  CHECK(all_draws() == expected);
  set_num_threads(before);
}

TEST_CASE("distributions: implicit gradients move samples so that the distribution function stays") {
  for (const double a : {0.05, 0.4, 1.0, 3.0, 40.0, 900.0})
    for (const double z : {-2.0, -0.5, 0.3, 1.7}) {
      const double x = a * std::exp(z / std::sqrt(std::max(a, 1.0))), h = 1e-5 * a;
      const double slope = elementary::gamma_sample_slope(a, x);
      const double density = std::exp((a - 1) * std::log(x) - x - std::lgamma(a));
      const double by_a = (elementary::gammainc(a + h, x) - elementary::gammainc(a - h, x)) / (2 * h);
      INFO("gamma " << a << " at " << x);
      CHECK(-by_a / density == Approx(slope).epsilon(1e-5));
    }
  for (const double a : {0.1, 0.7, 2.0, 25.0})
    for (const double b : {0.2, 1.0, 6.0, 80.0})
      for (const double z : {-1.0, 0.2, 1.5}) {
        const double odds = a / b * std::exp(z / std::sqrt(std::max(1.0, std::min(a, b)))), x = odds / (1 + odds),
                     rest = 1 / (1 + odds);
        const auto [by_a, by_b] = elementary::beta_sample_slopes(a, b, x, rest);
        const double density = std::exp((a - 1) * std::log(x) + (b - 1) * std::log(rest) + std::lgamma(a + b) -
                                        std::lgamma(a) - std::lgamma(b));
        const auto difference = [&](double da, double db) {
          return (elementary::betainc(a + da, b + db, x, rest) - elementary::betainc(a - da, b - db, x, rest)) /
                 (2 * (da + db));
        };
        INFO("beta " << a << ", " << b << " at " << x);
        CHECK(-difference(1e-5 * a, 0) / density == Approx(by_a).epsilon(1e-5));
        CHECK(-difference(0, 1e-5 * b) / density == Approx(by_b).epsilon(1e-5));
      }
}

TEST_CASE("distributions: rsample has these gradients, and those of broadcast parameters") {
  Generator generator(9);
  const SampleOptions options{.generator = &generator};
  const Tensor a = tensor({0.4, 2, 30}, {.dtype = float64, .requires_grad = true}), b = f64(1.5).requires_grad_();
  const Tensor x = Gamma(a, 2).rsample({4}, options);
  const std::vector<double> by_a = grad(sum(x), a).to_vector<double>(), values = x.to_vector<double>();
  for (std::size_t i = 0; i < 3; ++i) {
    double expected = 0;
    for (std::size_t row = 0; row < 4; ++row)
      expected += 0.5 * elementary::gamma_sample_slope(a.to_vector<double>()[i], 2 * values[3 * row + i]);
    CHECK(by_a[i] == Approx(expected).epsilon(1e-12));
  }
  const Tensor y = Beta(a, b).rsample({}, options);
  const auto slopes = grad({y}, {a, b}, {.grad_outputs = {ones_like(y)}});
  double by_b = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double at = y.to_vector<double>()[i];
    const auto [of_a, of_b] = elementary::beta_sample_slopes(a.to_vector<double>()[i], 1.5, at, 1 - at);
    CHECK(slopes[0].to_vector<double>()[i] == Approx(of_a).epsilon(1e-8));
    by_b += of_b;
  }
  CHECK(slopes[1].item<double>() == Approx(by_b).epsilon(1e-8));
  // Each component moves as a beta variable; the sum stays 1.
  const Tensor z = Dirichlet(a).rsample({}, options);
  const Tensor of_first = grad(select(z, 0, 0), a, {.retain_graph = true});
  const double first = z.to_vector<double>()[0];
  CHECK(of_first.to_vector<double>()[0] ==
        Approx(elementary::beta_sample_slopes(0.4, 32, first, 1 - first).first).epsilon(1e-8));
  CHECK(amax(abs(grad(sum(z), a))).item<double>() < 1e-12);
  CHECK_THROWS_WITH(grad(sum(Gamma(a, 2).rsample({4}, options)), a, {.create_graph = true}),
                    Catch::Contains("Gamma::rsample"));
}

TEST_CASE("distributions: outside the support, and parameters that are out of range") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(Gamma(2, 1).log_prob(f64(-1)).item() == -infinity);
  CHECK(Beta(2, 1).log_prob(f64(1.5)).item() == -infinity);
  CHECK(Poisson(2).log_prob(f64(1.5)).item() == -infinity);
  CHECK(Binomial(4, {.probs = 0.5}).log_prob(f64(5)).item() == -infinity);
  CHECK(Uniform(0, 1).log_prob(f64(1)).item() == -infinity);
  CHECK_THROWS_WITH(Normal(0, -1), Catch::Contains("Normal: scale has 1 element that is not above 0"));
  CHECK_THROWS_WITH(Normal(zeros({2}), ones({3})), Catch::Contains("Normal"));
  CHECK_THROWS_WITH(Bernoulli({.probs = 1.5}), Catch::Contains("outside [0, 1]"));
  CHECK_THROWS_WITH(Bernoulli({}), Catch::Contains("either probs or logits"));
  CHECK_THROWS_WITH(Uniform(1, 1), Catch::Contains("not above low"));
  CHECK_THROWS_WITH(MultivariateNormal(zeros({2}), {}), Catch::Contains("give one of"));
  CHECK_THROWS_WITH(Categorical({.probs = zeros({3})}), Catch::Contains("sum of probs"));
  CHECK(Normal(zeros({0}), 1).rsample({3}).shape() == Shape{3, 0});
  CHECK(Gamma(zeros({0}), 1).log_prob(f64(1)).shape() == Shape{0});
  CHECK(Normal(0, 1).sample({2}).dtype() == float32);
  CHECK(Normal(0, 1).loc.dtype() == float32);
  CHECK(Normal(f64(0), 0.1).scale.item() == 0.1);
}
