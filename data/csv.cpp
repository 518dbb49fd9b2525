#include "csv.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

#include "../core/parallel.hpp"
#include "../io/file.hpp"
#include "csv_fields.hpp"
#include "csv_numbers.hpp"

namespace xgrad::data {

namespace {

using internal::CsvFields;
using internal::is_bool;
using internal::is_integer;
using internal::is_number;
using internal::is_too_long;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The texts that stand for a missing value.
struct Missing {
  explicit Missing(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      all.insert(word);
      double ignored;
      some_are_numbers = some_are_numbers || is_number(word, ignored);
    }
  }
  bool operator()(std::string_view text) const { return text.data() == nullptr || all.contains(text); }

  std::set<std::string, std::less<>> all;
  bool some_are_numbers = false;
};

/// Reads a column as T, as long as convert(text, value) says that it is one.
template <class T, class Convert>
Tensor try_as(const CsvFields& fields, std::size_t column, Convert&& convert) {
  Tensor values = xgrad::detail::empty({fields.size()}, dtype_of<T>());
  T* const to = values.data<T>();
  const bool all =
      fields.each(column, [&](std::int64_t row, std::string_view text, bool) { return convert(text, to[row]); });
  return all ? values : Tensor();
}

void read_text(const CsvFields& fields, std::size_t column, const Missing& missing, Column& out) {
  std::unordered_map<std::string_view, std::int64_t> category_of;  // in the order in which they come
  std::deque<std::string> kept;                                    // texts that are not parts of the file
  std::vector<std::string_view> categories;
  for (const std::string& word : missing.all) category_of.emplace(word, -1);
  out.values = xgrad::detail::empty({fields.size()}, int64);
  std::int64_t* const to = out.values.data<std::int64_t>();
  fields.each(column, [&](std::int64_t row, std::string_view text, bool lasting) {
    if (text.data() == nullptr) {
      to[row] = -1;
      return true;
    }
    auto found = category_of.find(text);
    if (found == category_of.end()) {
      if (!lasting) text = kept.emplace_back(text);
      found = category_of.emplace(text, static_cast<std::int64_t>(categories.size())).first;
      categories.push_back(text);
    }
    to[row] = found->second;
    return true;
  });
  std::vector<std::size_t> order(categories.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return categories[a] < categories[b]; });
  std::vector<std::int64_t> rank(categories.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = static_cast<std::int64_t>(i);
    out.categories.emplace_back(categories[order[i]]);
  }
  std::for_each(to, to + fields.size(), [&](std::int64_t& code) {
    if (code >= 0) code = rank[static_cast<std::size_t>(code)];
  });
  out.is_text = true;
}

void read_column(const CsvFields& fields, std::size_t column, const Missing& missing, bool as_text, Column& out) {
  bool too_long = false;
  const auto integer = [&](std::string_view text, std::int64_t& value) {
    if (missing.some_are_numbers && missing(text)) return false;
    const bool is = is_integer(text, value);
    too_long = too_long || (!is && is_too_long(text));
    return is;
  };
  const auto number = [&](std::string_view text, double& value) {
    if (missing.some_are_numbers && missing(text)) return value = nan, true;
    return is_number(text, value) || (value = nan, missing(text));
  };
  if (fields.size() == 0)
    out.values = xgrad::detail::empty({0}, float64);
  else if (!as_text && ((out.values = try_as<std::int64_t>(fields, column, integer)).defined() ||
                        (!too_long && (out.values = try_as<double>(fields, column, number)).defined()) ||
                        (out.values = try_as<bool>(fields, column, is_bool)).defined()))
    return;
  else
    read_text(fields, column, missing, out);
}

std::vector<std::string> column_names(const CsvFields* header, std::size_t width, const CsvOptions& options) {
  std::vector<std::string> names = options.names;
  if (names.empty())
    for (std::size_t i = 0; i < width; ++i) {
      std::string name = std::to_string(i);
      if (header) {
        header->each(i, [&](std::int64_t, std::string_view text, bool) { return name = text, false; });
        if (name.empty()) name = "Unnamed: " + std::to_string(i);
      }
      names.push_back(std::move(name));
    }
  std::set<std::string> seen(names.begin(), names.end()), given;
  for (std::string& name : names) {
    if (given.insert(name).second) continue;
    std::string other;
    for (int i = 1; other.empty() || !seen.insert(other).second; ++i) other = name + '.' + std::to_string(i);
    given.insert(name = other);
  }
  return names;
}

Table parse(const std::string& where, std::string_view text, const CsvOptions& options) {
  const char delimiter = options.delimiter;
  check(delimiter != '"' && delimiter != '\n' && delimiter != '\r', where, ": the delimiter is a quote or a line end");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return xgrad::detail::with_memory_for(where, [&] {
    CsvFields fields(where, text, delimiter, options.header ? 0 : options.names.size());
    check(fields.width() > 0, where, ": there is no row in it, not even of names");
    const std::vector<std::string> names = column_names(options.header ? &fields : nullptr, fields.width(), options);
    check(names.size() == fields.width(), where, ": ", names.size(), " names for ", fields.width(), " columns");
    for (const std::string& name : options.text)
      check(std::find(names.begin(), names.end(), name) != names.end(), where, ": there is no column ", name,
            " to be read as text");
    if (options.header) fields.drop_first();

    const Missing missing(options.missing);
    std::vector<Column> columns(names.size());
    parallel_for(static_cast<std::int64_t>(names.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        columns[i].name = names[i];
        const bool as_text = std::find(options.text.begin(), options.text.end(), names[i]) != options.text.end();
        read_column(fields, i, missing, as_text, columns[i]);
      }
    });
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
  std::string text;
  xgrad::detail::with_memory_for(where, [&] { text.resize(file.size()); });
  file.read(0, text.data(), text.size());
  return parse(where, text, options);
}

Table parse_csv(std::string_view text, const CsvOptions& options) { return parse("parse_csv", text, options); }

}  // namespace xgrad::data
