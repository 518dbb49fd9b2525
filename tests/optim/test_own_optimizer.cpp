// Optimizers of one's own: structs with one function.
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <cmath>

#include "../catch.hpp"
#include "../processor_time.hpp"

using namespace xgrad;

namespace {

struct SignMomentum {
  optim::Option<double> lr = optim::by_default(0.1), momentum = optim::by_default(0.5);
  static constexpr std::array buffers{"momentum_buffer"};

  template <class T>
  void update(const optim::Elements<T>& elements) const {
    const T rate = static_cast<T>(lr), beta = static_cast<T>(momentum);
    elements.each([=](T& p, T g, T& m) {
      m = beta * m + (1 - beta) * g;
      p -= m > 0 ? rate : m < 0 ? -rate : T(0);
    });
  }
};

// Adam as a user would write it, for the comparison with ours.
struct OwnAdam {
  optim::Option<double> lr = optim::by_default(1e-3), beta1 = optim::by_default(0.9), beta2 = optim::by_default(0.999);
  double eps = 1e-8;
  static constexpr std::array buffers{"exp_avg", "exp_avg_sq"};

  template <class T>
  void update(const optim::Elements<T>& elements) const {
    const auto t = static_cast<double>(elements.step);
    const T b1 = static_cast<T>(beta1), b2 = static_cast<T>(beta2), small = static_cast<T>(eps);
    const T rate = static_cast<T>(lr / (1 - std::pow(beta1, t)));
    const T root = static_cast<T>(1 / std::sqrt(1 - std::pow(beta2, t)));
    elements.each([=](T& p, T g, T& m, T& v) {
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      p -= rate * m / (elementary::sqrt(v) * root + small);
    });
  }
};

// Each parameter moves by its length.
struct Normalized {
  optim::Option<double> lr = optim::by_default(0.1);
  void update(optim::ParameterUpdate& one) const {
    one.parameter.sub_(one.gradient, {.alpha = lr / norm(one.gradient).item()});
  }
};

// All parameters of a group move by the length of all gradients together.
struct GloballyNormalized {
  optim::Option<double> lr = optim::by_default(0.1);
  void update(std::span<optim::ParameterUpdate> all) const {
    double squares = 0;
    for (const auto& one : all) squares += sum(square(one.gradient)).item();
    for (auto& one : all) one.parameter.sub_(one.gradient, {.alpha = lr / std::sqrt(squares)});
  }
};

struct MuonInFewLines {
  optim::Option<double> lr = optim::by_default(0.02), momentum = optim::by_default(0.95);
  static constexpr std::array buffers{"momentum_buffer"};

  void update(optim::ParameterUpdate& one) const {
    Tensor& m = one.buffers["momentum_buffer"];
    m.add_(one.gradient - m, {.alpha = 1 - momentum});
    Tensor x = m / norm(m);
    for (int i = 0; i < 5; ++i) {
      const Tensor gram = matmul(x, transpose(x, 0, 1));
      x = 3.4445 * x + matmul(-4.775 * gram + 2.0315 * matmul(gram, gram), x);
    }
    one.parameter.sub_(x, {.alpha = double(lr)});
  }
};

struct LAMBInFewLines {
  optim::Option<double> lr = optim::by_default(1e-3), beta1 = optim::by_default(0.9), beta2 = optim::by_default(0.999);
  optim::Option<double> eps = optim::by_default(1e-6), weight_decay = optim::by_default(0.0);
  static constexpr std::array buffers{"exp_avg", "exp_avg_sq"};

  void update(optim::ParameterUpdate& one) const {
    Tensor &m = one.buffers["exp_avg"], &v = one.buffers["exp_avg_sq"];
    m.add_(one.gradient - m, {.alpha = 1 - beta1});
    v.add_(square(one.gradient) - v, {.alpha = 1 - beta2});
    const auto t = static_cast<double>(one.step);
    const Tensor u = m / (1 - std::pow(beta1, t)) / (sqrt(v / (1 - std::pow(beta2, t))) + double(eps)) +
                     double(weight_decay) * one.parameter;
    one.parameter.sub_(u, {.alpha = lr * norm(one.parameter).item() / norm(u).item()});
  }
};

Tensor parameter(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return randn(shape, {.dtype = float64, .requires_grad = true, .generator = &generator});
}

/// Largest difference after some steps on the same gradients.
template <class A, class B>
double difference(const Shape& shape, A&& make_a, B&& make_b) {
  const Tensor a = parameter(shape, 1), b = parameter(shape, 1);
  auto first = make_a(a);
  auto second = make_b(b);
  for (std::uint64_t step = 0; step < 20; ++step) {
    a.set_grad(parameter(shape, 2 + step).detach());
    b.set_grad(a.grad());
    first.step();
    second.step();
  }
  return amax(abs(a - b)).item();
}

}  // namespace

