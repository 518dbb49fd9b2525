#pragma once

#include "../ops/shape.hpp"
#include "module.hpp"

namespace xgrad::nn {

/// Joins the axes from start_axis to end_axis, both included, into one; all but the batch by default.
struct Flatten {
  explicit Flatten(std::int64_t start = 1, std::int64_t end = -1) : start_axis(start), end_axis(end) {}
  Tensor operator()(Operand x) const { return flatten(*x, start_axis, end_axis); }
  auto fields() { return xgrad::fields("start_axis", start_axis, "end_axis", end_axis); }

  std::int64_t start_axis, end_axis;
};

/// Gives its input.
struct Identity {
  Tensor operator()(const Tensor& x) const { return x; }
};

}  // namespace xgrad::nn
