#pragma once
// Which axes of a tensor an operation goes over.

#include <concepts>
#include <initializer_list>

#include "shape.hpp"

namespace xgrad {

/// One axis of a tensor, -1 being the last: an integer, so that max(x, 0.5) does not compile; see maximum().
class Axis {
 public:
  template <std::integral T>
  requires(!std::same_as<T, bool>) Axis(T axis) : number_(static_cast<std::int64_t>(axis)) {}
  operator std::int64_t() const { return number_; }

 private:
  std::int64_t number_;
};

/// Axes of a tensor, -1 being the last: one number, several in braces, or a Shape. No axes, `{}`, mean all of them.
class Axes {
 public:
  Axes() = default;
  template <std::integral T>
  requires(!std::same_as<T, bool>) Axes(T axis) : numbers_{static_cast<std::int64_t>(axis)} {}
  Axes(std::initializer_list<std::int64_t> axes) : numbers_(axes) {}
  Axes(const Shape& axes) : numbers_(axes) {}

  const Shape& numbers() const { return numbers_; }

 private:
  Shape numbers_;
};

}  // namespace xgrad
