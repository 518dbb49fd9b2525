#include "csv.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "../core/parallel.hpp"
#include "../io/file.hpp"
#include "csv_columns.hpp"
#include "csv_text.hpp"

namespace xgrad::data {

namespace {

using internal::CsvColumn;
using internal::CsvText;

/// The fields of a row, and where the next one begins.
std::pair<std::vector<std::string>, const char*> first_row(const CsvText& text, const char* at) {
  std::vector<std::string> fields;
  for (;; ++at) {
    const char* const end = text.field_end(at);
    std::string_view field(at, static_cast<std::size_t>(end - at));
    std::string buffer;
    fields.emplace_back(field.starts_with('"') ? CsvText::unquoted(field, buffer) : field);
    at = end;
    if (!text.is_delimiter(at)) return {std::move(fields), text.over_blank_lines(text.next_line(at))};
  }
}

std::vector<std::string> column_names(const std::vector<std::string>& row, const CsvOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty())
    for (std::size_t i = 0; i < row.size(); ++i)
      names.push_back(!options.header ? std::to_string(i) : row[i].empty() ? "Unnamed: " + std::to_string(i) : row[i]);
  std::set<std::string> seen(names.begin(), names.end()), given;
  for (std::string& name : names) {
    if (given.insert(name).second) continue;
    std::string other;
    for (int i = 1; other.empty() || !seen.insert(other).second; ++i) other = name + '.' + std::to_string(i);
    given.insert(name = other);
  }
  return names;
}

/// The rows from `begin` on, as one pass over the file for each type that a column turns out not to have; how many.
std::int64_t read_rows(const CsvText& text, const char* begin, std::deque<CsvColumn>& columns) {
  const std::vector<const char*> starts = text.parts(begin);
  const std::size_t parts = starts.size() - 1;
  std::vector<std::int64_t> counts(parts), rows(parts + 1);  // the number of rows of each part, and its first one
  parallel_for(static_cast<std::int64_t>(parts), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
      counts[i] = text.most_rows(starts[i], starts[i + 1]);
  });
  const auto number_rows = [&] {
    for (std::size_t i = 0; i < parts; ++i) rows[i + 1] = rows[i] + counts[i];
  };
  const auto read = [&](std::size_t count) {
    number_rows();
    std::vector<CsvColumn*> open;
    for (CsvColumn& column : columns)
      if (!column.is_settled()) {
        column.begin_pass(rows[count]);
        open.push_back(&column);
      }
    std::vector<CsvColumn*> all;
    for (CsvColumn& column : columns) all.push_back(&column);
    parallel_for(static_cast<std::int64_t>(count), 1, [&](std::int64_t from, std::int64_t to) {
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
        counts[i] = read_part(text, i, starts[i], starts[i + 1], rows[i], all);
    });
    for (CsvColumn* column : open) column->end_pass();
    std::int64_t row = 0;
    for (std::size_t i = 0; i < count; row += counts[i++])  // lines that are no rows made gaps
      if (row != rows[i])
        for (CsvColumn* column : open) column->move_rows(rows[i], row, counts[i]);
    return std::all_of(open.begin(), open.end(), [](const CsvColumn* column) { return column->is_settled(); });
  };
  if (parts > 1) {  // the first rows show what most columns are
    while (!read(1)) {
    }
    for (CsvColumn& column : columns) column.unsettle();
  }
  while (!read(parts)) {
  }
  number_rows();
  return rows[parts];
}

Table parse(const std::string& where, std::string_view content, const CsvOptions& options) {
  const char delimiter = options.delimiter;
  check(delimiter != '"' && delimiter != '\n' && delimiter != '\r', where, ": the delimiter is a quote or a line end");
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
  return xgrad::detail::with_memory_for(where, [&] {
    const CsvText text(where, content, delimiter);
    const char* begin = text.over_blank_lines(text.begin());
    std::vector<std::string> row;
    const char* behind = begin;
    if (begin < text.end()) std::tie(row, behind) = first_row(text, begin);
    check(!row.empty() || (!options.header && !options.names.empty()), where,
          ": there is no row in it, not even of names");
    if (!options.header && !options.names.empty()) row.resize(options.names.size());
    const std::vector<std::string> names = column_names(row, options);
    check(names.size() == row.size(), where, ": ", names.size(), " names for ", row.size(), " columns");
    for (const std::string& name : options.text)
      check(std::find(names.begin(), names.end(), name) != names.end(), where, ": there is no column ", name,
            " to be read as text");

    const internal::CsvMissing missing(options.missing);
    std::deque<CsvColumn> reading;
    for (const std::string& name : names)
      reading.emplace_back(missing, std::find(options.text.begin(), options.text.end(), name) != options.text.end());
    const std::int64_t rows = read_rows(text, options.header ? behind : begin, reading);
    std::vector<Column> columns;
    for (std::size_t i = 0; i < names.size(); ++i) columns.push_back(reading[i].finish(names[i], rows));
    return Table(std::move(columns));
  });
}

}  // namespace

const std::vector<std::string>& default_missing_values() {
  static const std::vector<std::string> all = {"",     "#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN",
                                               "-nan", "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",       "NULL",
                                               "NaN",  "None",   "n/a",      "nan",  "null"};
  return all;
}

Table read_csv(const std::string& path, const CsvOptions& options) {
  const io::InputFile file("read_csv", path);
  const std::string where = "read_csv: " + path;
  constexpr std::uint64_t block = 1 << 20;
  return xgrad::detail::with_memory_for(where, [&] {
    const std::uint64_t size = file.size();
    const Tensor bytes = xgrad::detail::empty({static_cast<std::int64_t>(size)}, uint8);  // in large pages
    char* const text = reinterpret_cast<char*>(bytes.data<std::uint8_t>());
    parallel_for(static_cast<std::int64_t>((size + block - 1) / block), 1, [&](std::int64_t from, std::int64_t to) {
      const std::uint64_t begin = static_cast<std::uint64_t>(from) * block;
      file.read(begin, text + begin, std::min(static_cast<std::uint64_t>(to) * block, size) - begin);
    });
    return parse(where, {text, size}, options);
  });
}

Table parse_csv(std::string_view text, const CsvOptions& options) { return parse("parse_csv", text, options); }

}  // namespace xgrad::data
