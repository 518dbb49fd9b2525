#include "csv_numbers.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "csv_words.hpp"

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

/// The number of eight digits from 0 to 9, of which the first is the lowest byte (Lemire, "Number parsing at a gigabyte
/// per second", 2021).
std::uint64_t number_of_eight(std::uint64_t digits) {
  constexpr std::uint64_t pairs = 0x000000FF000000FF;
  digits = digits * 10 + (digits >> 8);  // pairs, in every second byte
  return ((digits & pairs) * (100 + (std::uint64_t{1000000} << 32)) +
          ((digits >> 16) & pairs) * (1 + (std::uint64_t{10000} << 32))) >>
         32;
}

/// Appends the digits at `at` to a number, modulo 2^64; returns their end.
const char* read_few_digits(const char* at, const char* end, std::uint64_t& number) {
  for (; at < end; ++at) {
    const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0';
    if (digit > 9) break;
    number = 10 * number + digit;
  }
  return at;
}

/// The same, faster where there are many.
const char* read_digits(const char* at, const char* end, std::uint64_t& number) {
  static constexpr std::uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  if constexpr (std::endian::native == std::endian::little)
    while (end - at >= 8) {
      const std::uint64_t digits = load_word(at) ^ repeated('0');
      const std::uint64_t others = (((digits & repeated(0x7F)) + repeated(0x80 - 10)) | digits) & repeated(0x80);
      if (others == 0) {
        number = number * 100000000 + number_of_eight(digits);
        at += 8;
        continue;
      }
      const int count = std::countr_zero(others) / 8;
      if (count == 0) return at;
      number = number * powers[count] + number_of_eight(digits << (64 - 8 * count));
      return at + count;
    }
  return read_few_digits(at, end, number);
}

/// number / 10^exponent to the nearest double, for exponents up to 19.
double scaled(std::uint64_t number, int exponent) {
  static constexpr double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                     1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  constexpr std::uint64_t exact_numbers = std::uint64_t{1} << 53;
  if (number < exact_numbers || exponent == 0)  // one rounding (Clinger, 1990)
    return static_cast<double>(number) / exact[exponent];
  // A quotient of more bits than a double has, of which the last says whether there is a remainder, rounds as the exact
  // one does.
  __extension__ using Wide = unsigned __int128;
  const auto divisor = static_cast<std::uint64_t>(exact[exponent]);
  const int shift = 62 + std::bit_width(divisor) - std::bit_width(number);
  const Wide dividend = Wide{number} << shift, quotient = dividend / divisor;
  const bool remainder = quotient * divisor != dividend;
  const auto power = std::bit_cast<double>(static_cast<std::uint64_t>(1023 - shift) << 52);  // 2^-shift
  return static_cast<double>(static_cast<std::int64_t>(quotient) | remainder) * power;
}

}  // namespace

const char* whole_number(const char* at, const char* end, std::int64_t& value) {
  const bool negative = at < end && *at == '-';
  at += negative || (at < end && *at == '+');
  const char* const digits = at;
  std::uint64_t number = 0;
  at = read_few_digits(at, end, number);
  if (at == digits || at - digits > 18) return nullptr;
  value = negative ? -static_cast<std::int64_t>(number) : static_cast<std::int64_t>(number);
  return at;
}

const char* decimal_number(const char* at, const char* end, double& value) {
  const bool negative = at < end && *at == '-';
  at += negative || (at < end && *at == '+');
  const char* const digits = at;
  std::uint64_t number = 0;
  at = read_few_digits(at, end, number);
  std::ptrdiff_t count = at - digits, after_point = 0;
  if (at < end && *at == '.') {
    const char* const fraction = ++at;
    at = read_digits(at, end, number);
    after_point = at - fraction;
    count += after_point;
  }
  if (count == 0 || count > 19) return nullptr;
  value = scaled(number, static_cast<int>(after_point));
  if (negative) value = -value;
  return at;
}

bool is_integer(std::string_view text, std::int64_t& value) {
  text = stripped(text);
  if (text.empty()) return false;
  const char* const end = text.data() + text.size();
  if (whole_number(text.data(), end, value) == end) return true;
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.back()) || (text[0] != '-' && !is_digit(text[0]))) return false;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

bool is_too_long(std::string_view text) {
  text = stripped(text);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  std::int64_t ignored;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ignored);
  return error == std::errc::result_out_of_range && end == text.data() + text.size();
}

bool is_number(std::string_view text, double& value) {
  text = stripped(text);
  if (text.empty()) return false;
  const char* const end = text.data() + text.size();
  if (decimal_number(text.data(), end, value) == end) return true;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  const char first = text[0];
  if (!is_digit(first) && first != '.' && first != 'i' && first != 'I') return false;  // nor is nan a number
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) value = is_large(text) ? std::numeric_limits<double>::infinity() : 0;
  if (negative) value = -value;
  return true;
}

bool is_bool(std::string_view text, bool& value) {
  value = text == "true" || text == "True" || text == "TRUE";
  return value || text == "false" || text == "False" || text == "FALSE";
}

}  // namespace xgrad::data::internal
