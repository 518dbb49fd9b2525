#include "error.hpp"

#include <charconv>

#include "call_site.hpp"

namespace xgrad::detail {

namespace {

template <class T>
void append_number(std::string& out, T value) {
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

}  // namespace

void append(std::string& out, double value) { append_number(out, value); }
void append(std::string& out, std::int64_t value) { append_number(out, value); }
void append(std::string& out, std::uint64_t value) { append_number(out, value); }

void raise(std::string message) {
  append_call_site(message);
  throw Error(message);
}

}  // namespace xgrad::detail
