#pragma once
// How often values lie in each of equal intervals.

#include <cstdint>
#include <vector>

namespace xgrad::detail {

struct Histogram {
  double low = 0, high = 0;  // the least and the largest value; both 0 where there is none
  double sum = 0, sum_of_squares = 0;
  std::vector<std::int64_t> counts;  // in intervals of equal width from low to high
  std::int64_t finite = 0;           // values; NaN and infinities are not counted
};

Histogram histogram(const double* values, std::int64_t count, std::int64_t bins);

}  // namespace xgrad::detail
