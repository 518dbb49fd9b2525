// Losses far from the decision, against long double; and shapes, ignored targets and infinities.
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/softmax.hpp>

#include <algorithm>
#include <functional>

#include "../catch.hpp"
#include "accuracy.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

using Numbers = std::vector<long double>;

/// The numbers of a tensor of T as long double.
template <class T>
Numbers wide(const Tensor& x) {
  const std::vector<T> all = values<T>(x);
  return {all.begin(), all.end()};
}

template <class T>
Tensor row_of(const std::vector<double>& numbers) {
  return from_values<double>(numbers, {static_cast<std::int64_t>(numbers.size())}).to(dtype_of<T>()).requires_grad_();
}

/// What a loss of scores gives in every way that there is.
struct Derivatives {
  Tensor value, gradient, recorded, second, forward, forward_recorded;
};

Derivatives derivatives_of(const std::function<Tensor(const Tensor&)>& loss, const Tensor& x, const Tensor& direction) {
  Derivatives d;
  const auto total = [&](const Tensor& at) { return sum(loss(at)); };
  d.value = loss(x).detach();
  d.gradient = grad(total(x), {x})[0];
  d.recorded = grad(total(x), {x}, {.create_graph = true})[0];
  d.second = grad(sum(d.recorded * direction), {x})[0];
  d.forward = jvp(loss, x.detach(), direction).second;
  d.forward_recorded = jvp(loss, x, direction).second;
  return d;
}

template <class T>
void check_units(const char* what, const Tensor& got, const Numbers& want, double bound, const Numbers& scale = {}) {
  const Numbers numbers = wide<T>(got);
  REQUIRE(numbers.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double error = units(static_cast<T>(numbers[i]), want[i], scale.empty() ? 0 : scale[i]);
    if (error <= bound) continue;
    INFO(what << " " << i << " is " << numbers[i] << ", should be " << want[i]);
    CHECK(error <= bound);
  }
}

