#include "space.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "../../core/error.hpp"
#include "encoding.hpp"
#include "text.hpp"

namespace xgrad::tune {
namespace {

constexpr double narrowest = 1e-300;                   // in z: what is divided by a hundredth of it does not overflow
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
    demand((high - low) / *step <= static_cast<double>(exact), "step ", *step, " is too small for the range ", low,
           " to ", high);
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

// Positions of two equal ones, if there are any.
std::optional<std::pair<std::size_t, std::size_t>> twins(const std::vector<Choice>& choices) {
  if (choices.size() <= 32) {
    for (std::size_t j = 0; j < choices.size(); ++j)
      for (std::size_t i = 0; i < j; ++i)
        if (choices[i] == choices[j]) return std::pair(i, j);
    return std::nullopt;
  }
  std::vector<std::size_t> order(choices.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return choices[i] < choices[j]; });
  const auto twin = std::adjacent_find(order.begin(), order.end(),
                                       [&](std::size_t i, std::size_t j) { return choices[i] == choices[j]; });
  return twin == order.end() ? std::nullopt : std::optional(std::pair(*twin, twin[1]));
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
    demand(!number || std::isfinite(*number), "choice ", i, " is infinite, which cannot be stored");
    const auto* text = std::get_if<std::string>(&choices[i]);
    const auto* json = std::get_if<JsonChoice>(&choices[i]);
    demand(!json || is_json(json->json), "choice ", i, " is no JSON");
    demand(!text || is_utf8(*text), "choice ", i, " is not UTF-8, and cannot be stored");
  }
  if (const auto same = twins(choices)) demand(false, "choices ", same->first, " and ", same->second, " are the same");
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
  if (range.first == range.last || !(range.high - range.low >= narrowest)) return 1;
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

std::optional<double> value_in(const Distribution& distribution, const Choice& value) {
  if (const auto* categories = std::get_if<CategoricalDistribution>(&distribution)) {
    const auto found = std::find(categories->choices.begin(), categories->choices.end(), value);
    if (found == categories->choices.end()) return std::nullopt;
    return static_cast<double>(found - categories->choices.begin());
  }
  std::optional<double> number;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) number = static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) number = *real;
  return number && contains(distribution, *number) ? number : std::nullopt;
}

double warp(const Distribution& distribution, double value) {
  if (std::holds_alternative<CategoricalDistribution>(distribution))
    return (value + 0.5) / static_cast<double>(count(distribution));
  const Axis range = axis(distribution);
  if (!(range.high - range.low >= narrowest)) return 0.5;
  return std::clamp((range.to_z(value) - range.low) / (range.high - range.low), 0.0, 1.0);
}

double unwarp(const Distribution& distribution, double u) {
  if (std::holds_alternative<CategoricalDistribution>(distribution)) {
    const auto choices = static_cast<double>(count(distribution));
    return std::clamp(std::floor(u * choices), 0.0, choices - 1);
  }
  const Axis range = axis(distribution);
  if (!(range.high - range.low >= narrowest)) return range.first;
  return range.from_z(range.low + u * (range.high - range.low));
}

}  // namespace xgrad::tune
