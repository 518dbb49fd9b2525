#include "csv_fields.hpp"

#include <algorithm>

#include "../core/error.hpp"

namespace xgrad::data::internal {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 17;  // which, with its fields, a cache holds

}  // namespace

CsvFields::CsvFields(std::string where, std::string_view text, char delimiter, std::size_t width)
    : where_(std::move(where)),
      text_(text),
      delimiter_(delimiter),
      end_(text.data() + text.size()),
      begin_(text.data()),
      at_(begin_),
      block_(begin_),
      width_(width) {
  for (const char c : {delimiter, '\n', '\r'}) ends_field_[static_cast<unsigned char>(c)] = true;
  skip_blank_lines();
  mark();
  if (width_ == 0 && at_ < end_)  // what the first row has
    for (field(), ++width_; at_delimiter(); ++width_) {
      ++at_;
      field();
    }
  restart();
}

std::int64_t CsvFields::most_rows() const {
  return 1 + std::count(text_.begin(), text_.end(), '\n') + std::count(text_.begin(), text_.end(), '\r');
}

void CsvFields::skip_blank_lines() {
  for (;;) {
    const char* blank = at_;
    while (blank < end_ && (*blank == ' ' || *blank == '\t') && *blank != delimiter_) ++blank;
    if (blank < end_ && *blank != '\n' && *blank != '\r') return;
    at_ = blank;
    if (at_ == end_) return;
    ++at_;
  }
}

CsvFields::Field CsvFields::field() {
  const char *at = at_, *const begin = at;
  std::uint32_t flag = 0;
  if (at < end_ && *at == '"') {
    flag = quoted;
    for (++at;; at += 2) {
      at = std::find(at, end_, '"');
      if (at == end_) fail_at(begin, "a quote that is not closed");
      if (at + 1 == end_ || at[1] != '"') break;
    }
    ++at;
  }
  while (at < end_ && !ends_field_[static_cast<unsigned char>(*at)]) ++at;
  at_ = at;
  return Field{static_cast<std::uint32_t>(begin - block_), static_cast<std::uint32_t>(at - begin) | flag};
}

bool CsvFields::next() { return cut(block_bytes); }

bool CsvFields::cut(std::size_t bytes) {
  skip_blank_lines();
  block_ = at_;
  std::size_t used = 0;
  fields_.resize(fields_.capacity());
  for (; at_ < end_ && static_cast<std::size_t>(at_ - block_) < bytes; skip_blank_lines()) {
    const char* const row = at_;
    if (fields_.size() - used < width_) fields_.resize(2 * fields_.size() + 16 * width_);
    Field* const to = fields_.data() + used;
    std::size_t count = 0;
    to[count++] = field();
    while (at_delimiter()) {
      ++at_;
      const Field next = field();
      if (count < width_) to[count] = next;
      ++count;
    }
    if (static_cast<std::uint64_t>(at_ - block_) >= quoted) fail_at(row, "a row of over 2^30 bytes");
    if (count > width_)
      fail_at(row, std::to_string(count) + " fields, where " + std::to_string(width_) + " were expected");
    std::fill(to + count, to + width_, Field{missing, 0});
    used += width_;
    if (at_ < end_) at_ += *at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n' ? 2 : 1;
  }
  fields_.resize(used);
  return used > 0;
}

void CsvFields::fail_at(const char* position, std::string_view what) const {
  std::int64_t line = 1;
  for (const char* at = text_.data(); at < position; ++at)
    line += *at == '\n' || (*at == '\r' && at[1] != '\n');  // at[1] is there: at most `position`
  fail(where_, ": line ", line, ": ", what);
}

std::string_view CsvFields::unquote(std::string_view field, std::string& buffer, bool& lasting) {
  const std::string_view inside = field.substr(1);
  std::size_t quote = inside.find('"');
  if (quote + 1 == inside.size()) return inside.substr(0, quote);
  lasting = false;
  buffer.clear();
  std::size_t at = 0;
  for (; quote + 1 < inside.size() && inside[quote + 1] == '"'; quote = inside.find('"', at)) {
    buffer.append(inside, at, quote + 1 - at);  // with one of the two quotes
    at = quote + 2;
  }
  buffer.append(inside, at, quote - at);
  buffer.append(inside, quote + 1);  // what stands behind the closing quote
  return buffer;
}

}  // namespace xgrad::data::internal
