#include "discrete.hpp"

#include "../kernels/incomplete.hpp"
#include "../kernels/sampling.hpp"
#include "../ops/activation.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/cumulative.hpp"
#include "../ops/extrema.hpp"
#include "../ops/gather.hpp"
#include "../ops/map.hpp"
#include "../ops/math.hpp"
#include "../ops/rounding.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "../ops/softmax.hpp"
#include "../ops/special.hpp"
#include "draws.hpp"

namespace xgrad::distributions {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

/// The one that is given.
const Parameter& either(const char* op, const ProbabilityOptions& options) {
  check(options.probs.defined() != options.logits.defined(), op, ": give either probs or logits");
  return options.probs.defined() ? options.probs : options.logits;
}

/// Probabilities of successes, from what either() gave.
Tensor probabilities(const char* op, const ProbabilityOptions& options, const Tensor& given) {
  const Tensor p = options.probs.defined() ? given : sigmoid(given);
  detail::expect_all(op, "probs", p >= 0 && p <= 1, "outside [0, 1]");
  return p;
}

/// log_prob of counts: -infinity for what is none of 0, 1, ..., most.
template <class F>
Tensor of_count(const Tensor& value, const Tensor& too_large, const F& f) {
  const Tensor k = is_floating(value.dtype()) ? value : value.to(float32);
  return detail::log_prob_within(k, k < 0 || floor(k) != k || too_large, 0, f);
}

/// f(parameters..., probability) of each element, computed in double; not recorded.
template <class F>
Tensor quantile_of(const char* op, const F& f, const std::same_as<Tensor> auto&... x) {
  const NoGrad no_grad;
  const Tensor y = xgrad::detail::map(op, f, x.detach().to(float64)...);
  DType dtype = DType::bool_;
  ((dtype = promote(dtype, x.dtype())), ...);
  return y.to(xgrad::detail::at_least(dtype, DType::float32));
}
struct PoissonQuantile {
  template <class T>
  real<T> operator()(const real<T>& rate, const real<T>& p) const {
    return {static_cast<T>(elementary::poisson_quantile(rate.v, p.v))};
  }
};
struct BinomialQuantile {
  template <class T>
  real<T> operator()(const real<T>& n, const real<T>& chance, const real<T>& p) const {
    return {static_cast<T>(elementary::binomial_quantile(n.v, chance.v, p.v))};
  }
};

/// What a sampler of doubles draws, for parameters in the shape of the sample.
template <class Sampler, class... Parameters>
Tensor drawn(const Shape& shape, DType dtype, const SampleOptions& options, Sampler sampler,
             const Parameters&... parameters) {
  const Tensor out = empty(shape, {.dtype = float64});
  const auto numbers = [&](const Tensor& x) { return expand(x.detach().to(float64), shape).contiguous(); };
  [&](const std::same_as<Tensor> auto&... held) {
    sampler(detail::draw_key(options), out.numel(), held.template data<double>()..., out.data<double>());
  }(numbers(parameters)...);
  return out.to(dtype);
}

}  // namespace

Bernoulli::Bernoulli(const ProbabilityOptions& options) {
  Tensor given;
  detail::broadcast("Bernoulli", {either("Bernoulli", options)}, {&given});
  probs = probabilities("Bernoulli", options, given);
  if (options.logits.defined()) logits = given;
}
Tensor Bernoulli::sample(const Shape& shape, const SampleOptions& options) const {
  const NoGrad no_grad;
  const Shape whole = detail::joined(shape, batch_shape());
  return (detail::uniform(whole, float64, options) < probs).to(probs.dtype());
}
Tensor Bernoulli::log_prob(const Tensor& value) const {
  return of_count(value, value > 1, [&](const Tensor& k) {
    if (logits.defined()) return k * logits - softplus(logits, 1, infinity);
    return xlogy(k, probs) + xlogy(1 - k, 1 - probs);
  });
}
Tensor Bernoulli::cdf(const Tensor& value) const { return where(value < 0, 0, where(value < 1, 1 - probs, 1)); }
Tensor Bernoulli::icdf(const Tensor& probability) const {
  const Tensor count = (probability > 1 - probs).detach().to(probs.dtype());
  return where(probability >= 0 && probability <= 1, count, nan);
}
Tensor Bernoulli::entropy() const {
  if (logits.defined()) return softplus(logits, 1, infinity) - probs * logits;
  return -xlogy(probs, probs) - xlogy(1 - probs, 1 - probs);
}
Tensor Bernoulli::variance() const { return probs * (1 - probs); }

