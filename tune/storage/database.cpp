#include "database.hpp"

#include <cmath>

namespace xgrad::tune {

namespace {

std::string described(const SqlValue& value) {
  std::string out;
  if (const auto* real = std::get_if<double>(&value))
    xgrad::detail::append(out, *real);
  else
    out = std::holds_alternative<std::string>(value) ? "a text" : is_null(value) ? "NULL" : "a whole number";
  return out;
}

}  // namespace

std::int64_t integer(const SqlValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  const auto* real = std::get_if<double>(&value);
  check(real && std::abs(*real) <= 0x1p53 && *real == std::floor(*real), "tune: ", described(value),
        " where a whole number must be");
  return static_cast<std::int64_t>(*real);
}

double real(const SqlValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  const auto* whole = std::get_if<std::int64_t>(&value);
  check(whole != nullptr, "tune: ", described(value), " where a number must be");
  return static_cast<double>(*whole);
}

std::string text(const SqlValue& value) {
  if (is_null(value)) return {};
  const auto* text = std::get_if<std::string>(&value);
  check(text != nullptr, "tune: ", described(value), " where a text must be");
  return *text;
}

}  // namespace xgrad::tune