long double softplus_of(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }
long double sigmoid_of(long double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
void binary_tails() {
  const double end = sizeof(T) == 4 ? 80 : 700;
  std::vector<double> at = {-21, -17.25, -17, -16, -1, 0, 1e-3, 0.5, 3, 16, 17, 20, 37, 40};
  for (double x = -end; x <= end; x += end / 16) at.push_back(x);
  const Tensor x = row_of<T>(at), ones = ones_like(x);
  for (const double target : {0.0, 0.25, 1.0})
    for (const double weight : {1.0, 3.0}) {
      CAPTURE(sizeof(T), target, weight);
      Numbers value, gradient, scale, second;
      for (const long double v : wide<T>(x)) {
        const long double p = sigmoid_of(v), rest = sigmoid_of(-v);
        value.push_back((1 - target) * softplus_of(v) + weight * target * softplus_of(-v));
        gradient.push_back((1 - target) * p - weight * target * rest);
        scale.push_back((1 - target) * p + weight * target * rest);
        second.push_back(((1 - target) + weight * target) * p * rest);
      }
      const Tensor t = full(x.shape(), target, {.dtype = x.dtype()}), w = full({}, weight, {.dtype = x.dtype()});
      const auto loss = [&](const Tensor& logits) {
        return binary_cross_entropy_with_logits(logits, t, {.pos_weight = w, .reduction = Reduction::none});
      };
      const Derivatives d = derivatives_of(loss, x, ones);
      check_units<T>("value", d.value, value, 3);
      check_units<T>("gradient", d.gradient, gradient, 4, scale);
      check_units<T>("recorded gradient", d.recorded, gradient, 4, scale);
      check_units<T>("forward derivative", d.forward, gradient, 4, scale);
      check_units<T>("recorded forward derivative", d.forward_recorded, gradient, 4, scale);
      check_units<T>("second derivative", d.second, second, 6);
    }
}

/// Scores of which the one at `label` leads the rest by about `lead`.
std::vector<double> leading_scores(std::int64_t classes, std::int64_t label, double lead) {
  std::vector<double> x;
  for (std::int64_t c = 0; c < classes; ++c) x.push_back(c == label ? lead + 3 : 3 - static_cast<double>(c % 7) / 4);
  return x;
}

struct Probabilities {
  Numbers log_p, p, rest;  // rest is 1 - p
};
Probabilities probabilities_of(const Numbers& x) {
  const auto most = std::max_element(x.begin(), x.end());
  long double others = 0;
  for (auto it = x.begin(); it != x.end(); ++it)
    if (it != most) others += std::exp(*it - *most);
  Probabilities result;
  for (auto it = x.begin(); it != x.end(); ++it) {
    const long double power = std::exp(*it - *most);
    result.log_p.push_back((*it - *most) - std::log1p(others));
    result.p.push_back(power / (1 + others));
    result.rest.push_back((it == most ? others : others + (1 - power)) / (1 + others));
  }
  return result;
}

template <class T>
void lead(std::int64_t classes, double by, double smoothing) {
  const std::int64_t label = classes / 3;
  const Tensor row = row_of<T>(leading_scores(classes, label, by)),
               x = reshape(row.detach(), {1, classes}).requires_grad_();
  CAPTURE(sizeof(T), classes, by, smoothing);
  const Probabilities exact = probabilities_of(wide<T>(x));
  const auto at = static_cast<std::size_t>(label);
  const long double spread = smoothing / static_cast<long double>(classes),
                    kept = 1 - static_cast<long double>(smoothing);
  long double value = -kept * exact.log_p[at];
  Numbers gradient, second, scale, second_scale;
  for (std::size_t c = 0; c < exact.p.size(); ++c) {
    // What e^(log p) loses where log p was rounded.
    const long double factor = c == at ? 1 : 1 - exact.log_p[c] / 4;
    scale.push_back(c == at && smoothing == 0 ? exact.rest[c]
                                              : exact.p[c] * factor + spread * static_cast<long double>(classes));
    second_scale.push_back(exact.p[c] * exact.rest[c] * factor);
    value -= spread * exact.log_p[c];
    gradient.push_back(c == at ? -kept * exact.rest[c] + spread * (static_cast<long double>(classes - 1) -
                                                                   static_cast<long double>(classes) * exact.rest[c])
                               : exact.p[c] - spread);
    second.push_back(c == at ? exact.p[c] * exact.rest[c]
                             : -exact.p[c] * exact.p[at]);  // the label's row of the Hessian
  }
  Tensor direction = zeros_like(x);
  direction.data<T>()[label] = 1;
  const Tensor target = full({1}, static_cast<double>(label)).to(int64);
  const auto loss = [&](const Tensor& logits) {
    return cross_entropy(logits, target, {.reduction = Reduction::none, .label_smoothing = smoothing});
  };
  const Derivatives d = derivatives_of(loss, x, direction);
  const double bound = smoothing == 0 ? 8 : 12;
  check_units<T>("loss", d.value, {value}, bound);
  check_units<T>("gradient", d.gradient, gradient, bound, scale);
  check_units<T>("recorded gradient", d.recorded, gradient, bound, scale);
  check_units<T>("forward derivative", d.forward, {gradient[at]}, bound, {scale[at]});
  check_units<T>("recorded forward derivative", d.forward_recorded, {gradient[at]}, bound, {scale[at]});
  check_units<T>("second derivative", d.second, second, 2 * bound, second_scale);
  // The same by probabilities as targets, and by log_softmax and nll_loss.
  Tensor wanted = zeros_like(x) + smoothing / static_cast<double>(classes);
  wanted.data<T>()[label] += static_cast<T>(1 - smoothing);
  const auto soft = [&](const Tensor& logits) { return cross_entropy(logits, wanted, {.reduction = Reduction::none}); };
  const Derivatives by_probabilities = derivatives_of(soft, x, direction);
  check_units<T>("loss of probabilities", by_probabilities.value, {value}, bound);
  check_units<T>("gradient of probabilities", by_probabilities.gradient, gradient, bound, scale);
  check_units<T>("recorded gradient of probabilities", by_probabilities.recorded, gradient, bound, scale);
  check_units<T>("forward derivative of probabilities", by_probabilities.forward, {gradient[at]},
                 bound + static_cast<double>(classes) / 32, {scale[at]});  // of the sum of products
  check_units<T>("second derivative of probabilities", by_probabilities.second, second, 2 * bound, second_scale);
  if (smoothing != 0) return;
  const auto two_steps = [&](const Tensor& logits) {
    return nll_loss(log_softmax(logits, 1), target, {.reduction = Reduction::none});
  };
  const Derivatives by_steps = derivatives_of(two_steps, x, direction);
  check_units<T>("loss in two steps", by_steps.value, {value}, bound);
  check_units<T>("gradient in two steps", by_steps.gradient, gradient, bound, scale);
  check_units<T>("second derivative in two steps", by_steps.second, second, 2 * bound, second_scale);
}

}  // namespace

