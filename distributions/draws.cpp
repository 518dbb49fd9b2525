#include "draws.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../kernels/incomplete.hpp"
#include "../kernels/sampling.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/map.hpp"
#include "../ops/math.hpp"
#include "../ops/reduce.hpp"
#include "../ops/softmax.hpp"

namespace xgrad::distributions::detail {

using namespace xgrad::detail;

void broadcast(const char* op, std::initializer_list<Parameter> parameters, std::initializer_list<Tensor*> to) {
  Shape shape;
  DType dtype = DType::bool_;
  for (const Parameter& x : parameters) {
    check(x.defined(), op, ": a parameter is an undefined tensor");
    shape = broadcast_shapes(op, shape, x.tensor().shape());
    if (!x.is_number()) dtype = promote(dtype, x.tensor().dtype());
  }
  dtype = at_least(dtype, DType::float32);
  auto parameter = parameters.begin();
  for (Tensor* x : to) *x = expand((parameter++)->tensor().to(dtype), shape);
}

void expect_all(const char* op, const char* name, const Tensor& ok, const char* otherwise) {
  const std::int64_t wrong = ok.numel() - count_nonzero(ok).item<std::int64_t>();
  check(wrong == 0, op, ": ", name, " has ", wrong, wrong == 1 ? " element that is " : " elements that are ",
        otherwise);
}

namespace {

Generator& generator_of(const SampleOptions& options) {
  return options.generator ? *options.generator : default_generator();
}

/// log of gamma variables, float64, of a concentration in any dtype.
Tensor log_gamma_draws(const Tensor& concentration, std::uint64_t key) {
  const Tensor shape = concentration.detach().to(float64).contiguous(),
               out = xgrad::empty(shape.shape(), {.dtype = float64});
  sample_log_gamma(key, shape.numel(), shape.data<double>(), out.data<double>());
  return out;
}

/// float64 numbers in a dtype, those that are 0 there as its smallest normal number.
Tensor positive(const Tensor& x, DType dtype) {
  const double least = dtype == DType::float64   ? std::numeric_limits<double>::min()
                       : dtype == DType::float16 ? 0x1p-14
                                                 : double(std::numeric_limits<float>::min());
  return maximum(x, least).to(dtype);
}

/// The implicit derivative of a variable by its parameters: in double, from what a and b are and x and what is left
/// of 1.
struct GammaSlope {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& x) const {
    return {static_cast<T>(elementary::gamma_sample_slope(double(a.v), double(x.v)))};
  }
};
template <bool second>
struct BetaSlope {
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b, const real<T>& x, const real<T>& rest) const {
    const auto [by_a, by_b] = elementary::beta_sample_slopes(double(a.v), double(b.v), double(x.v), double(rest.v));
    return {static_cast<T>(second ? by_b : by_a)};
  }
};

struct GammaSample {
  static constexpr const char* name = "Gamma::rsample";
  static constexpr bool once_differentiable = true;
  std::uint64_t key;
  Saved concentration = {}, sample = {};
  Tensor forward(const Tensor& a) {
    const Tensor out = positive(exp(log_gamma_draws(a, key)), a.dtype());
    concentration = a, sample = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    return grad * map(name, GammaSlope{}, concentration.get(), sample.get());
  }
};

struct BetaSample {
  static constexpr const char* name = "Beta::rsample";
  static constexpr bool once_differentiable = true;
  std::uint64_t key, second_key;
  Saved a = {}, b = {}, sample = {}, rest = {};
  Tensor forward(const Tensor& first, const Tensor& second) {
    const Tensor log_odds = log_gamma_draws(first, key) - log_gamma_draws(second, second_key);
    const Tensor out = positive(sigmoid(log_odds), first.dtype());
    a = first, b = second, sample = out, rest = positive(sigmoid(-log_odds), first.dtype());
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const Tensor of_a = a, of_b = b, x = sample, left = rest;
    return {needs[0] ? grad * map(name, BetaSlope<false>{}, of_a, of_b, x, left) : Tensor(),
            needs[1] ? grad * map(name, BetaSlope<true>{}, of_a, of_b, x, left) : Tensor()};
  }
};

/// Each component is a beta variable of its concentration and the others'; the others move in proportion.
struct DirichletSample {
  static constexpr const char* name = "Dirichlet::rsample";
  static constexpr bool once_differentiable = true;
  std::uint64_t key;
  Saved concentration = {}, sample = {};
  Tensor forward(const Tensor& a) {
    const Tensor out = positive(softmax(log_gamma_draws(a, key), -1), a.dtype());
    concentration = a, sample = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    const Tensor a = concentration, x = sample, others = sum(a, -1, {.keepdim = true}) - a;
    const Tensor rest = maximum(sum(x, -1, {.keepdim = true}) - x, std::numeric_limits<float>::min());
    const Tensor slope = map(name, BetaSlope<false>{}, a, others, x, rest);
    return slope / rest * (grad - sum(grad * x, -1, {.keepdim = true}));
  }
};

}  // namespace

std::uint64_t draw_key(const SampleOptions& options) { return generator_of(options).next(); }

Shape joined(const Shape& sample, const Shape& batch) {
  check(sample.size() + batch.size() <= Shape::max_rank, "sample: shapes ", sample, " and ", batch,
        " together have more than ", Shape::max_rank, " axes");
  Shape shape = sample;
  for (std::size_t i = 0; i < batch.size(); ++i) shape.push_back(batch[i]);
  return shape;
}

Tensor uniform(const Shape& shape, DType dtype, const SampleOptions& options) {
  return rand(shape, {.dtype = float64, .generator = options.generator}).to(dtype);
}

Tensor normal(const Shape& shape, DType dtype, const SampleOptions& options) {
  return randn(shape, {.dtype = dtype, .generator = options.generator});
}

Tensor gamma(const Tensor& concentration, const SampleOptions& options) {
  return apply(GammaSample{draw_key(options)}, concentration);
}

Tensor beta(const Tensor& a, const Tensor& b, const SampleOptions& options) {
  const std::uint64_t first = draw_key(options), second = draw_key(options);
  return apply(BetaSample{first, second}, a, b);
}

Tensor dirichlet(const Tensor& concentration, const SampleOptions& options) {
  return apply(DirichletSample{draw_key(options)}, concentration);
}

}  // namespace xgrad::distributions::detail
