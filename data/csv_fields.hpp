#pragma once
// The text of a CSV file cut into fields.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::data::internal {

/// Rows of `width` fields each, some thousand at a time.
class CsvFields {
 public:
  /// Cuts `text`, which has to outlive this, at delimiters and line ends (\n, \r\n, \r). Fields in double quotes may
  /// hold these, and a doubled quote for one. Blank lines are passed over; fields that a row lacks at its end are
  /// missing. `width` 0: that of the first row.
  CsvFields(std::string where, std::string_view text, char delimiter, std::size_t width = 0);

  std::size_t width() const { return width_; }
  /// No less than the number of rows: that of line ends, and 1.
  std::int64_t most_rows() const;

  /// Cuts the next rows; false where there are none. Throws Error, which begins with `where` and names the line, for a
  /// row that has more fields, and for quotes that are not closed.
  bool next();
  /// Cuts one row only.
  bool next_row() { return cut(1); }
  /// What comes next is the row that does now: for a second pass.
  void mark() { begin_ = at_; }
  void restart() { at_ = begin_; }
  /// Rows that next() has cut.
  std::int64_t size() const { return static_cast<std::int64_t>(fields_.size() / width_); }

  /// f(row, text) for the fields of a column until it returns false; returns whether it never did. `text` lives as long
  /// as this call, and as the whole text where `lasting` is true; its data() is null where the field is missing.
  template <class F>  // bool(std::int64_t row, std::string_view text, bool lasting)
  bool each(std::size_t column, F&& f) const {
    std::string unquoted;
    std::int64_t row = 0;
    for (std::size_t i = column; i < fields_.size(); i += width_) {
      const Field field = fields_[i];
      std::string_view text(block_ + field.begin, field.size & ~quoted);
      bool lasting = true;
      if (field.begin == missing)
        text = {};
      else if (field.size & quoted)
        text = unquote(text, unquoted, lasting);
      if (!f(row++, text, lasting)) return false;
    }
    return true;
  }

 private:
  struct Field {
    std::uint32_t begin, size;  // in the block; the highest bit of the size says that it begins with a quote
  };
  static constexpr std::uint32_t quoted = std::uint32_t{1} << 31, missing = UINT32_MAX;
  bool cut(std::size_t bytes);
  Field field();
  bool at_delimiter() const { return at_ < end_ && *at_ == delimiter_; }
  void skip_blank_lines();
  [[noreturn]] void fail_at(const char* position, std::string_view what) const;
  /// Without the quotes: a part of `field` where that is one, or else in `buffer`.
  static std::string_view unquote(std::string_view field, std::string& buffer, bool& lasting);

  const std::string where_;
  const std::string_view text_;
  const char delimiter_;
  const char* const end_;
  const char *begin_, *at_, *block_;  // of the text: where a pass begins, what is cut next, where `fields_` begin
  std::array<bool, 256> ends_field_{};
  std::size_t width_;
  std::vector<Field> fields_;  // row by row
};

}  // namespace xgrad::data::internal
