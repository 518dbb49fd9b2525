#pragma once
// What a trial has reported, as pruners compare it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "../trials/history.hpp"

namespace xgrad::tune {

using Reports = std::map<std::int64_t, double>;

/// 1 where small values are good, else -1.
inline double sign_of(const History& history) { return history.directions()[0] == minimize ? 1 : -1; }

/// The smallest of sign * value that is not NaN, if there is one.
inline std::optional<double> best(Reports::const_iterator begin, Reports::const_iterator end, double sign) {
  std::optional<double> best;
  for (; begin != end; ++begin)
    if (!std::isnan(begin->second)) best = std::min(best.value_or(sign * begin->second), sign * begin->second);
  return best;
}

}  // namespace xgrad::tune
