#pragma once
// What a window that slides over spatial axes is given by.

#include <concepts>
#include <initializer_list>
#include <string>

#include "../array/shape.hpp"

namespace xgrad {

/// Zeros around an input: a number, one for each spatial axis, or "same" or "valid". Throws Error for another word.
class Padding {
 public:
  template <detail::Size T>
  Padding(T size) : sizes_(size) {}
  Padding(std::initializer_list<std::int64_t> sizes) : sizes_(sizes) {}
  Padding(const Shape& sizes) : sizes_(sizes) {}
  Padding(const char* word);

  bool is_same() const { return same_; }
  /// The numbers; those of "same" depend on the kernel, see `before` and `after`.
  const Shape& sizes() const { return sizes_; }

 private:
  Shape sizes_;
  bool same_ = false;
};

namespace detail {

/// One number for each of `rank` axes, from one for all or one each; throws Error in the name of `op` for another
/// count, and for numbers below `least` or over 2^31 - 1.
Shape per_axis(const char* op, const char* what, const Shape& given, std::size_t rank, std::int64_t least);

/// Zeros before and after each axis.
struct PaddedSides {
  Shape before, after;
};
/// Throws Error in the name of `op` for "same" with a stride other than 1.
PaddedSides padded_sides(const char* op, const Padding& padding, const Shape& kernel, const Shape& stride,
                         const Shape& dilation);

}  // namespace detail

}  // namespace xgrad
