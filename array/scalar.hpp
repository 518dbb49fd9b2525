#pragma once
// A number beside a tensor in an operation.

#include <cmath>
#include <cstdint>
#include <limits>

#include "dtype.hpp"

namespace xgrad {

namespace detail {

template <class To, class From>
constexpr bool holds(From value) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_floating_point_v<From>) {
    constexpr From end = 2 * static_cast<From>(Limits::max() / 2 + 1);  // a power of two, as the lowest is, or 0
    return value < end && value >= static_cast<From>(Limits::min());
  } else if constexpr (std::is_signed_v<From>) {
    if (value < 0) return std::is_signed_v<To> && std::int64_t{value} >= static_cast<std::int64_t>(Limits::min());
    return static_cast<std::uint64_t>(value) <= static_cast<std::uint64_t>(Limits::max());
  } else {
    return std::uint64_t{value} <= static_cast<std::uint64_t>(Limits::max());
  }
}

/// Converts a number: for an integer a fraction is cut off, as bool everything but 0 is true. Throws Error in the name
/// of `op` for an integer type that cannot hold the value.
template <class To, class From>
To checked_cast(const char* op, From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_class_v<From>) {
    return checked_cast<To>(op, static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_integral_v<To>) {
    if constexpr (std::is_floating_point_v<From>) value = std::trunc(value);
    check(holds<To>(value), op, ": ", value, " does not fit into ", std::is_signed_v<To> ? "int" : "uint",
          8 * sizeof(To));
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace detail

/// A number as operand: it is made without being named from any C++ number, and remembers whether that was an integer.
/// A tensor keeps its dtype beside a number, except that an integer or bool tensor becomes float32 beside one with a
/// fraction type, and a bool tensor int64 beside an integer. Throws Error for an integer over 2^63 - 1.
class Scalar {
 public:
  template <class T>
  requires detail::is_number<T> Scalar(T value) : value_(static_cast<double>(value)) {
    if constexpr (!std::is_integral_v<T>) {
      integer_ = element_cast<std::int64_t>(value);
    } else {
      check(detail::holds<std::int64_t>(value), "number: ", value,
            " does not fit into int64; write it as a floating number");
      integer_ = static_cast<std::int64_t>(value);
      kind_ = std::is_same_v<T, bool> ? DType::bool_ : DType::int64;
    }
  }

  double value() const { return value_; }
  /// The exact value of an integer; of other numbers what is before the point, or the nearest that int64 holds.
  std::int64_t integer() const { return integer_; }
  /// As element of a tensor, exact for an integer; a fraction is cut off for an integer type, and everything but 0 is
  /// true. Throws Error in the name of `op` for what an integer type cannot hold.
  template <class T>
  T to(const char* op) const {
    return is_floating(kind_) ? detail::checked_cast<T>(op, value_) : detail::checked_cast<T>(op, integer_);
  }
  /// bool, int64, or float32 for every floating type.
  DType kind() const { return kind_; }

  friend void append(std::string& out, const Scalar& scalar) {
    using detail::append;
    if (scalar.kind_ == DType::float32)
      append(out, scalar.value_);
    else
      append(out, scalar.integer_);
  }

 private:
  double value_;
  std::int64_t integer_;
  DType kind_ = DType::float32;
};

/// The dtype of an operation on a tensor of `dtype` and a number.
inline DType promote(DType dtype, const Scalar& number) { return detail::at_least(dtype, number.kind()); }

namespace detail {

/// Writes a number as an element of this dtype, as Scalar::to().
void store(const char* op, const Scalar& number, DType dtype, std::byte* to);
/// The number, or the nearest to it that an integer `dtype` holds.
Scalar saturated(const Scalar& number, DType dtype);

}  // namespace detail

}  // namespace xgrad