Geometric::Geometric(const ProbabilityOptions& options) {
  detail::broadcast("Geometric", {either("Geometric", options)}, {&probs});
  probs = probabilities("Geometric", options, probs);
  detail::expect_all("Geometric", "probs", probs > 0, "not above 0");
}
Tensor Geometric::sample(const Shape& shape, const SampleOptions& options) const {
  const NoGrad no_grad;
  const Tensor u = detail::uniform(detail::joined(shape, batch_shape()), float64, options);
  return floor(log1p(-u) / log1p(-probs.to(float64))).to(probs.dtype());
}
Tensor Geometric::log_prob(const Tensor& value) const {
  return of_count(value, value < 0, [&](const Tensor& k) { return xlogy(k, 1 - probs) + log(probs); });
}
Tensor Geometric::cdf(const Tensor& value) const {
  return where(value < 0, 0, -expm1((floor(clamp(value, 0)) + 1) * log1p(-probs)));
}
Tensor Geometric::icdf(const Tensor& probability) const {
  const Tensor trials = log1p(-probability.to(float64).detach()) / log1p(-probs.to(float64).detach());
  return clamp(ceil(trials) - 1, 0).to(probs.dtype());
}
Tensor Geometric::entropy() const { return -(xlogy(probs, probs) + xlogy(1 - probs, 1 - probs)) / probs; }
Tensor Geometric::mean() const { return (1 - probs) / probs; }
Tensor Geometric::variance() const { return (1 - probs) / square(probs); }

Poisson::Poisson(const Parameter& mean_count) {
  detail::broadcast("Poisson", {mean_count}, {&rate});
  detail::expect_all("Poisson", "rate", rate >= 0 && rate < infinity, "negative or infinite");
}
Tensor Poisson::sample(const Shape& shape, const SampleOptions& options) const {
  return drawn(detail::joined(shape, batch_shape()), rate.dtype(), options, xgrad::detail::sample_poisson, rate);
}
Tensor Poisson::log_prob(const Tensor& value) const {
  return of_count(value, value < 0, [&](const Tensor& k) { return xlogy(k, rate) - rate - lgamma(k + 1); });
}
Tensor Poisson::cdf(const Tensor& value) const {
  return where(value < 0, 0, gammaincc((floor(clamp(value, 0)) + 1).detach(), rate));
}

Tensor Poisson::icdf(const Tensor& probability) const {
  return quantile_of("Poisson::icdf", PoissonQuantile{}, rate, probability);
}
Tensor Poisson::entropy() const {
  if (rate.numel() == 0) return zeros_like(rate);
  const Tensor middle = floor(rate.detach());
  const double width = std::ceil(12 * std::sqrt(amax(middle).to(float64).item<double>()) + 40);
  Shape shape = Shape::filled(rate.dim() + 1, 1);
  shape[0] = static_cast<std::int64_t>(2 * width) + 1;
  const Tensor logs = log_prob(middle + reshape(arange(-width, width + 1, {.dtype = rate.dtype()}), shape));
  const Tensor finite = where(logs == -infinity, 0, logs);
  return -sum(where(logs == -infinity, 0, exp(finite)) * finite, 0);
}

Binomial::Binomial(const Parameter& trials, const ProbabilityOptions& options) {
  detail::broadcast("Binomial", {trials, either("Binomial", options)}, {&total_count, &probs});
  probs = probabilities("Binomial", options, probs);
  detail::expect_all("Binomial", "total_count",
                     total_count >= 0 && total_count < infinity && floor(total_count) == total_count,
                     "not a number of trials");
}
Tensor Binomial::sample(const Shape& shape, const SampleOptions& options) const {
  return drawn(detail::joined(shape, batch_shape()), probs.dtype(), options, xgrad::detail::sample_binomial,
               total_count, probs);
}
Tensor Binomial::log_prob(const Tensor& value) const {
  return of_count(value, value > total_count, [&](const Tensor& k) {
    const Tensor rest = total_count - k;
    return xlogy(k, probs) + xlogy(rest, 1 - probs) - betaln(k + 1, rest + 1) - log(total_count + 1);
  });
}
Tensor Binomial::cdf(const Tensor& value) const {
  const Tensor k = floor(value).detach(), below = k < 0, above = k >= total_count;
  const Tensor count = where(below || above, 0, k), rest = where(below || above, 1, total_count - k);
  return where(below, 0, where(above, 1, betainc(rest.detach(), count + 1, 1 - probs)));
}
Tensor Binomial::icdf(const Tensor& probability) const {
  return quantile_of("Binomial::icdf", BinomialQuantile{}, total_count, probs, probability);
}
Tensor Binomial::entropy() const {
  check(total_count.numel() > 0, "Binomial: an entropy of no distributions");
  const Tensor counts = reshape(total_count, {-1});
  const double most = counts.detach().to(float64).contiguous().data<double>()[0];
  detail::expect_all("Binomial: entropy", "total_count", counts == most, "not that of the others");
  Shape shape = Shape::filled(probs.dim() + 1, 1);
  shape[0] = static_cast<std::int64_t>(most) + 1;
  const Tensor k = reshape(arange(most + 1, {.dtype = probs.dtype()}), shape), logs = log_prob(k);
  return -sum(where(logs == -infinity, 0, exp(logs) * where(logs == -infinity, 0, logs)), 0);
}
Tensor Binomial::mean() const { return total_count * probs; }
Tensor Binomial::variance() const { return total_count * probs * (1 - probs); }

