#pragma once
// JSON lines as tables.

#include <string>
#include <string_view>

#include "table.hpp"

namespace xgrad::data {

/// Reads a file of JSON objects, one a line: their names are columns, in the order in which they come; what an object
/// lacks or has as null is missing. A column is bool, int64, float64 (numbers with fractions or beyond int64, or whole
/// ones of which some are missing) or text (also true and false of which some are missing). Blank lines are passed
/// over. Throws Error, which names the line, for one that is no object, for values that are lists or objects, and for a
/// column of text and numbers.
Table read_json_lines(const std::string& path);
/// The same of text in memory.
Table parse_json_lines(std::string_view text);

}  // namespace xgrad::data
