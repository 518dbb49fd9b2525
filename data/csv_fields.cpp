#include "csv_fields.hpp"

#include <algorithm>
#include <array>

#include "../core/error.hpp"

namespace xgrad::data::internal {

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;

}  // namespace

CsvFields::CsvFields(std::string where, std::string_view text, char delimiter, std::size_t width)
    : where_(std::move(where)), text_(text), width_(width) {
  std::array<bool, 256> ends_field{};
  for (const char c : {delimiter, '\n', '\r'}) ends_field[static_cast<unsigned char>(c)] = true;
  const auto ends = [&](char c) { return ends_field[static_cast<unsigned char>(c)]; };
  const char *at = text.data(), *const end = at + text.size();

  while (at < end) {
    blocks_.push_back({at, {}});
    Block& block = blocks_.back();
    std::vector<Field>& fields = block.fields;
    if (blocks_.size() > 1) fields.reserve(blocks_[blocks_.size() - 2].fields.size() * 9 / 8);
    while (at < end && static_cast<std::size_t>(at - block.text) < block_bytes) {
      const char* blank = at;  // of blanks alone: not a row
      while (blank < end && (*blank == ' ' || *blank == '\t') && *blank != delimiter) ++blank;
      if (blank == end || *blank == '\n' || *blank == '\r') {
        at = blank + (blank < end);
        continue;
      }
      const std::size_t first = fields.size();
      const char* const row = at;
      for (;;) {
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
        if (static_cast<std::uint64_t>(at - block.text) >= quoted) fail_at(row, "a row of over 2^30 bytes");
        fields.push_back(
            {static_cast<std::uint32_t>(begin - block.text), static_cast<std::uint32_t>(at - begin) | flag});
        if (at == end || *at != delimiter) break;
        ++at;
      }
      if (at < end) at += *at == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1;
      const std::size_t count = fields.size() - first;
      if (width_ == 0) width_ = count;
      if (count > width_)
        fail_at(row, std::to_string(count) + " fields, where " + std::to_string(width_) + " were expected");
      fields.resize(first + width_, Field{missing, 0});
      ++rows_;
    }
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
