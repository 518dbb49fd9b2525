#include "csv_fields.hpp"

#include <algorithm>
#include <array>

#include "../core/error.hpp"

namespace xgrad::data::internal {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;

/// Where the next row begins that is not of blanks alone.
const char* skip_blank_lines(const char* at, const char* end, char delimiter) {
  for (;;) {
    const char* blank = at;
    while (blank < end && (*blank == ' ' || *blank == '\t') && *blank != delimiter) ++blank;
    if (blank == end) return end;
    if (*blank != '\n' && *blank != '\r') return at;
    at = blank + 1;
  }
}

}  // namespace

CsvFields::CsvFields(std::string where, std::string_view text, char delimiter, std::size_t width)
    : where_(std::move(where)), text_(text), width_(width) {
  std::array<bool, 256> ends_field{};
  for (const char c : {delimiter, '\n', '\r'}) ends_field[static_cast<unsigned char>(c)] = true;
  const auto ends = [&](char c) { return ends_field[static_cast<unsigned char>(c)]; };
  const char *at = text.data(), *const end = at + text.size();

  const char* block = at;  // in which the fields of a row lie
  const auto field = [&] {
    const char* const begin = at;
    std::uint32_t flag = 0;
    if (at < end && *at == '"') {
      flag = quoted;
      for (++at;; at += 2) {
        at = std::find(at, end, '"');
        if (at == end) fail_at(begin, "a quote that is not closed");
        if (at + 1 == end || at[1] != '"') break;
      }
      ++at;
    }
    while (at < end && !ends(*at)) ++at;
    return Field{static_cast<std::uint32_t>(begin - block), static_cast<std::uint32_t>(at - begin) | flag};
  };
  const auto at_delimiter = [&] { return at < end && *at == delimiter; };

  if (width_ == 0) {  // what the first row has
    at = block = skip_blank_lines(at, end, delimiter);
    if (at < end) {
      for (field(), ++width_; at_delimiter(); ++width_) {
        ++at;
        field();
      }
      at = block;
    }
  }
  std::size_t guess = 0;  // of the fields in a block
  while ((at = skip_blank_lines(at, end, delimiter)) < end) {
    block = at;
    std::vector<Field> fields(guess);
    std::size_t used = 0;
    for (; at < end && static_cast<std::size_t>(at - block) < block_bytes; at = skip_blank_lines(at, end, delimiter)) {
      const char* const row = at;
      if (fields.size() - used < width_) fields.resize(2 * fields.size() + 16 * width_);
      Field* const to = fields.data() + used;
      std::size_t count = 0;
      to[count++] = field();
      while (at_delimiter()) {
        ++at;
        const Field next = field();
        if (count < width_) to[count] = next;
        ++count;
      }
      if (static_cast<std::uint64_t>(at - block) >= quoted) fail_at(row, "a row of over 2^30 bytes");
      if (count > width_)
        fail_at(row, std::to_string(count) + " fields, where " + std::to_string(width_) + " were expected");
      std::fill(to + count, to + width_, Field{missing, 0});
      used += width_;
      ++rows_;
      if (at < end) at += *at == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1;
    }
    fields.resize(used);
    guess = used + used / 8;
    blocks_.push_back({block, std::move(fields)});
  }
}

void CsvFields::drop_first() {
  for (Block& block : blocks_)
    if (!block.fields.empty()) {
      block.fields.erase(block.fields.begin(), block.fields.begin() + static_cast<std::ptrdiff_t>(width_));
      --rows_;
      return;
    }
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
