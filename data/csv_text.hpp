#pragma once
// The text of a CSV file: where its fields and rows end.

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "csv_words.hpp"

namespace xgrad::data::internal {

/// Fields end at delimiters and line ends (\n, \r\n, \r). Those in double quotes may hold these, and a doubled quote
/// for one. Positions are pointers into the text, which has to outlive this.
class CsvText {
 public:
  /// Errors begin with `where`.
  CsvText(std::string where, std::string_view text, char delimiter);

  const char* begin() const { return text_.data(); }
  const char* end() const { return text_.data() + text_.size(); }
  bool is_delimiter(const char* at) const { return at < end() && *at == delimiter_; }
  bool is_field_end(const char* at) const { return at == end() || ends_field_[static_cast<unsigned char>(*at)]; }

  /// The end of the field that begins here. Throws Error, with the line, where its quotes are not closed.
  const char* field_end(const char* at) const {
    if (at < end() && *at == '"') at = behind_quotes(at);
    if constexpr (std::endian::native == std::endian::little)
      for (; end() - at >= 8; at += 8) {
        const std::uint64_t word = load_word(at);
        const std::uint64_t ends =
            zero_bytes(word ^ delimiters_) | zero_bytes(word ^ repeated('\n')) | zero_bytes(word ^ repeated('\r'));
        if (ends != 0) return at + std::countr_zero(ends) / 8;
      }
    while (!is_field_end(at)) ++at;
    return at;
  }
  /// A field without its quotes: a part of the text, or else in `buffer`.
  static std::string_view unquoted(std::string_view field, std::string& buffer);

  /// From the end of a row's last field to the next row, and from the beginning of a line over blank lines.
  const char* next_line(const char* at) const;
  const char* over_blank_lines(const char* at) const;

  /// Begins of rows that cut what follows `at`, the begin of a row, into parts; and the end. The first part is short.
  std::vector<const char*> parts(const char* at) const;
  /// No less than the number of rows of a part: that of line ends, and one that the text ends with.
  std::int64_t most_rows(const char* from, const char* to) const;

  [[noreturn]] void fail_at(const char* position, std::string_view what) const;

 private:
  const char* behind_quotes(const char* at) const;
  const char* row_from(const char* at, const char* target) const;

  std::string where_;
  std::string_view text_;
  char delimiter_;
  std::uint64_t delimiters_;
  std::array<bool, 256> ends_field_{};
};

}  // namespace xgrad::data::internal
