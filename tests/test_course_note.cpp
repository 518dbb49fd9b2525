// The formulas of the course note on hyperparameters, batch norm and softmax, one test each.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <vector>

#include "catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions f64{.dtype = float64};

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Tensor out = empty(shape, f64);
  Generator(seed).normal(out.data<double>(), out.numel(), 1.5, 2);
  return out;
}

Tensor parameter(const Tensor& values) { return values.clone().requires_grad_(); }

std::vector<double> values(const Tensor& x) {
  const Tensor dense = x.detach().contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

void check_close(const Tensor& actual, const Tensor& expected, double tolerance = 1e-12) {
  REQUIRE(actual.shape() == expected.shape());
  const auto a = values(actual), e = values(expected);
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO("element " << i << ": " << a[i] << ", expected " << e[i]);
    CHECK(std::abs(a[i] - e[i]) <= tolerance * std::max(1.0, std::abs(e[i])));
  }
}

}  // namespace

TEST_CASE("course note: batch norm makes z normal with mu = 1/m sum z and sigma^2 = 1/m sum (z - mu)^2") {
  const Tensor z = normal({7, 3}, 1);
  const double eps = 1e-5;
  const auto in = values(z), out = values(batch_norm(z, {}, {}, {}, {}, {.training = true, .eps = eps}));
  for (std::size_t c = 0; c < 3; ++c) {
    double mu = 0, variance = 0;
    for (std::size_t i = 0; i < 7; ++i) mu += in[i * 3 + c] / 7;
    for (std::size_t i = 0; i < 7; ++i) variance += (in[i * 3 + c] - mu) * (in[i * 3 + c] - mu) / 7;
    for (std::size_t i = 0; i < 7; ++i)
      CHECK(out[i * 3 + c] == Approx((in[i * 3 + c] - mu) / std::sqrt(variance + eps)).epsilon(1e-12));
  }
}

TEST_CASE("course note: gamma = sqrt(sigma^2 + eps) and beta = mu make batch norm the identity") {
  const Tensor z = normal({9, 4}, 2);
  const double eps = 1e-5;
  const Tensor mu = mean(z, {0}), variance = mean(square(z - mu), {0});
  check_close(batch_norm(z, {}, {}, sqrt(variance + eps), mu, {.training = true, .eps = eps}), z);
}

TEST_CASE("course note: dW, dgamma and dbeta come from back-propagation, and all three are updated") {
  const Tensor x = normal({8, 5}, 3), w0 = normal({4, 5}, 4), gamma0 = normal({4}, 5), beta0 = normal({4}, 6);
  const Tensor upstream = normal({8, 4}, 7);
  const auto loss = [&](const Tensor& w, const Tensor& gamma, const Tensor& beta) {
    return sum(batch_norm(linear(x, w), {}, {}, gamma, beta, {.training = true}) * upstream);
  };
  const auto result = gradcheck(loss, {parameter(w0), parameter(gamma0), parameter(beta0)});
  INFO(result.message);
  CHECK(result);

  Tensor w = parameter(w0), gamma = parameter(gamma0), beta = parameter(beta0);
  loss(w, gamma, beta).backward();
  const Tensor dw = w.grad().clone(), dgamma = gamma.grad().clone(), dbeta = beta.grad().clone();
  check_close(dbeta, sum(upstream, {0}));
  check_close(dgamma, sum(upstream * batch_norm(linear(x, w0), {}, {}, {}, {}, {.training = true}), {0}));
  optim::SGD sgd({w, gamma, beta}, {.lr = 0.1});
  sgd.step();
  check_close(w, w0 - 0.1 * dw);
  check_close(gamma, gamma0 - 0.1 * dgamma);
  check_close(beta, beta0 - 0.1 * dbeta);
}

TEST_CASE("course note: a bias before batch norm has gradient zero") {
  const Tensor x = normal({8, 5}, 8), w = normal({4, 5}, 9), upstream = normal({8, 4}, 10);
  Tensor b = parameter(normal({4}, 11));
  sum(batch_norm(linear(x, w, b), {}, {}, {}, {}, {.training = true}) * upstream).backward();
  for (const double g : values(b.grad())) CHECK(std::abs(g) < 1e-12);
}

