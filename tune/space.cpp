#include "space.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../core/error.hpp"

namespace xgrad::tune {
namespace {

constexpr std::int64_t exact = std::int64_t{1} << 53;  // up to here a double holds every whole number

double to_z(Scale scale, double x) {
  switch (scale) {
    case Scale::linear:
      return x;
    case Scale::log:
      return std::log(x);
    case Scale::log_one_minus:
      return -std::log1p(-x);
  }
  return x;
}

double from_z(Scale scale, double z) {
  switch (scale) {
    case Scale::linear:
      return z;
    case Scale::log:
      return std::exp(z);
    case Scale::log_one_minus:
      return -std::expm1(-z);
  }
  return z;
}

// The last of low, low + step, ... up to high; decimal steps such as 0.1 are not held to the last bit.
double last_step(double low, double high, double step) {
  const double steps = (high - low) / step;
  return std::min(high, low + std::floor(steps + 1e-9 * std::max(1.0, steps)) * step);
}

FloatDistribution checked(const std::string& name, FloatDistribution range) {
  const auto [low, high, scale, step] = range;
  const auto demand = [&](bool ok, const auto&... parts) { check(ok, "suggest_float: \"", name, "\": ", parts...); };
  demand(std::isfinite(low) && std::isfinite(high), "the range ", low, " to ", high, " is not finite");
  demand(low <= high, "low ", low, " is above high ", high);
  demand(std::isfinite(high - low), "the range ", low, " to ", high, " is too wide");
  demand(scale != Scale::log || low > 0, "a log scale needs low > 0, which is ", low);
  demand(scale != Scale::log_one_minus || high < 1, "log_one_minus needs high < 1, which is ", high);
  if (step) {
    demand(std::isfinite(*step) && *step > 0, "step ", *step, " is not above 0");
    demand(scale == Scale::linear, "a step needs the linear scale");
    range.high = last_step(low, high, *step);
  }
  return range;
}

IntDistribution checked(const std::string& name, IntDistribution range) {
  const auto [low, high, scale, step] = range;
  const auto demand = [&](bool ok, const auto&... parts) { check(ok, "suggest_int: \"", name, "\": ", parts...); };
  demand(low <= high, "low ", low, " is above high ", high);
  demand(low >= -exact && high <= exact, "the range ", low, " to ", high, " goes beyond 2^53");
  demand(scale != Scale::log_one_minus, "log_one_minus is for numbers below 1");
  demand(scale != Scale::log || low >= 1, "a log scale needs low >= 1, which is ", low);
  demand(step >= 1, "step ", step, " is below 1");
  demand(scale == Scale::linear || step == 1, "a step needs the linear scale");
  range.high = low + (high - low) / step * step;
  return range;
}

CategoricalDistribution checked(const std::string& name, CategoricalDistribution categories) {
  const auto& choices = categories.choices;
  const auto demand = [&](bool ok, const auto&... parts) {
    check(ok, "suggest_categorical: \"", name, "\": ", parts...);
  };
  demand(!choices.empty(), "no choices");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const auto* number = std::get_if<double>(&choices[i]);
    demand(!number || !std::isnan(*number), "choice ", i, " is NaN");
    const auto twin = std::find(choices.begin(), choices.begin() + static_cast<std::ptrdiff_t>(i), choices[i]);
    demand(twin == choices.begin() + static_cast<std::ptrdiff_t>(i), "choices ", twin - choices.begin(), " and ", i,
           " are the same");
  }
  return categories;
}

}  // namespace

Distribution checked(const std::string& name, const Distribution& distribution) {
  return std::visit([&](const auto& d) -> Distribution { return checked(name, d); }, distribution);
}

Axis::Axis(const FloatDistribution& range)
    : scale(range.scale), first(range.low), last(range.high), step(range.step.value_or(0)) {
  low = to_z(first - step / 2);
  high = to_z(last + step / 2);
}

Axis::Axis(const IntDistribution& range)
    : scale(range.scale),
      first(static_cast<double>(range.low)),
      last(static_cast<double>(range.high)),
      step(static_cast<double>(range.step)) {
  low = to_z(first - step / 2);
  high = to_z(last + step / 2);
}

double Axis::to_z(double x) const { return tune::to_z(scale, x); }

double Axis::from_z(double z) const {
  double x = tune::from_z(scale, z);
  if (step > 0) x = first + std::round((x - first) / step) * step;
  return std::clamp(x, first, last);
}

Axis axis(const Distribution& distribution) {
  if (const auto* range = std::get_if<FloatDistribution>(&distribution)) return Axis(*range);
  const auto* range = std::get_if<IntDistribution>(&distribution);
  check(range, "axis: a categorical distribution has none");
  return Axis(*range);
}

std::int64_t count(const Distribution& distribution) {
  if (const auto* categories = std::get_if<CategoricalDistribution>(&distribution))
    return static_cast<std::int64_t>(categories->choices.size());
  const Axis range = axis(distribution);
  if (range.first == range.last) return 1;
  return range.step > 0 ? std::llround((range.last - range.first) / range.step) + 1 : 0;
}

bool contains(const Distribution& distribution, double value) {
  if (std::holds_alternative<CategoricalDistribution>(distribution))
    return value >= 0 && value < static_cast<double>(count(distribution)) && value == std::floor(value);
  const Axis range = axis(distribution);
  if (!(value >= range.first && value <= range.last)) return false;
  if (std::holds_alternative<IntDistribution>(distribution)) return std::fmod(value - range.first, range.step) == 0;
  if (range.step == 0) return true;
  const double steps = (value - range.first) / range.step;
  return std::abs(steps - std::round(steps)) < 1e-8 * std::max(1.0, steps);
}

double warp(const Distribution& distribution, double value) {
  if (std::holds_alternative<CategoricalDistribution>(distribution))
    return (value + 0.5) / static_cast<double>(count(distribution));
  const Axis range = axis(distribution);
  if (range.low == range.high) return 0.5;
  return std::clamp((range.to_z(value) - range.low) / (range.high - range.low), 0.0, 1.0);
}

double unwarp(const Distribution& distribution, double u) {
  if (std::holds_alternative<CategoricalDistribution>(distribution)) {
    const auto choices = static_cast<double>(count(distribution));
    return std::clamp(std::floor(u * choices), 0.0, choices - 1);
  }
  const Axis range = axis(distribution);
  return range.from_z(range.low + u * (range.high - range.low));
}

}  // namespace xgrad::tune
