#pragma once
// The text of a CSV file cut into fields.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::data::internal {

/// Rows of `width` fields each.
class CsvFields {
 public:
  /// Cuts `text`, which has to outlive this, at delimiters and line ends (\n, \r\n, \r). Fields in double quotes may
  /// hold these, and a doubled quote for one. Blank lines are passed over; fields that a row lacks at its end are
  /// missing. `width` 0: that of the first row. Throws Error, which begins with `where` and names the line, for a row
  /// that has more, and for quotes that are not closed.
  CsvFields(std::string where, std::string_view text, char delimiter, std::size_t width = 0);

  std::int64_t size() const { return rows_; }
  std::size_t width() const { return width_; }
  /// Without the first row, one of names.
  void drop_first();

  /// f(row, text) for the fields of a column until it returns false; returns whether it never did. `text` lives as long
  /// as this call, and as the whole text where `lasting` is true; its data() is null where the field is missing.
  template <class F>  // bool(std::int64_t row, std::string_view text, bool lasting)
  bool each(std::size_t column, F&& f) const {
    std::string unquoted;
    std::int64_t row = 0;
    for (const Block& block : blocks_)
      for (std::size_t i = column; i < block.fields.size(); i += width_) {
        const Field field = block.fields[i];
        std::string_view text(block.text + field.begin, field.size & ~quoted);
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
  struct Block {
    const char* text;
    std::vector<Field> fields;
  };
  [[noreturn]] void fail_at(const char* position, std::string_view what) const;
  /// Without the quotes: a part of `field` where that is one, or else in `buffer`.
  static std::string_view unquote(std::string_view field, std::string& buffer, bool& lasting);

  std::string where_;
  std::string_view text_;
  std::size_t width_;
  std::int64_t rows_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace xgrad::data::internal
