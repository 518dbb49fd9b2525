#pragma once
// The columns of a CSV file while they are read.

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csv_text.hpp"
#include "table.hpp"

namespace xgrad::data::internal {

/// The texts that stand for a missing value.
class CsvMissing {
 public:
  explicit CsvMissing(const std::vector<std::string>& words);
  bool operator()(std::string_view text) const {
    return text.data() == nullptr || (text.empty() ? empty_is_one_ : words_.contains(text));
  }
  bool some_are_numbers() const { return some_are_numbers_; }

 private:
  std::set<std::string, std::less<>> words_;
  bool some_are_numbers_ = false;
  bool empty_is_one_;
};

/// Numbers for texts, in the order in which they come.
class CsvCategories {
 public:
  std::int64_t number_of(std::string_view text);
  const std::vector<std::string_view>& all() const { return all_; }

 private:
  std::string_view kept(std::string_view text);
  void grow();

  // By hash and then upwards: 0, or 24 bits of the hash above the number plus 1. A power of two of them.
  std::vector<std::uint64_t> places_ = std::vector<std::uint64_t>(64);
  std::vector<std::string_view> all_;
  std::deque<std::string> memory_;  // of the texts, side by side, so that few lines of the cache have them
};

/// Reads a column as the first type that all of its rows have: int64, float64, bool, text. Each pass over the file
/// reads it as one of these, its parts by several threads; where a row is of another type, there is a further pass.
/// Each thread numbers texts as they come to it; the numbers of the column, in alphabetical order, follow at the end.
class CsvColumn {
 public:
  CsvColumn(const CsvMissing& missing, bool as_text);

  bool is_settled() const { return settled_; }
  void unsettle() { settled_ = false; }
  void begin_pass(std::int64_t most_rows);
  /// Settles the type, or turns to the next one.
  void end_pass();
  /// Moves `count` rows to earlier ones.
  void move_rows(std::int64_t from, std::int64_t to, std::int64_t count);
  Column finish(std::string name, std::int64_t rows);

 private:
  enum class Type { integer, number, boolean, text };
  class Cells;
  friend std::int64_t read_part(const CsvText&, std::size_t, const char*, const char*, std::int64_t,
                                std::span<CsvColumn* const>);

  void contradict(std::size_t part, bool too_long);
  /// Categories that no other part is read with meanwhile, and giving them back.
  CsvCategories* borrow_categories();
  void give_back(CsvCategories* categories, std::span<std::int64_t> values);
  /// Makes the numbers in all parts those of the column.
  void merge();

  const CsvMissing& missing_;
  Type type_;
  bool settled_ = false;
  Tensor values_;
  std::mutex mutex_;
  std::deque<CsvCategories> categories_;  // as many as parts were read at the same time
  std::vector<CsvCategories*> free_categories_;
  std::vector<std::pair<const CsvCategories*, std::span<std::int64_t>>> numbered_;  // with which of them each part was
  std::vector<std::string> names_;                                                  // of all, in alphabetical order
  std::atomic<std::size_t> contradicted_in_;  // the first part with a row of another type
  bool too_long_ = false;                     // that is a whole number beyond int64
};

/// Reads the rows of a part, which begin with row `row`, into the columns that are not settled; returns their number.
/// Throws Error, with the line, for a row of more fields than there are columns.
std::int64_t read_part(const CsvText& text, std::size_t part, const char* begin, const char* end, std::int64_t row,
                       std::span<CsvColumn* const> columns);

}  // namespace xgrad::data::internal
