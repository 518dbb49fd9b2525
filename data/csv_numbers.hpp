#pragma once
// Numbers as they are written in CSV files, read alike in every locale.

#include <cstdint>
#include <string_view>

namespace xgrad::data::internal {

// Numbers as nearly all are written, read where they stand: the end of the longest that begins at `at`, or null where
// none does or it is too long for these.

/// Up to 18 digits, with a sign or without.
const char* whole_number(const char* at, const char* end, std::int64_t& value);
/// Up to 19 digits, with a point among them and with a sign or without, to the nearest double.
const char* decimal_number(const char* at, const char* end, double& value);

// Each says whether the whole text, but for blanks around it, is one; else `value` is undefined.

/// A whole number that int64 holds.
bool is_integer(std::string_view text, std::int64_t& value);
/// A decimal number, or inf or infinity in any case, to the nearest double: infinite where it is too large, 0 where too
/// small.
bool is_number(std::string_view text, double& value);
/// true, True or TRUE, or the same of false; without blanks.
bool is_bool(std::string_view text, bool& value);
/// Whether digits only were read, of a number that int64 does not hold.
bool is_too_long(std::string_view text);

}  // namespace xgrad::data::internal