TEST_CASE(
    "course note: at test time exponentially weighted averages of mu and sigma^2 over the mini-batches normalise") {
  Tensor running_mean = zeros({3}, f64), running_var = ones({3}, f64);
  std::vector<double> mu(3, 0), variance(3, 1);
  for (std::uint64_t batch = 0; batch < 5; ++batch) {
    const Tensor z = normal({6, 3}, 20 + batch);
    batch_norm(z, running_mean, running_var, {}, {}, {.training = true, .momentum = 0.1});
    const auto in = values(z);
    for (std::size_t c = 0; c < 3; ++c) {
      double m = 0, v = 0;
      for (std::size_t i = 0; i < 6; ++i) m += in[i * 3 + c] / 6;
      for (std::size_t i = 0; i < 6; ++i) v += (in[i * 3 + c] - m) * (in[i * 3 + c] - m) / 5;
      mu[c] = 0.9 * mu[c] + 0.1 * m;
      variance[c] = 0.9 * variance[c] + 0.1 * v;
    }
  }
  const Tensor z = normal({1, 3}, 30);
  const auto in = values(z), out = values(batch_norm(z, running_mean, running_var));
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(values(running_mean)[c] == Approx(mu[c]).epsilon(1e-12));
    CHECK(values(running_var)[c] == Approx(variance[c]).epsilon(1e-12));
    CHECK(out[c] == Approx((in[c] - mu[c]) / std::sqrt(variance[c] + 1e-5)).epsilon(1e-12));
  }
}

TEST_CASE("course note: softmax is a = t / sum t with t = exp z, for a (C, 1) column and for batches") {
  const Tensor column = tensor({{5}, {2}, {-1}, {3}}, f64);
  const Tensor t = exp(column), a = softmax(column, 0);
  check_close(a, t / sum(t));
  CHECK(values(a)[0] == Approx(0.842).margin(5e-4));
  CHECK(values(a)[1] == Approx(0.042).margin(5e-4));
  CHECK(values(a)[2] == Approx(0.002).margin(5e-4));
  CHECK(values(a)[3] == Approx(0.114).margin(5e-4));

  const Tensor batch = normal({6, 4}, 40), exponentials = exp(batch);
  check_close(softmax(batch, 1), exponentials / sum(exponentials, {1}, {.keepdim = true}));
}

TEST_CASE("course note: the loss is L = -sum y log yhat, the cost J = 1/m sum L, and dz = yhat - y") {
  const Tensor z = parameter(normal({6, 4}, 41));
  const Tensor labels = tensor({3, 0, 2, 2, 1, 3}, {.dtype = int64});
  Tensor y = zeros({6, 4}, f64);
  for (std::int64_t i = 0; i < 6; ++i) y.data<double>()[i * 4 + labels.data<std::int64_t>()[i]] = 1;
  const Tensor yhat = softmax(z.detach(), 1);
  const Tensor each = -sum(y * log(yhat), {1});
  check_close(cross_entropy(z, labels, {.reduction = Reduction::none}), each);
  const Tensor cost = cross_entropy(z, labels);
  check_close(cost, sum(each) / 6.0);
  cost.backward();
  check_close(z.grad(), (yhat - y) / 6.0);
}

namespace {

/// One parameter followed for five steps of gradients 1, -2, 0.5, 3, -1.
template <class MakeOptimizer, class Rule>
void follow(MakeOptimizer make, Rule rule) {
  const double gradients[] = {1, -2, 0.5, 3, -1};
  Tensor w = full({1}, 2, {.dtype = float64, .requires_grad = true});
  auto optimizer = make(std::vector<Tensor>{w});
  double expected = 2;
  for (int t = 1; t <= 5; ++t) {
    w.set_grad(full({1}, gradients[t - 1], f64));
    optimizer->step();
    expected = rule(expected, gradients[t - 1], t);
    CHECK(w.item<double>() == Approx(expected).epsilon(1e-13));
  }
}

}  // namespace

TEST_CASE("course note: gradient descent with momentum") {
  double v = 0;
  follow([](auto p) { return std::make_unique<optim::SGD>(p, optim::SGDOptions{.lr = 0.1, .momentum = 0.9}); },
         [&](double w, double g, int) { return v = 0.9 * v + g, w - 0.1 * v; });
}

TEST_CASE("course note: RMSprop") {
  double s = 0;
  follow([](auto p) { return std::make_unique<optim::RMSprop>(p, optim::RMSpropOptions{.lr = 0.1, .alpha = 0.9}); },
         [&](double w, double g, int) { return s = 0.9 * s + 0.1 * g * g, w - 0.1 * g / (std::sqrt(s) + 1e-8); });
}

TEST_CASE("course note: Adam with bias correction") {
  double v = 0, s = 0;
  follow([](auto p) { return std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 0.1}); },
         [&](double w, double g, int t) {
           v = 0.9 * v + 0.1 * g;
           s = 0.999 * s + 0.001 * g * g;
           const double v_hat = v / (1 - std::pow(0.9, t)), s_hat = s / (1 - std::pow(0.999, t));
           return w - 0.1 * v_hat / (std::sqrt(s_hat) + 1e-8);
         });
}

TEST_CASE("course note: learning-rate decay alpha = alpha0 / (1 + decay_rate * epoch)") {
  Tensor w = full({1}, 2, {.requires_grad = true});
  optim::SGD sgd({w}, {.lr = 0.2});
  optim::InverseTimeLR schedule(sgd, {.decay_rate = 1});
  for (const double expected : {0.2, 0.1, 0.2 / 3, 0.05}) {
    CHECK(sgd.lr() == Approx(expected).epsilon(1e-14));
    schedule.step();
  }
}
