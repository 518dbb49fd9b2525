#include "csv_columns.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "../core/parallel.hpp"
#include "../ops/slicing.hpp"
#include "csv_numbers.hpp"
#include "csv_words.hpp"

namespace xgrad::data::internal {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t in_no_part = SIZE_MAX;
constexpr std::uint64_t number_bits = (std::uint64_t{1} << 40) - 1;

/// f of the words of eight bytes of a text, the last of which may overlap the one before; of fewer bytes, of one word
/// that is no other such text's of the same size.
template <class F>
void for_each_word(std::string_view text, const F& f) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto half = [](const char* place) {
    std::uint32_t bytes;
    std::memcpy(&bytes, place, sizeof bytes);
    return std::uint64_t{bytes};
  };
  if (text.size() >= 8) {
    for (; end - at > 8; at += 8) f(load_word(at));
    f(load_word(end - 8));
  } else if (text.size() >= 4) {
    f(half(at) | half(end - 4) << 32);
  } else {
    std::uint64_t word = 0;
    for (; at < end; ++at) word = word << 8 | static_cast<unsigned char>(*at);
    f(word);
  }
}

/// Folded products of the words.
std::uint64_t hash_of(std::string_view text) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;  // 2^64 / the golden ratio
  __extension__ using Wide = unsigned __int128;
  std::uint64_t hash = (text.size() + 1) * factor;
  for_each_word(text, [&](std::uint64_t word) {
    const Wide product = Wide{hash ^ word} * factor;
    hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  });
  return hash;
}

}  // namespace

CsvMissing::CsvMissing(const std::vector<std::string>& words) : words_(words.begin(), words.end()) {
  double ignored;
  for (const std::string& word : words) some_are_numbers_ = some_are_numbers_ || is_number(word, ignored);
  empty_is_one_ = words_.contains("");
}

std::int64_t CsvCategories::number_of(std::string_view text) {
  const std::uint64_t hash = hash_of(text);
  std::size_t place = hash & (places_.size() - 1);
  for (; places_[place] != 0; place = (place + 1) & (places_.size() - 1)) {
    if (((places_[place] ^ hash) & ~number_bits) != 0) continue;
    const auto number = (places_[place] & number_bits) - 1;
    if (all_[number] == text) return static_cast<std::int64_t>(number);
  }
  all_.push_back(kept(text));
  places_[place] = (hash & ~number_bits) | all_.size();
  if (2 * all_.size() > places_.size()) grow();
  return static_cast<std::int64_t>(all_.size()) - 1;
}

std::string_view CsvCategories::kept(std::string_view text) {
  constexpr std::size_t block = 1 << 14;
  if (memory_.empty() || memory_.back().capacity() - memory_.back().size() < text.size())
    memory_.emplace_back().reserve(std::max(block, text.size()));
  std::string& bytes = memory_.back();
  bytes += text;
  return std::string_view(bytes).substr(bytes.size() - text.size());
}

void CsvCategories::grow() {
  places_.assign(4 * places_.size(), 0);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const std::uint64_t hash = hash_of(all_[i]);
    std::size_t place = hash & (places_.size() - 1);
    while (places_[place] != 0) place = (place + 1) & (places_.size() - 1);
    places_[place] = (hash & ~number_bits) | (i + 1);
  }
}

