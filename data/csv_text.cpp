#include "csv_text.hpp"

#include <algorithm>
#include <cstring>

#include "../core/error.hpp"

namespace xgrad::data::internal {

namespace {

constexpr std::ptrdiff_t first_part_bytes = 1 << 14, part_bytes = 1 << 18;

const char* find_quote(const char* from, const char* to) {
  const void* const found = from < to ? std::memchr(from, '"', static_cast<std::size_t>(to - from)) : nullptr;
  return found ? static_cast<const char*>(found) : to;
}

/// Behind the quotes that are opened here; null where they are not closed.
const char* closing(const char* opening, const char* end) {
  for (const char* at = opening + 1;; at += 2) {
    at = find_quote(at, end);
    if (at == end) return nullptr;
    if (at + 1 == end || at[1] != '"') return at + 1;
  }
}

}  // namespace

CsvText::CsvText(std::string where, std::string_view text, char delimiter)
    : where_(std::move(where)),
      text_(text),
      delimiter_(delimiter),
      delimiters_(repeated(static_cast<unsigned char>(delimiter))) {
  for (const char c : {delimiter, '\n', '\r'}) ends_field_[static_cast<unsigned char>(c)] = true;
}

const char* CsvText::behind_quotes(const char* at) const {
  const char* const behind = closing(at, end());
  if (!behind) fail_at(at, "a quote that is not closed");
  return behind;
}

std::string_view CsvText::unquoted(std::string_view field, std::string& buffer) {
  const std::string_view inside = field.substr(1);
  std::size_t quote = inside.find('"');
  if (quote + 1 == inside.size()) return inside.substr(0, quote);
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

const char* CsvText::next_line(const char* at) const {
  if (at == end()) return at;
  return at + (*at == '\r' && at + 1 < end() && at[1] == '\n' ? 2 : 1);
}

const char* CsvText::over_blank_lines(const char* at) const {
  for (;;) {
    const char* blank = at;
    while (blank < end() && (*blank == ' ' || *blank == '\t') && *blank != delimiter_) ++blank;
    if (blank < end() && *blank != '\n' && *blank != '\r') return at;
    if (blank == end()) return blank;
    at = blank + 1;
  }
}

/// The first row that begins at `target` or behind it.
const char* CsvText::row_from(const char* at, const char* target) const {
  target = std::min(target, end());
  for (;;) {  // at is outside of quotes
    if (at < target) at = find_quote(at, target);
    if (at >= target)
      while (at < end() && *at != '"' && *at != '\n' && *at != '\r') ++at;
    if (at == end() || *at != '"') return next_line(at);
    const bool opens = at == begin() || is_field_end(at - 1);
    at = opens ? closing(at, end()) : at + 1;
    if (!at) return end();
  }
}

std::vector<const char*> CsvText::parts(const char* at) const {
  std::vector<const char*> starts;
  for (std::ptrdiff_t bytes = first_part_bytes; at < end(); bytes = part_bytes) {
    starts.push_back(at);
    at = row_from(at, end() - at > bytes ? at + bytes : end());
  }
  starts.push_back(end());
  return starts;
}

std::int64_t CsvText::most_rows(const char* from, const char* to) const {
  std::int64_t count = to == end() && to > from && to[-1] != '\n' && to[-1] != '\r';
  while (from < to) {
    const char* const stop = from + std::min<std::ptrdiff_t>(to - from, UINT8_MAX);
    std::uint8_t some = 0;  // so narrow that sixteen are counted at once
    for (; from < stop; ++from) some = static_cast<std::uint8_t>(some + ((*from == '\n') | (*from == '\r')));
    count += some;
  }
  return count;
}

void CsvText::fail_at(const char* position, std::string_view what) const {
  std::int64_t line = 1;
  for (const char* at = begin(); at < position; ++at)
    line += *at == '\n' || (*at == '\r' && at[1] != '\n');  // at[1] is there: at most `position`
  fail(where_, ": line ", line, ": ", what);
}

}  // namespace xgrad::data::internal
