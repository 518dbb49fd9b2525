#pragma once

#include <cmath>

namespace xgrad::train::detail {

/// A sum of numbers that loses nothing to its own size (Neumaier's), so that it hardly depends on how they are batched.
class CompensatedSum {
 public:
  CompensatedSum& operator+=(double value) {
    const double sum = sum_ + value;
    if (std::isfinite(sum)) lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    sum_ = sum;
    return *this;
  }
  double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

}  // namespace xgrad::train::detail