/// The fields of a column in a part.
class CsvColumn::Cells {
 public:
  Cells(CsvColumn& column, std::size_t part, std::int64_t row)
      : column_(column), part_(part), reads_(!column.settled_ && column.contradicted_in_ >= part), type_(column.type_) {
    if (!reads_) return;
    begin_ = to_ = column.values_.array().data + row * static_cast<std::int64_t>(item());
    if (type_ == Type::text) categories_ = column.borrow_categories();
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
      if (field.starts_with('"')) field = CsvText::unquoted(field, buffer_);
      take(field);
    }
    return end;
  }
  void read_missing() {
    if (reads_) take({});
  }

  void finish() {
    if (reads_ && type_ == Type::text)
      column_.give_back(categories_,
                        {reinterpret_cast<std::int64_t*>(begin_), static_cast<std::size_t>(to_ - begin_) / item()});
  }

 private:
  std::size_t item() const { return type_ == Type::boolean ? sizeof(bool) : sizeof(std::int64_t); }

  void take(std::string_view field) {
    if (convert(field)) {
      to_ += item();
    } else {
      column_.contradict(part_, type_ == Type::integer && is_too_long(field));
      reads_ = reads_numbers_ = false;
    }
  }

  bool convert(std::string_view field) {
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
    *reinterpret_cast<std::int64_t*>(to_) = field.data() == nullptr ? -1 : categories_->number_of(field);
    return true;
  }

  CsvColumn& column_;
  std::size_t part_;
  bool reads_, reads_numbers_ = false;
  Type type_;
  std::byte *begin_ = nullptr, *to_ = nullptr;
  CsvCategories* categories_ = nullptr;
  std::string buffer_;
};

CsvColumn::CsvColumn(const CsvMissing& missing, bool as_text)
    : missing_(missing), type_(as_text ? Type::text : Type::integer), contradicted_in_(in_no_part) {}

void CsvColumn::begin_pass(std::int64_t most_rows) {
  values_ = xgrad::detail::empty({most_rows}, type_ == Type::number ? float64 : type_ == Type::boolean ? bool_ : int64);
  contradicted_in_ = in_no_part;
  categories_.clear();
  free_categories_.clear();
  numbered_.clear();
}

void CsvColumn::end_pass() {
  settled_ = contradicted_in_ == in_no_part;
  if (settled_ && type_ == Type::text) merge();
  if (!settled_)
    type_ = type_ == Type::integer && too_long_ ? Type::boolean : static_cast<Type>(static_cast<int>(type_) + 1);
}

void CsvColumn::contradict(std::size_t part, bool too_long) {
  const std::lock_guard lock(mutex_);
  if (part > contradicted_in_) return;
  contradicted_in_ = part;
  too_long_ = too_long;
}

CsvCategories* CsvColumn::borrow_categories() {
  const std::lock_guard lock(mutex_);
  if (free_categories_.empty()) return &categories_.emplace_back();
  CsvCategories* const borrowed = free_categories_.back();
  free_categories_.pop_back();
  return borrowed;
}

void CsvColumn::give_back(CsvCategories* categories, std::span<std::int64_t> values) {
  const std::lock_guard lock(mutex_);
  free_categories_.push_back(categories);
  numbered_.emplace_back(categories, values);
}

void CsvColumn::merge() {
  struct Category {
    std::string_view text;
    std::int64_t* number;
  };
  std::map<const CsvCategories*, std::vector<std::int64_t>> numbers;  // in the column
  std::vector<Category> all;
  for (const CsvCategories& some : categories_) {
    std::vector<std::int64_t>& number = numbers[&some];
    number.resize(some.all().size());
    for (std::size_t i = 0; i < number.size(); ++i) {
      number[i] = -1;
      if (!missing_(some.all()[i])) all.push_back({some.all()[i], &number[i]});
    }
  }
  std::sort(all.begin(), all.end(), [](const Category& a, const Category& b) { return a.text < b.text; });
  names_.clear();
  for (const Category& category : all) {
    if (names_.empty() || names_.back() != category.text) names_.emplace_back(category.text);
    *category.number = static_cast<std::int64_t>(names_.size()) - 1;
  }
  parallel_for(static_cast<std::int64_t>(numbered_.size()), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
      const auto& [categories, values] = numbered_[i];
      const std::vector<std::int64_t>& number = numbers.at(categories);
      for (std::int64_t& value : values)
        if (value >= 0) value = number[static_cast<std::size_t>(value)];
    }
  });
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
  column.categories = std::move(names_);
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
