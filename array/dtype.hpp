#pragma once
// Element types.

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <type_traits>

#include "../core/error.hpp"

namespace xgrad {

/// Type of a tensor's elements. Only the floating types can require a gradient.
enum class DType : std::uint8_t { bool_, int64, float32, float64 };

inline constexpr DType bool_ = DType::bool_;
inline constexpr DType int64 = DType::int64;
inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;

namespace detail {

enum class Kind : std::uint8_t { boolean, integer, floating };  // the later one is kept in promotion

/// What there is to say of a dtype.
struct DTypeRow {
  const char* name;
  Kind kind;
  std::size_t size;  // of an element, in bytes
};
/// A row for each, in the order of DType.
inline constexpr DTypeRow dtype_rows[] = {
    {"bool", Kind::boolean, 1},
    {"int64", Kind::integer, 8},
    {"float32", Kind::floating, 4},
    {"float64", Kind::floating, 8},
};
constexpr const DTypeRow& row_of(DType dtype) { return dtype_rows[static_cast<std::size_t>(dtype)]; }

}  // namespace detail

constexpr bool is_floating(DType dtype) { return detail::row_of(dtype).kind == detail::Kind::floating; }
constexpr std::size_t item_size(DType dtype) { return detail::row_of(dtype).size; }

/// "float32", "float64", "int64" or "bool".
const char* name(DType dtype);

/// The type two operands are brought to, as in PyTorch: floating before integer before bool, then the wider.
constexpr DType promote(DType a, DType b) {
  const detail::DTypeRow &x = detail::row_of(a), &y = detail::row_of(b);
  if (x.kind != y.kind) return x.kind > y.kind ? a : b;
  return x.size >= y.size ? a : b;
}

/// Whether tensors have elements of this C++ type: float, double, std::int64_t or bool.
template <class T>
inline constexpr bool is_element =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, bool>;

/// The DType of a C++ type: float, double, std::int64_t or bool.
template <class T>
constexpr DType dtype_of() {
  static_assert(is_element<T>, "an element type is float, double, std::int64_t or bool");
  if constexpr (std::is_same_v<T, float>)
    return DType::float32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::float64;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::int64;
  else
    return DType::bool_;
}

namespace detail {

/// The element type that holds numbers of a C++ type.
template <class T>
using ElementOf = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, float>, T,
                                     std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>;

}  // namespace detail

/// Converts between element types. What int64 cannot hold becomes the nearest end of its range, NaN becomes 0.
template <class To, class From>
constexpr To element_cast(From value) {
  if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
    constexpr From limit = 9223372036854775808.0;
    return value != value ? 0 : value >= limit ? INT64_MAX : value < -limit ? INT64_MIN : static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// Calls f with a value-initialised float or double, as `dtype` says; any other dtype is an error in the name of `op`.
/// `dispatch_floating("exp", t.dtype(), [&](auto zero) { using T = decltype(zero); ... });`
template <class F>
decltype(auto) dispatch_floating(const char* op, DType dtype, F&& f) {
  if (dtype == DType::float32) return f(float{});
  if (dtype == DType::float64) return f(double{});
  fail(op, ": expected a floating tensor, got dtype ", name(dtype), "; convert it with .to(float32)");
}

/// Calls f with a value-initialised element of the C++ type of `dtype`. Without a default, so that a dtype that is
/// missing here does not compile, nor one for which f does not.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::bool_:
      return f(bool{});
    case DType::int64:
      return f(std::int64_t{});
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
  }
  __builtin_unreachable();
}

namespace detail {

/// Calls f with an unsigned integer of this many bytes: for what only moves elements.
template <class F>
decltype(auto) dispatch_size(std::size_t bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    case 8:
      return f(std::uint64_t{});
  }
  fail("dtype: there are no elements of ", bytes, " bytes");
}

}  // namespace detail

/// Writes the name into an error message (see `fail`).
inline void append(std::string& out, DType dtype) { out += name(dtype); }

/// Writes the name.
std::ostream& operator<<(std::ostream& out, DType dtype);

}  // namespace xgrad
