#pragma once
// Element types.

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <type_traits>

#include "../core/error.hpp"
#include "float16.hpp"

namespace xgrad {

/// All there is to say of a dtype, a row for each: its name here and in text, its kind, the C++ type of its elements,
/// and the type in which kernels compute with it: that of sums, products and everything between reading and rounding
/// once. This is int64_t, float or double, which are computed as themselves. Of one kind the longer ones come later.
// clang-format off
#define XGRAD_DTYPES(row)                                         \
  row(bool_,    "bool",     boolean,  bool,         std::int64_t) \
  row(uint8,    "uint8",    integer,  std::uint8_t, std::int64_t) \
  row(int8,     "int8",     integer,  std::int8_t,  std::int64_t) \
  row(int16,    "int16",    integer,  std::int16_t, std::int64_t) \
  row(int32,    "int32",    integer,  std::int32_t, std::int64_t) \
  row(int64,    "int64",    integer,  std::int64_t, std::int64_t) \
  row(bfloat16, "bfloat16", floating, BFloat16,     float)        \
  row(float16,  "float16",  floating, Float16,      float)        \
  row(float32,  "float32",  floating, float,        float)        \
  row(float64,  "float64",  floating, double,       double)
// clang-format on

/// Type of a tensor's elements. Only the floating types can require a gradient.
enum class DType : std::uint8_t {
#define XGRAD_ROW(name, text, kind, type, compute) name,
  XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW
};

#define XGRAD_ROW(name, text, kind, type, compute) inline constexpr DType name = DType::name;
XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW

namespace detail {

enum class Kind : std::uint8_t { boolean, integer, floating };  // the later one is kept in promotion

/// The row of the C++ type of an element.
template <class T>
struct ElementRow {
  static constexpr bool exists = false;
};
#define XGRAD_ROW(name, text, kind, type, compute) \
  template <>                                      \
  struct ElementRow<type> {                        \
    static constexpr bool exists = true;           \
    static constexpr DType dtype = DType::name;    \
    using Compute = compute;                       \
  };
XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW

struct DTypeRow {
  DType dtype;
  const char* name;
  Kind kind;
  std::size_t size;  // of an element, in bytes
  DType compute;
};
inline constexpr DTypeRow dtype_rows[] = {
#define XGRAD_ROW(name, text, kind, type, compute) \
  {DType::name, text, Kind::kind, sizeof(type), ElementRow<compute>::dtype},
    XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW
};
constexpr const DTypeRow& row_of(DType dtype) { return dtype_rows[static_cast<std::size_t>(dtype)]; }

constexpr Kind kind_of(DType dtype) { return row_of(dtype).kind; }

}  // namespace detail

constexpr bool is_floating(DType dtype) { return detail::kind_of(dtype) == detail::Kind::floating; }
constexpr std::size_t item_size(DType dtype) { return detail::row_of(dtype).size; }

/// "float32", "bfloat16", "int64", "bool", ...
const char* name(DType dtype);

/// The type two operands are brought to, as in PyTorch: floating before integer before bool, then the longer. Two of
/// one kind and size, uint8 and int8 or bfloat16 and float16, become the next longer type.
constexpr DType promote(DType a, DType b) {
  const detail::DTypeRow &x = detail::row_of(a), &y = detail::row_of(b);
  if (a == b) return a;
  if (x.kind != y.kind) return x.kind > y.kind ? a : b;
  if (x.size != y.size) return x.size > y.size ? a : b;
  for (const detail::DTypeRow& row : detail::dtype_rows)
    if (row.kind == x.kind && row.size > x.size) return row.dtype;
  return a;
}

/// Whether tensors have elements of this C++ type: bool, float, double, BFloat16, Float16, or a std::intN_t or
/// std::uint8_t.
template <class T>
inline constexpr bool is_element = detail::ElementRow<T>::exists;

/// The DType of a C++ type, one of is_element.
template <class T>
constexpr DType dtype_of() {
  static_assert(is_element<T>,
                "an element type is float, double, xgrad::BFloat16, xgrad::Float16, std::int8_t to std::int64_t, "
                "std::uint8_t or bool");
  return detail::ElementRow<T>::dtype;
}

namespace detail {

/// Whether T counts as a number: a C++ one, bool, or an element type.
template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> || is_element<T>;

/// The element type that holds numbers of a C++ type where none is named: itself, but int64 for int and what is longer,
/// as for numbers that are written out.
template <class T>
using ElementOf = std::conditional_t<is_element<T> && !std::is_same_v<T, int>, T,
                                     std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>;

/// The dtype that kernels compute in for this one: itself, int64, or float32.
constexpr DType compute_dtype(DType dtype) { return row_of(dtype).compute; }
/// The dtype, or `least` where that is of a later kind.
constexpr DType at_least(DType dtype, DType least) { return kind_of(dtype) >= kind_of(least) ? dtype : least; }

}  // namespace detail

/// Converts between element types. To a floating type it rounds to the nearest, to even at ties, and infinity is what
/// is too large; to 16 bits by way of float, as PyTorch does. Between integers it wraps around. What an integer type
/// cannot hold of a floating one becomes the nearest end of its range, and NaN becomes 0. As bool all but 0 is true.
template <class To, class From>
constexpr To element_cast(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_class_v<From>) {
    return element_cast<To>(static_cast<float>(value));
  } else if constexpr (std::is_class_v<To>) {
    return To(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<To> && !std::is_same_v<To, bool> && std::is_floating_point_v<From>) {
    using Limits = std::numeric_limits<To>;
    constexpr From least = static_cast<From>(Limits::min()), end = 2 * static_cast<From>(Limits::max() / 2 + 1);
    return value != value ? 0 : value >= end ? Limits::max() : value < least ? Limits::min() : static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// Calls f with a value-initialised element of the C++ type of `dtype`. Every dtype is a case, so f has to compile for
/// all of them.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
#define XGRAD_ROW(name, text, kind, type, compute) \
  case DType::name:                                \
    return f(type{});
    XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW
  }
  __builtin_unreachable();
}

namespace detail {

/// Calls f with a value-initialised number of the type that kernels compute in for `dtype`: int64_t, float or double.
template <class F>
decltype(auto) dispatch_compute(DType dtype, F&& f) {
  switch (dtype) {
#define XGRAD_ROW(name, text, kind, type, compute) \
  case DType::name:                                \
    return f(compute{});
    XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW
  }
  __builtin_unreachable();
}

}  // namespace detail

/// Calls f with a value-initialised float or double, as `dtype` says; any other dtype is an error in the name of `op`.
/// `dispatch_floating("exp", t.dtype(), [&](auto zero) { using T = decltype(zero); ... });`
template <class F>
decltype(auto) dispatch_floating(const char* op, DType dtype, F&& f) {
  if (dtype == DType::float32) return f(float{});
  if (dtype == DType::float64) return f(double{});
  fail(op, ": expected a tensor of float32 or float64, got dtype ", name(dtype), "; convert it with .to(float32)");
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