TEST_CASE("binary_cross_entropy_with_logits: values and derivatives are right in both tails") {
  binary_tails<float>();
  binary_tails<double>();
}

TEST_CASE("cross_entropy: values and derivatives are right however far the true class leads") {
  for (const std::int64_t classes : {2, 3, 10, 40, 100, 3000})
    for (const double by : {0.5, 3.0, 10.0, 17.0, 21.0, 40.0, 75.0})
      for (const double smoothing : {0.0, 0.1}) {
        lead<float>(classes, by, smoothing);
        lead<double>(classes, by * 9, smoothing);
      }
}

TEST_CASE("losses: scores that are not finite, and targets that are all ignored, as PyTorch 2.13") {
  const struct {
    Doubles x;
    std::int64_t label;
    double loss;
    Doubles gradient;
  } rows[] = {
      {{-inf, -inf, -inf}, 0, NaN, {NaN, NaN, NaN}},  {{-inf, 0, 0}, 0, inf, {-1, 0.5, 0.5}},
      {{-inf, 0, 0}, 2, std::log(2), {0, 0.5, -0.5}}, {{inf, 0, 1}, 0, NaN, {NaN, NaN, NaN}},
      {{inf, 0, 1}, 2, NaN, {NaN, NaN, NaN}},         {{inf, inf, 0}, 2, NaN, {NaN, NaN, NaN}},
      {{NaN, 0, 1}, 2, NaN, {NaN, NaN, NaN}},         {{1e30, -1e30, 0}, 0, 0, {0, 0, 0}},
      {{1e30, -1e30, 0}, 2, 1e30, {1, 0, -1}},        {{-1e30, -1e30, 1e30}, 0, 2e30, {-1, 0, 1}},
  };
  for (const auto& row : rows)
    for (const std::int64_t copies : {1, 40}) {  // short rows side by side, and a long one
      CAPTURE(row.x, row.label, copies);
      Doubles numbers(static_cast<std::size_t>(3 * copies), -inf),
          gradient(numbers.size(), std::isnan(row.loss) ? NaN : 0);
      std::copy(row.x.begin(), row.x.end(), numbers.begin());
      std::copy(row.gradient.begin(), row.gradient.end(), gradient.begin());
      const Tensor x = doubles_of(numbers), loss = cross_entropy(x, integers(static_cast<double>(row.label)));
      CHECK(alike({loss.item()}, {row.loss}));
      for (const bool recorded : {false, true})
        CHECK(alike(values<double>(grad(loss, {x}, {.retain_graph = true, .create_graph = recorded})[0]), gradient));
    }

  for (const double smoothing : {0.0, 0.1}) {
    const Tensor x = doubles({{1, 2}, {3, 4}}), ignored = integers({-100, -100});
    for (const Tensor& loss : {cross_entropy(x, ignored, {.label_smoothing = smoothing}), nll_loss(x, ignored)}) {
      CHECK(std::isnan(loss.item()));
      for (const bool recorded : {false, true})
        CHECK(values<double>(grad(loss, {x}, {.retain_graph = true, .create_graph = recorded})[0]) == Doubles(4, 0));
    }
    CHECK(cross_entropy(x, ignored, {.reduction = Reduction::sum, .label_smoothing = smoothing}).item() == 0);
  }

  const Tensor x = doubles({inf, inf, -inf, -inf, NaN}), t = tensor({0, 1, 0, 1, 0}, {.dtype = float64});
  const Tensor losses = binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::none});
  CHECK(alike(values<double>(losses), {inf, NaN, NaN, NaN, NaN}));
  CHECK(alike(values<double>(grad(sum(losses), {x})[0]), {1, 0, 0, -1, NaN}));
}

