#include "error.hpp"

#include <charconv>

#include "call_site.hpp"

namespace xgrad::detail {

namespace {

template <class... Value>
void append_number(std::string& out, Value... value) {
  char buffer[400];  // the largest double has 309 digits before the point
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value...).ptr);
}

}  // namespace

void append(std::string& out, double value) { append_number(out, value); }
void append(std::string& out, std::int64_t value) { append_number(out, value); }
void append(std::string& out, std::uint64_t value) { append_number(out, value); }

void append_fixed(std::string& out, double value, int digits) {
  append_number(out, value, std::chars_format::fixed, digits);
}

void raise(std::string message) {
  append_call_site(message);
  throw Error(message);
}

void raise_out_of_memory(std::string_view op) { fail(op, ": out of memory: no room beside the tensors' elements"); }

}  // namespace xgrad::detail
