#include "csv_columns.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "../ops/slicing.hpp"
#include "csv_numbers.hpp"

namespace xgrad::data::internal {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t in_no_part = SIZE_MAX;

}  // namespace

CsvMissing::CsvMissing(const std::vector<std::string>& words) : words_(words.begin(), words.end()) {
  double ignored;
  for (const std::string& word : words) some_are_numbers_ = some_are_numbers_ || is_number(word, ignored);
}

std::int64_t CsvCategories::number_of(std::string_view text, bool lasting) {
  if (text.data() == nullptr) return -1;
  const auto found = number_of_.find(text);
  if (found != number_of_.end()) return found->second;
  if (!lasting) text = kept_.emplace_back(text);
  const std::int64_t number = missing_(text) ? -1 : static_cast<std::int64_t>(all_.size());
  number_of_.emplace(text, number);
  if (number >= 0) all_.push_back(text);
  return number;
}

/// The fields of a column in a part.
class CsvColumn::Cells {
 public:
  Cells(CsvColumn& column, std::size_t part, std::int64_t row)
      : column_(column), part_(part), reads_(!column.settled_ && column.contradicted_in_ >= part), type_(column.type_) {
    if (!reads_) return;
    begin_ = to_ = column.values_.array().data + row * static_cast<std::int64_t>(item());
    if (type_ == Type::text) categories_.emplace(column.missing_);
    reads_numbers_ = type_ <= Type::number && !column.missing_.some_are_numbers();
  }

  /// Reads the field that begins at `at`; returns its end.
  const char* read(const CsvText& text, const char* at) {
    if (reads_numbers_) {
      const char* const end = type_ == Type::integer
                                  ? whole_number(at, text.end(), *reinterpret_cast<std::int64_t*>(to_))
                                  : decimal_number(at, text.end(), *reinterpret_cast<double*>(to_));
      if (end && text.is_field_end(end)) {
        to_ += sizeof(double);
        return end;
      }
    }
    const char* const end = text.field_end(at);
    if (reads_) {
      std::string_view field(at, static_cast<std::size_t>(end - at));
      bool lasting = true;
      if (field.starts_with('"')) field = CsvText::unquoted(field, buffer_, lasting);
      take(field, lasting);
    }
    return end;
  }
  void read_missing() {
    if (reads_) take({}, true);
  }

  void finish() {
    if (reads_ && type_ == Type::text)
      column_.merge(*categories_,
                    {reinterpret_cast<std::int64_t*>(begin_), static_cast<std::size_t>(to_ - begin_) / item()});
  }

 private:
  std::size_t item() const { return type_ == Type::boolean ? sizeof(bool) : sizeof(std::int64_t); }

  void take(std::string_view field, bool lasting) {
    if (convert(field, lasting)) {
      to_ += item();
    } else {
      column_.contradict(part_, type_ == Type::integer && is_too_long(field));
      reads_ = reads_numbers_ = false;
    }
  }

  bool convert(std::string_view field, bool lasting) {
    const CsvMissing& missing = column_.missing_;
    switch (type_) {
      case Type::integer:
        if (missing.some_are_numbers() && missing(field)) return false;
        return is_integer(field, *reinterpret_cast<std::int64_t*>(to_));
      case Type::number: {
        double& value = *reinterpret_cast<double*>(to_);
        if (!missing.some_are_numbers() && is_number(field, value)) return true;
        if (missing(field)) return value = nan, true;
        return is_number(field, value);
      }
      case Type::boolean:
        return is_bool(field, *reinterpret_cast<bool*>(to_));
      case Type::text:
        break;
    }
    *reinterpret_cast<std::int64_t*>(to_) = categories_->number_of(field, lasting);
    return true;
  }

  CsvColumn& column_;
  std::size_t part_;
  bool reads_, reads_numbers_ = false;
  Type type_;
  std::byte *begin_ = nullptr, *to_ = nullptr;
  std::optional<CsvCategories> categories_;
  std::string buffer_;
};

CsvColumn::CsvColumn(const CsvMissing& missing, bool as_text)
    : missing_(missing),
      type_(as_text ? Type::text : Type::integer),
      categories_(missing),
      contradicted_in_(in_no_part) {}

void CsvColumn::begin_pass(std::int64_t most_rows) {
  values_ = xgrad::detail::empty({most_rows}, type_ == Type::number ? float64 : type_ == Type::boolean ? bool_ : int64);
  contradicted_in_ = in_no_part;
}

void CsvColumn::end_pass() {
  settled_ = contradicted_in_ == in_no_part;
  if (!settled_)
    type_ = type_ == Type::integer && too_long_ ? Type::boolean : static_cast<Type>(static_cast<int>(type_) + 1);
}

void CsvColumn::contradict(std::size_t part, bool too_long) {
  const std::lock_guard lock(mutex_);
  if (part > contradicted_in_) return;
  contradicted_in_ = part;
  too_long_ = too_long;
}

void CsvColumn::merge(const CsvCategories& categories, std::span<std::int64_t> values) {
  std::vector<std::int64_t> number;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string_view text : categories.all()) number.push_back(categories_.number_of(text, false));
  }
  for (std::int64_t& value : values)
    if (value >= 0) value = number[static_cast<std::size_t>(value)];
}

void CsvColumn::move_rows(std::int64_t from, std::int64_t to, std::int64_t count) {
  const std::size_t item = item_size(values_.dtype());
  std::byte* const data = values_.array().data;
  std::memmove(data + static_cast<std::size_t>(to) * item, data + static_cast<std::size_t>(from) * item,
               static_cast<std::size_t>(count) * item);
}

Column CsvColumn::finish(std::string name, std::int64_t rows) {
  if (rows == 0) return {std::move(name), xgrad::detail::empty({0}, float64)};
  Column column{std::move(name), slice(values_, 0, 0, rows)};
  if (rows < values_.size(0) / 8 * 7) column.values = column.values.clone();  // most lines were no rows
  if (type_ != Type::text) return column;
  column.is_text = true;
  const std::vector<std::string_view>& all = categories_.all();
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all[a] < all[b]; });
  std::vector<std::int64_t> rank(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = static_cast<std::int64_t>(i);
    column.categories.emplace_back(all[order[i]]);
  }
  for (std::int64_t& code : column.values.span<std::int64_t>())
    if (code >= 0) code = rank[static_cast<std::size_t>(code)];
  return column;
}

std::int64_t read_part(const CsvText& text, std::size_t part, const char* begin, const char* end, std::int64_t row,
                       std::span<CsvColumn* const> columns) {
  std::vector<CsvColumn::Cells> cells;
  cells.reserve(columns.size());
  for (CsvColumn* column : columns) cells.emplace_back(*column, part, row);
  std::int64_t rows = 0;
  for (const char* at = text.over_blank_lines(begin); at < end; at = text.over_blank_lines(text.next_line(at))) {
    const char* const start = at;
    std::size_t count = 0;
    for (;; ++at) {
      at = count < cells.size() ? cells[count].read(text, at) : text.field_end(at);
      ++count;
      if (!text.is_delimiter(at)) break;
    }
    if (count > cells.size())
      text.fail_at(start, std::to_string(count) + " fields, where " + std::to_string(cells.size()) + " were expected");
    for (; count < cells.size(); ++count) cells[count].read_missing();
    ++rows;
  }
  for (CsvColumn::Cells& cell : cells) cell.finish();
  return rows;
}

}  // namespace xgrad::data::internal