TEST_CASE("optim: an optimizer of one's own has groups, schedules and state") {
  Tensor a = ones({3}, {.requires_grad = true}), b = ones({3}, {.dtype = float64, .requires_grad = true});
  optim::OptimizerOf<SignMomentum> optimizer({{{a}, {}}, {{b}, {.lr = 0.5}}}, {.momentum = 0});
  optim::Schedule schedule(optimizer, optim::linear_warmup(2) >> optim::constant());
  a.set_grad(tensor({1, -2, 0}, {.dtype = float32}));
  b.set_grad(tensor({1, -2, 0}, {.dtype = float64}));
  optimizer.step();
  CHECK(a.at({0}) == 1);
  schedule.step();
  optimizer.step();
  CHECK(a.at({0}) == Approx(0.95));
  CHECK(b.at({1}) == Approx(1.25));
  CHECK(b.at({2}) == 1);
  optim::OptimizerOf<SignMomentum> other({{{a}, {}}, {{b}, {}}});
  other.load_state_dict(optimizer.state_dict());
  CHECK(other.lr(1) == 0.25);
  CHECK(other.state_dict().size() == optimizer.state_dict().size());
}

TEST_CASE("optim: updates that need a parameter as a whole, or all of them") {
  Tensor a = zeros({2}, {.requires_grad = true}), b = zeros({1}, {.requires_grad = true});
  a.set_grad(tensor({3.0, 4.0}));
  b.set_grad(tensor({12.0}));
  optim::OptimizerOf<Normalized>({a, b}, {.lr = 1}).step();
  CHECK(a.at({1}) == Approx(-0.8));
  CHECK(b.at({0}) == Approx(-1));
  optim::OptimizerOf<GloballyNormalized>({a, b}, {.lr = 13}).step();
  CHECK(a.at({1}) == Approx(-4.8));
  CHECK(b.at({0}) == Approx(-13));
}

TEST_CASE("optim: what a user writes in a few lines is what the library has") {
  CHECK(difference(
            {37}, [](const Tensor& p) { return optim::Adam({p}, {.lr = 0.1}); },
            [](const Tensor& p) { return optim::OptimizerOf<OwnAdam>({p}, {.lr = 0.1}); }) < 1e-14);
  CHECK(difference(
            {4, 6}, [](const Tensor& p) { return optim::Muon({p}, {.lr = 0.1, .weight_decay = 0, .nesterov = false}); },
            [](const Tensor& p) { return optim::OptimizerOf<MuonInFewLines>({p}, {.lr = 0.1}); }) < 1e-11);
  CHECK(difference(
            {4, 6}, [](const Tensor& p) { return optim::LAMB({p}, {.lr = 0.1, .weight_decay = 0.1}); },
            [](const Tensor& p) { return optim::OptimizerOf<LAMBInFewLines>({p}, {.lr = 0.1, .weight_decay = 0.1}); }) <
        1e-12);
}

TEST_CASE("optim: an optimizer of one's own is as fast as ours") {
  if (!times_tell) return;
  const Tensor p = zeros({8192}, {.requires_grad = true});  // one thread's block
  p.set_grad(ones_like(p));
  optim::Adam ours({p});
  optim::OptimizerOf<OwnAdam> own({p});
  const auto time = [](auto& optimizer) {
    const double begin = processor_time();
    for (int step = 0; step < 10; ++step) optimizer.step();
    return processor_time() - begin;
  };
  double best_ours = time(ours), best_own = time(own);
  for (int round = 0; round < 300; ++round) {
    best_ours = std::min(best_ours, time(ours));
    best_own = std::min(best_own, time(own));
  }
  CAPTURE(best_ours, best_own);
  CHECK(best_own <= 1.05 * best_ours);
}

TEST_CASE("optim: gradients of several backward passes add up to one step") {
  Tensor a = parameter({3}, 5), b = a.detach().clone().requires_grad_();
  optim::SGD once({a}, {.lr = 0.1}), in_parts({b}, {.lr = 0.1});
  const Tensor x = parameter({8, 3}, 6).detach();
  mean(square(matmul(x, a))).backward();
  for (int part = 0; part < 4; ++part) (mean(square(matmul(slice(x, 0, 2 * part, 2 * part + 2), b))) / 4).backward();
  once.step();
  in_parts.step();
  CHECK(amax(abs(a - b)).item() < 1e-15);
}
