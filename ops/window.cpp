#include "window.hpp"

#include <string_view>

namespace xgrad {

Padding::Padding(const char* word) : sizes_(0), same_(std::string_view(word) == "same") {
  check(same_ || std::string_view(word) == "valid", "padding is \"", word,
        "\"; it is a number, one for each spatial axis, \"same\" or \"valid\"");
}

namespace detail {

Shape per_axis(const char* op, const char* what, const Shape& given, std::size_t rank, std::int64_t least) {
  check(given.size() == 1 || given.size() == rank, op, ": ", what, " has ", given.size(),
        " numbers; give one, or one for each of the ", rank, " spatial axes");
  const Shape all = given.size() == 1 ? Shape::filled(rank, given[0]) : given;
  for (const std::int64_t number : all)
    check(number >= least && number <= 2147483647, op, ": ", what, " is ", all, "; ",
          number < least ? "it must be at least " : "it is more than 2^31 - 1, not at least ", least);
  return all;
}

PaddedSides padded_sides(const char* op, const Padding& padding, const Shape& kernel, const Shape& stride,
                         const Shape& dilation) {
  if (!padding.is_same()) {
    const Shape sizes = per_axis(op, "padding", padding.sizes(), kernel.size(), 0);
    return {sizes, sizes};
  }
  PaddedSides sides{kernel, kernel};
  for (std::size_t axis = 0; axis < kernel.size(); ++axis) {
    check(stride[axis] == 1, op, ": padding \"same\" with stride ", stride, "; it is possible with stride 1 only");
    const std::int64_t both = dilation[axis] * (kernel[axis] - 1);
    sides.before[axis] = both / 2;
    sides.after[axis] = both - both / 2;
  }
  return sides;
}

}  // namespace detail

}  // namespace xgrad
