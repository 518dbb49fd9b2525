#pragma once
// The elements behind one result of a reduction, for the rare results that are computed one by one.

#include <cstdint>

#include "../array/shape.hpp"

namespace xgrad::detail {

/// Calls f with the place of each element, in dense, row-major memory of shape `shape`, that is reduced to result
/// number `index`; `result` has as many axes as `shape`, of size 1 where these are reduced.
template <class F>
void for_each_reduced(const Shape& shape, const Shape& result, std::int64_t index, const F& f) {
  std::int64_t at = 0, step = 1, count = 1;
  Shape sizes, steps;  // of the reduced axes, innermost first
  for (std::size_t axis = shape.size(); axis-- > 0; step *= shape[axis]) {
    if (result[axis] == 1 && shape[axis] != 1) {
      sizes.push_back(shape[axis]);
      steps.push_back(step);
      count *= shape[axis];
    } else {
      at += index % shape[axis] * step;
      index /= shape[axis];
    }
  }
  Shape position = Shape::filled(sizes.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    f(at);
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      at += steps[axis];
      if (++position[axis] < sizes[axis]) break;
      at -= steps[axis] * sizes[axis];
      position[axis] = 0;
    }
  }
}

}  // namespace xgrad::detail
