#pragma once
// CSV files as tables.

#include <string>
#include <string_view>
#include <vector>

#include "table.hpp"

namespace xgrad::data {

/// The texts that stand for a missing value in pandas: "", "NA", "NaN", "null", ...
const std::vector<std::string>& default_missing_values();

struct CsvOptions {
  char delimiter = ',';
  bool header = true;                                           // the first row has the names of the columns
  std::vector<std::string> names = {};                          // instead; without either: "0", "1", ...
  std::vector<std::string> text = {};                           // columns that stay text, whatever they look like
  std::vector<std::string> missing = default_missing_values();  // texts that stand for a missing value
};

/// Reads a CSV file as pandas.read_csv does. A column is int64 where all of its rows are whole numbers, float64 where
/// all are numbers or missing, bool where all are true or false (True, TRUE), and text else: whole numbers beyond int64
/// too. Fields in double quotes may hold delimiters, line ends, and doubled quotes; blank lines are passed over; what a
/// row lacks at its end is missing; a byte order mark is passed over. A name that repeats gets ".1", ".2" behind it, an
/// empty one is "Unnamed: 0" by its place. Numbers are read alike in every locale, to the nearest float64. The file is
/// held in memory while it is read. Throws Error, with the line, for a row of more
/// fields than there are columns and quotes that are not closed.
Table read_csv(const std::string& path, const CsvOptions& options = {});
/// The same of text in memory.
Table parse_csv(std::string_view text, const CsvOptions& options = {});

}  // namespace xgrad::data
