#include "histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::detail {

Histogram histogram(const double* values, std::int64_t count, std::int64_t bins) {
  Histogram out;
  out.counts.resize(static_cast<std::size_t>(bins));
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = values[i];
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    out.sum += value;
    out.sum_of_squares += value * value;
    ++out.finite;
  }
  if (out.finite == 0) return out;
  out.low = low;
  out.high = high;
  const double width = high / 2 - low / 2;  // of halves, for the difference may leave the range
  for (std::int64_t i = 0; i < count; ++i)
    if (std::isfinite(values[i])) {
      const double part = width > 0 ? (values[i] / 2 - low / 2) / width : 0;
      const auto bin = static_cast<std::int64_t>(part * static_cast<double>(bins));
      ++out.counts[static_cast<std::size_t>(std::min(bin, bins - 1))];
    }
  return out;
}

}  // namespace xgrad::detail
