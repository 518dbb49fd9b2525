#pragma once
// Shapes and strides: a short inline vector of 64-bit sizes, never on the heap.

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>

#include "../core/error.hpp"

namespace xgrad {

namespace detail {

template <class T>
concept Size = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

[[noreturn]] void fail_axis(const char* op, std::int64_t axis, std::size_t rank);

/// The type of the elements that a loop over a constant R goes through. Here and elsewhere without <ranges>, which
/// takes longer to compile than all of the graph.
template <class R>
using RangeValue = std::remove_cvref_t<decltype(*std::begin(std::declval<const R&>()))>;
/// What a loop can go through more than once.
template <class R>
concept ForwardRange = std::forward_iterator<decltype(std::begin(std::declval<const R&>()))>;

}  // namespace detail

/// Sizes (or strides, or axes) of a tensor: up to `Shape::max_rank` 64-bit numbers, stored in place. `zeros({2, 3})`,
/// `zeros(3)`, and `zeros(sizes)` with a std::vector or other range of integers all name a shape.
class Shape {
 public:
  static constexpr std::size_t max_rank = 8;

  constexpr Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) { assign(sizes.begin(), sizes.size()); }
  /// One axis.
  template <detail::Size T>
  Shape(T size) {
    push_back(checked(size));
  }
  template <class R>
  requires(!std::same_as<R, Shape> && detail::Size<detail::RangeValue<R>>) Shape(const R& sizes) {
    for (const auto size : sizes) push_back(checked(size));
  }
  /// `rank` numbers from a pointer on.
  template <std::same_as<std::int64_t> T>
  Shape(const T* sizes, std::size_t rank) {
    assign(sizes, rank);
  }
  Shape(const Shape& other) noexcept = default;
  Shape& operator=(const Shape& other) noexcept = default;

  /// A shape of `rank` axes, each `value`.
  static Shape filled(std::size_t rank, std::int64_t value);

  std::size_t size() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  std::int64_t& operator[](std::size_t axis) { return sizes_[axis]; }
  std::int64_t operator[](std::size_t axis) const { return sizes_[axis]; }
  std::int64_t back() const { return sizes_[rank_ - 1]; }
  std::int64_t* begin() { return sizes_; }
  std::int64_t* end() { return sizes_ + rank_; }
  const std::int64_t* begin() const { return sizes_; }
  const std::int64_t* end() const { return sizes_ + rank_; }

  /// Throws Error beyond max_rank.
  void push_back(std::int64_t size);
  void insert(std::size_t axis, std::int64_t size);
  void erase(std::size_t axis);

  /// Product of the sizes; 1 for no axes. Throws Error for a negative size or a product over 2^63 - 1.
  std::int64_t numel() const;

  friend bool operator==(const Shape& a, const Shape& b) {  // not std::equal, which calls memcmp for a number or two
    if (a.rank_ != b.rank_) return false;
    for (std::size_t axis = 0; axis < a.rank_; ++axis)
      if (a.sizes_[axis] != b.sizes_[axis]) return false;
    return true;
  }

  /// "(3, 4)", "(3,)", "()".
  std::string str() const;

  /// Writes str() into an error message (see `fail`).
  friend void append(std::string& out, const Shape& shape) { out += shape.str(); }
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape);

 private:
  void assign(const std::int64_t* sizes, std::size_t rank);
  static std::int64_t checked(auto size) {
    check(std::in_range<std::int64_t>(size), "shape: ", size, " is more than a size can be");
    return static_cast<std::int64_t>(size);
  }

  std::uint8_t rank_ = 0;
  std::int64_t sizes_[max_rank] = {};
};

/// Strides of a row-major (C order) tensor of this shape, in elements.
Shape row_major_strides(const Shape& shape);

/// The shape both broadcast to by NumPy's rule; throws Error in the name of `op` where they do not.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Whether `from` broadcasts to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// `axis` counted from the front: -1 is the last of `rank` axes. Throws Error in the name of `op` when out of range.
inline std::size_t normalize_axis(const char* op, std::int64_t axis, std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n) [[unlikely]]
    detail::fail_axis(op, axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

/// Every axis counted from the front, ascending, without repetition (an error); no axes mean all of them.
Shape normalize_axes(const char* op, const Shape& axes, std::size_t rank);

}  // namespace xgrad
