#include "csv.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_map>

#include "../core/parallel.hpp"
#include "../io/file.hpp"
#include "../ops/slicing.hpp"
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

/// Text as the numbers of categories, in the order in which they come.
class Categories {
 public:
  explicit Categories(const Missing& missing) {
    for (const std::string& word : missing.all) number_of_.emplace(word, -1);
  }

  std::int64_t number_of(std::string_view text, bool lasting) {
    if (text.data() == nullptr) return -1;
    auto found = number_of_.find(text);
    if (found == number_of_.end()) {
      if (!lasting) text = kept_.emplace_back(text);
      found = number_of_.emplace(text, static_cast<std::int64_t>(all_.size())).first;
      all_.push_back(text);
    }
    return found->second;
  }

  /// Gives them to a column, sorted, whose values become what they are then.
  void sort_into(Column& column) const {
    std::vector<std::size_t> order(all_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all_[a] < all_[b]; });
    std::vector<std::int64_t> rank(all_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      rank[order[i]] = static_cast<std::int64_t>(i);
      column.categories.emplace_back(all_[order[i]]);
    }
    for (std::int64_t& code : column.values.span<std::int64_t>())
      if (code >= 0) code = rank[static_cast<std::size_t>(code)];
    column.is_text = true;
  }

 private:
  std::unordered_map<std::string_view, std::int64_t> number_of_;
  std::deque<std::string> kept_;  // texts that are not parts of the file
  std::vector<std::string_view> all_;
};

/// Reads a column as the first type that all of its rows have: int64, float64, bool, text.
class ColumnReader {
 public:
  ColumnReader(std::size_t column, const Missing& missing, bool as_text, std::int64_t most_rows)
      : column_(column), missing_(missing), most_rows_(most_rows), type_(as_text ? Type::text : Type::integer) {
    begin();
  }

  /// Reads the rows that were cut, of which there are `before` others. Where they are not of its type it turns to the
  /// next: at once for the first rows, or else in another pass, as needs_pass() then says.
  void read(const CsvFields& fields, std::int64_t before) {
    while (!needs_pass_ && !read_as_type(fields, before)) {
      type_ = type_ == Type::integer && too_long_ ? Type::boolean : static_cast<Type>(static_cast<int>(type_) + 1);
      begin();
      needs_pass_ = before > 0;
    }
  }
  bool needs_pass() const { return needs_pass_; }
  void begin_pass() { needs_pass_ = false; }

  Column finish(std::string name, std::int64_t rows) {
    Column column{std::move(name), rows == 0 ? xgrad::detail::empty({0}, float64) : slice(values_, 0, 0, rows)};
    if (rows < most_rows_ / 8 * 7) column.values = column.values.clone();  // most of them were no rows
    if (type_ == Type::text && rows > 0) categories_->sort_into(column);
    return column;
  }

 private:
  enum class Type { integer, number, boolean, text };

  void begin() {
    values_ = xgrad::detail::empty({most_rows_}, type_ == Type::number    ? float64
                                                 : type_ == Type::boolean ? bool_
                                                                          : int64);
    if (type_ == Type::text) categories_.emplace(missing_);
  }

  bool read_as_type(const CsvFields& fields, std::int64_t before) {
    switch (type_) {
      case Type::integer:
        return read_each<std::int64_t>(fields, before, [&](std::string_view text, std::int64_t& value) {
          if (missing_.some_are_numbers && missing_(text)) return false;
          const bool is = is_integer(text, value);
          too_long_ = too_long_ || (!is && is_too_long(text));
          return is;
        });
      case Type::number:
        return read_each<double>(fields, before, [&](std::string_view text, double& value) {
          if (missing_.some_are_numbers && missing_(text)) return value = nan, true;
          return is_number(text, value) || (value = nan, missing_(text));
        });
      case Type::boolean:
        return read_each<bool>(fields, before, is_bool);
      case Type::text:
        break;
    }
    std::int64_t* const to = values_.data<std::int64_t>() + before;
    return fields.each(column_, [&](std::int64_t row, std::string_view text, bool lasting) {
      to[row] = categories_->number_of(text, lasting);
      return true;
    });
  }

  template <class T, class Convert>
  bool read_each(const CsvFields& fields, std::int64_t before, const Convert& convert) {
    T* const to = values_.data<T>() + before;
    return fields.each(column_, [&](std::int64_t row, std::string_view text, bool) { return convert(text, to[row]); });
  }

  std::size_t column_;
  const Missing& missing_;
  std::int64_t most_rows_;
  Type type_;
  bool too_long_ = false, needs_pass_ = false;
  Tensor values_;
  std::optional<Categories> categories_;
};

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
    if (options.header) fields.next_row();
    const std::vector<std::string> names = column_names(options.header ? &fields : nullptr, fields.width(), options);
    check(names.size() == fields.width(), where, ": ", names.size(), " names for ", fields.width(), " columns");
    for (const std::string& name : options.text)
      check(std::find(names.begin(), names.end(), name) != names.end(), where, ": there is no column ", name,
            " to be read as text");
    if (options.header) fields.mark();

    const Missing missing(options.missing);
    const std::int64_t most_rows = fields.most_rows();
    std::vector<ColumnReader> readers;
    for (std::size_t i = 0; i < names.size(); ++i)
      readers.emplace_back(
          i, missing, std::find(options.text.begin(), options.text.end(), names[i]) != options.text.end(), most_rows);
    std::int64_t rows = 0;
    std::vector<ColumnReader*> reading;
    for (ColumnReader& reader : readers) reading.push_back(&reader);
    while (!reading.empty()) {
      fields.restart();
      for (rows = 0; fields.next(); rows += fields.size())
        parallel_for(static_cast<std::int64_t>(reading.size()), 1, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) reading[static_cast<std::size_t>(i)]->read(fields, rows);
        });
      std::erase_if(reading, [](const ColumnReader* reader) { return !reader->needs_pass(); });
      for (ColumnReader* reader : reading) reader->begin_pass();
    }
    std::vector<Column> columns;
    for (std::size_t i = 0; i < names.size(); ++i) columns.push_back(readers[i].finish(names[i], rows));
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