Categorical::Categorical(const ProbabilityOptions& options) {
  Tensor weights;
  detail::broadcast("Categorical", {either("Categorical", options)}, {&weights});
  check(weights.dim() > 0 && weights.size(-1) > 0, "Categorical: weights of shape ", weights.shape(),
        "; the last axis is that of the classes");
  if (options.probs.defined()) {
    detail::expect_all("Categorical", "probs", weights >= 0 && weights < infinity, "negative or infinite");
    const Tensor total = sum(weights, -1, {.keepdim = true});
    detail::expect_all("Categorical", "the sum of probs", total > 0, "0");
    probs = weights / total, logits = log(probs);
  } else {
    logits = log_softmax(weights, -1), probs = exp(logits);
    detail::expect_all("Categorical", "logits", logits == logits, "NaN, or in a row of infinities");
  }
}
Shape Categorical::batch_shape() const {
  Shape shape = probs.shape();
  shape.erase(shape.size() - 1);
  return shape;
}
Tensor Categorical::sample(const Shape& shape, const SampleOptions& options) const {
  // Draws of one row of weights lie side by side; the axes of the sample come first in the end.
  const Shape batch = batch_shape();
  const std::int64_t rows = batch.numel(), draws = shape.numel(), classes = probs.size(-1);
  const Tensor weights = probs.detach().to(float64).contiguous(), drawn = empty({rows, draws}, {.dtype = int64});
  if (drawn.numel() > 0)
    xgrad::detail::sample_categorical(detail::draw_key(options), rows, classes, draws, weights.data<double>(),
                                      drawn.data<std::int64_t>());
  return reshape(transpose(drawn, 0, 1), detail::joined(shape, batch));
}
Tensor Categorical::log_prob(const Tensor& value) const {
  const Shape shape = broadcast_shapes("Categorical::log_prob", value.shape(), batch_shape());
  const Tensor index = unsqueeze(expand(value.to(int64), shape), -1);
  return squeeze(gather(expand(logits, detail::joined(shape, {probs.size(-1)})), -1, index), -1);
}
Tensor Categorical::cdf(const Tensor& value) const {
  const Tensor classes = arange(probs.size(-1), {.dtype = probs.dtype()});
  return sum(where(classes <= unsqueeze(value, -1), probs, 0), -1);
}
Tensor Categorical::icdf(const Tensor& probability) const {
  const NoGrad no_grad;
  const Tensor totals = cumsum(probs.to(float64), -1), shares = totals / narrow(totals, -1, probs.size(-1) - 1, 1);
  const Tensor below = sum(shares < unsqueeze(probability, -1), -1).to(probs.dtype());
  return where(probability >= 0 && probability <= 1, below, nan);
}
Tensor Categorical::entropy() const { return -sum(probs * where(probs == 0, 0, logits), -1); }
Tensor Categorical::mean() const { return full(batch_shape(), nan, {.dtype = probs.dtype()}); }
Tensor Categorical::variance() const { return mean(); }

Multinomial::Multinomial(std::int64_t trials, const ProbabilityOptions& options)
    : total_count(trials), classes(options) {
  check(trials >= 0, "Multinomial: total_count is ", trials, ", expected a number not below 0");
}
Tensor Multinomial::sample(const Shape& shape, const SampleOptions& options) const {
  const Shape whole = detail::joined(shape, classes.probs.shape());
  const Tensor weights = expand(classes.probs.detach().to(float64), whole).contiguous(),
               out = empty(whole, {.dtype = float64});
  const std::int64_t n = classes.probs.size(-1);
  xgrad::detail::sample_multinomial(detail::draw_key(options), out.numel() / n, n, total_count, weights.data<double>(),
                                    out.data<double>());
  return out.to(classes.probs.dtype());
}
Tensor Multinomial::log_prob(const Tensor& value) const {
  const Tensor none = value == 0;
  const Tensor terms = value * where(none, 0, classes.logits) - lgamma(value + 1);
  const Tensor fits =
      sum(value, -1) == static_cast<double>(total_count) && all(value >= 0 && floor(value) == value, -1);
  return where(fits, sum(terms, -1) + std::lgamma(static_cast<double>(total_count) + 1), -infinity);
}
Tensor Multinomial::entropy() const {
  const auto n = static_cast<double>(total_count);
  const Tensor& p = classes.probs;
  Shape shape = Shape::filled(p.dim() + 1, 1);
  shape[0] = total_count + 1;
  const Tensor k = reshape(arange(n + 1, {.dtype = p.dtype()}), shape), logs = Binomial(n, {.probs = p}).log_prob(k);
  const Tensor none = logs == -infinity, shares = where(none, 0, exp(where(none, 0, logs)));
  return n * classes.entropy() - std::lgamma(n + 1) + sum(shares * lgamma(k + 1), {0, -1});
}
Tensor Multinomial::mean() const { return static_cast<double>(total_count) * classes.probs; }
Tensor Multinomial::variance() const { return mean() * (1 - classes.probs); }

}  // namespace xgrad::distributions
