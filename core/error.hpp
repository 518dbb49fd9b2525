#pragma once
// The one exception type of xgrad, and how the library raises it.

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#ifndef __cpp_exceptions
#error "xgrad reports errors by exceptions: compile this file without -fno-exceptions"
#endif

namespace xgrad {

/// Every error xgrad reports. The message starts with the operation, then gives shapes and values, a remedy where there
/// is one, and the line of the program that called the operation, where that is known:
/// `matmul: (3, 4) x (5, 6): inner sizes 4 and 5 differ; called at main.cpp:13`. Nothing was changed when it is thrown.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

void append(std::string& out, double value);  // shortest text that reads back as the same number
void append(std::string& out, std::int64_t value);
void append(std::string& out, std::uint64_t value);
inline void append(std::string& out, std::string_view text) { out += text; }
/// With so many digits after the point, and with a point in every locale.
void append_fixed(std::string& out, double value, int digits);

template <class T>
requires std::is_arithmetic_v<T>
void append(std::string& out, T value) {
  if constexpr (std::is_same_v<T, bool>)
    out += value ? "true" : "false";
  else if constexpr (std::is_floating_point_v<T>)
    append(out, static_cast<double>(value));
  else if constexpr (std::is_signed_v<T>)
    append(out, static_cast<std::int64_t>(value));
  else
    append(out, static_cast<std::uint64_t>(value));
}

/// Throws Error with this message and the line that called the operation which runs.
[[noreturn]] void raise(std::string message);

}  // namespace detail

/// Throws Error; the message is the parts (text, numbers, shapes, dtypes) written one after the other.
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  using detail::append;
  std::string message;
  (append(message, parts), ...);
  detail::raise(std::move(message));
}

namespace detail {

[[noreturn]] void raise_out_of_memory(std::string_view op);

/// f(), where Error in the name of `op` takes the place of the exceptions by which containers say that there is no
/// memory.
template <class F>
[[gnu::always_inline]] inline decltype(auto) with_memory_for(std::string_view op, F&& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    raise_out_of_memory(op);
  } catch (const std::length_error&) {
    raise_out_of_memory(op);
  }
}

}  // namespace detail

/// Throws Error with the parts as message unless `ok`. The parts are formatted only on failure.
template <class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

}  // namespace xgrad
