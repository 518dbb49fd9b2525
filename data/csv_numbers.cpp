#include "csv_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace xgrad::data::internal {

namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view stripped(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Of a number beyond the range of double whether it is too large, not too small.
bool is_large(std::string_view number) {
  const std::size_t exponent_at = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, exponent_at);
  const auto first = static_cast<std::int64_t>(digits.find_first_of("123456789")),
             point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  std::string_view written = number.substr(std::min(exponent_at + 1, number.size()));
  if (written.starts_with('+')) written.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), exponent);
  if (error == std::errc::result_out_of_range) return !written.starts_with('-');
  return exponent > first - point;
}

/// Digits with a point among them, where one division of exact numbers rounds them as they should be (Clinger, 1990).
bool is_short_decimal(std::string_view digits, double& value) {
  static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (digits.size() < 2 || digits.size() > 16) return false;  // at most 15 digits and the point
  std::uint64_t number = 0;
  std::size_t after_point = 0, points = 0;
  for (const char c : digits) {
    if (is_digit(c)) {
      number = 10 * number + static_cast<std::uint64_t>(c - '0');
      after_point += points;
    } else if (c == '.' && points == 0) {
      points = 1;
    } else {
      return false;
    }
  }
  if (digits.size() - points > 15) return false;
  value = static_cast<double>(number) / powers[after_point];
  return true;
}

}  // namespace

bool is_integer(std::string_view text, std::int64_t& value) {
  text = stripped(text);
  const bool has_sign = text.size() > 1 && (text[0] == '-' || text[0] == '+');
  const std::string_view digits = text.substr(has_sign);
  if (digits.empty()) return false;
  if (digits.size() <= 18) {
    value = 0;
    for (const char c : digits) {
      if (!is_digit(c)) return false;
      value = 10 * value + (c - '0');
    }
    if (text[0] == '-') value = -value;
    return true;
  }
  if (text[0] == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && is_digit(digits[0]);
}

bool is_too_long(std::string_view text) {
  text = stripped(text);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  std::int64_t ignored;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ignored);
  return error == std::errc::result_out_of_range && end == text.data() + text.size();
}

bool is_number(std::string_view text, double& value) {
  std::string_view digits = stripped(text);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty()) return false;
  const char first = digits[0];
  if (!is_digit(first) && first != '.' && first != 'i' && first != 'I') return false;  // nor is nan a number
  if (!is_short_decimal(digits, value)) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) return false;
    if (error == std::errc::result_out_of_range) value = is_large(digits) ? std::numeric_limits<double>::infinity() : 0;
  }
  if (negative) value = -value;
  return true;
}

bool is_bool(std::string_view text, bool& value) {
  value = text == "true" || text == "True" || text == "TRUE";
  return value || text == "false" || text == "False" || text == "FALSE";
}

}  // namespace xgrad::data::internal
