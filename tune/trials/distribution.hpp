#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace xgrad::tune {

/// How a range is measured: draws are uniform in the warped coordinate.
enum class Scale {
  linear,
  log,           ///< uniform in ln x
  log_one_minus  ///< uniform in -ln(1 - x): for values near 1, such as decay rates
};

inline constexpr Scale log_scale = Scale::log;
inline constexpr Scale log_one_minus = Scale::log_one_minus;

struct FloatDistribution {
  double low, high;  ///< both ends belong to the range
  Scale scale = Scale::linear;
  std::optional<double> step = std::nullopt;  ///< only with a linear scale; high is lowered to low + k step
  bool operator==(const FloatDistribution&) const = default;
};

struct IntDistribution {
  std::int64_t low, high;       ///< both ends belong to the range
  Scale scale = Scale::linear;  ///< linear or log
  std::int64_t step = 1;        ///< 1 with a log scale
  bool operator==(const IntDistribution&) const = default;
};

/// A choice that is a list or an object of JSON, as Python's tuples are stored.
struct JsonChoice {
  std::string json;  ///< without spaces
  auto operator<=>(const JsonChoice&) const = default;
};

/// One of the values of a categorical parameter; monostate is Python's None.
using Choice = std::variant<std::monostate, bool, std::int64_t, double, std::string, JsonChoice>;

struct CategoricalDistribution {
  std::vector<Choice> choices;
  bool operator==(const CategoricalDistribution&) const = default;
};

using Distribution = std::variant<FloatDistribution, IntDistribution, CategoricalDistribution>;

}  // namespace xgrad::tune
