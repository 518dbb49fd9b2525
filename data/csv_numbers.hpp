#pragma once
// Numbers as they are written in CSV files, read alike in every locale.

#include <cstdint>
#include <string_view>

namespace xgrad::data::internal {

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
