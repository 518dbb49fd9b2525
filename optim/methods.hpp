#pragma once
// The methods of minimize(), for functions of a vector of numbers.

#include "quasi_newton.hpp"

namespace xgrad::optim::detail {

struct Limits {
  double tolerance;
  std::int64_t iterations;
};

Progress newton_cg(Objective& objective, const Limits& limits);
Progress nelder_mead(Objective& objective, bool adaptive, const Limits& limits);

}  // namespace xgrad::optim::detail