TEST_CASE("losses: their mean lies in the range of the type even where their sum does not") {
  const Tensor x = full({1000}, 3e38, {.requires_grad = true}), none = zeros({1000});
  const Tensor loss = l1_loss(x, none);
  CHECK(loss.item<float>() == Approx(3e38f));
  loss.backward();
  CHECK(x.grad().data<float>()[0] == 1e-3f);
  CHECK(binary_cross_entropy_with_logits(x, none).item<float>() == Approx(3e38f));
  CHECK(mse_loss(full({1000}, 1e19), none).item<float>() == Approx(1e38f));
  const Tensor scores = concat({full({1000, 1}, -1e38), full({1000, 1}, 1e38)}, 1);
  CHECK(cross_entropy(scores, zeros({1000}, {.dtype = int64})).item<float>() == Approx(2e38f));
  CHECK(mean(tensor({3e38, 3e38, -3e38, -3e38})).item() == 0);
  CHECK(mean(tensor({inf, 1})).item() == inf);
  CHECK(std::isnan(mean(tensor({inf, -inf})).item()));
}

TEST_CASE("losses: a million equal ones have their mean") {
  const Tensor scores = zeros({1'000'000, 3}), labels = zeros({1'000'000}, {.dtype = int64});
  CHECK(units(cross_entropy(scores, labels).item<float>(), std::log(3.0L)) <= 1);
  CHECK(units(l1_loss(full({1'000'000}, 0.1), zeros({1'000'000})).item<float>(), 0.1f) <= 4);
}

TEST_CASE("mse_loss, l1_loss: shapes that are not equal are an error that says what to write") {
  const std::string wrong = "; they must be equal, for broadcasting would compare what does not belong together; ";
  const struct {
    Shape input, target;
    std::string message;
  } rows[] = {
      {{5, 1}, {5}, wrong + "write squeeze(input, 1) or unsqueeze(target, 1)"},
      {{5}, {5, 1}, wrong + "write unsqueeze(input, 1) or squeeze(target, 1)"},
      {{2, 5, 1}, {2, 5}, wrong + "write squeeze(input, 2) or unsqueeze(target, 2)"},
      {{2, 3}, {3}, wrong + "if that is meant, write expand(target, {2, 3})"},
      {{2, 3}, {}, wrong + "if that is meant, write expand(target, {2, 3})"},
      {{3}, {4}, "; they must be equal"},
      {{3}, {2, 3}, "; they must be equal"},
  };
  for (const auto& row : rows) {
    const Tensor input = ones(row.input), target = zeros(row.target);
    const std::string message =
        ": input has shape " + row.input.str() + " and target " + row.target.str() + row.message;
    CHECK_THROWS_WITH(mse_loss(input, target), Catch::StartsWith("mse_loss" + message));
    CHECK_THROWS_WITH(l1_loss(input, target), Catch::StartsWith("l1_loss" + message));
  }
  Tensor input = ones({5, 1}), target = zeros({5});
  CHECK(mse_loss(squeeze(input, 1), target).item() == 1);
  CHECK(mse_loss(input, unsqueeze(target, 1)).item() == 1);
  input = ones({2, 3}), target = zeros({3});
  CHECK(mse_loss(input, expand(target, {2, 3})).item() == 1);
}
