#pragma once
// A number beside a tensor in an operation.

#include <cstdint>
#include <utility>

#include "dtype.hpp"

namespace xgrad {

/// A number as operand: it is made without being named from any C++ number, and remembers whether that was an integer.
/// A tensor keeps its dtype beside a number, except that an int64 or bool tensor becomes float32 beside one with a
/// fraction type, and a bool tensor int64 beside an integer.
class Scalar {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> Scalar(T value)
      : value_(static_cast<double>(value)), integer_(element_cast<std::int64_t>(value)) {
    if constexpr (std::is_same_v<T, bool>)
      kind_ = DType::bool_;
    else if constexpr (std::is_integral_v<T>)
      kind_ = std::in_range<std::int64_t>(value) ? DType::int64 : DType::float32;
  }

  double value() const { return value_; }
  /// The exact value of an integer; what int64 cannot hold becomes the nearest it can.
  std::int64_t integer() const { return integer_; }
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
inline DType promote(DType dtype, const Scalar& number) {
  return is_floating(dtype) ? dtype : promote(dtype, number.kind());
}

}  // namespace xgrad
