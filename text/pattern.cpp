#include "pattern.hpp"

#include <algorithm>
#include <new>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "../core/error.hpp"

namespace xgrad::text {

namespace {

const unsigned char* units(std::string_view text) {  // PCRE2 wants a pointer to an empty text, too
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

std::string what_pcre2_says(int error) {
  unsigned char message[256];
  pcre2_get_error_message(error, message, sizeof message);
  return reinterpret_cast<const char*>(message);
}

// PCRE2's own \s has U+180E as well, which is no white space since Unicode 6.3.
std::string with_white_space(std::string_view expression) {
  std::string out;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char next = expression[i] == '\\' && i + 1 < expression.size() ? expression[i + 1] : '\0';
    if (next == 's' || next == 'S') {
      out += next == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
      ++i;
    } else {
      out += expression[i];
      if (next != '\0') out += expression[++i];
    }
  }
  return out;
}

std::shared_ptr<pcre2_code> compiled(const char* op, std::string_view expression) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::string pattern = with_white_space(expression);
  std::shared_ptr<pcre2_code> code(
      pcre2_compile(units(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr), pcre2_code_free);
  check(code != nullptr, op, ": `", expression, "` is not a regular expression: ", what_pcre2_says(error));
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it cannot, the pattern is interpreted
  return code;
}

template <class T>
std::shared_ptr<T> owned(T* made, void (*release)(T*)) {
  if (made == nullptr) throw std::bad_alloc();
  return {made, release};
}

bool continues(char unit) { return (static_cast<unsigned char>(unit) & 0xC0U) == 0x80U; }

}  // namespace

void check_utf8(const char* op, std::string_view text) {
  static const std::shared_ptr<pcre2_code> nothing = compiled("check_utf8", "");
  const auto data = owned(pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const int found = pcre2_match(nothing.get(), units(text), text.size(), 0, PCRE2_ANCHORED | PCRE2_NO_JIT, data.get(),
                                nullptr);  // the check comes before the match
  check(found >= 0, op, ": the text is not UTF-8: ", what_pcre2_says(found), " at byte ",
        pcre2_get_startchar(data.get()));
}

Pattern::Pattern(const char* op, std::string expression)
    : expression_(std::move(expression)), code_(compiled(op, expression_)) {}

Matches::Matches(const Pattern& pattern, std::string_view text)
    : pattern_(pattern),
      text_(text),
      data_(owned(pcre2_match_data_create(1, nullptr), pcre2_match_data_free)),
      context_(owned(pcre2_match_context_create(nullptr), pcre2_match_context_free)) {
  // Enough for what is linear in the text, an end for what is exponential.
  constexpr std::size_t least = 10'000'000, most = 0xFFFFFFFF;
  pcre2_set_match_limit(static_cast<pcre2_match_context*>(context_.get()),
                        static_cast<std::uint32_t>(std::min(most, std::max(least, 16 * text.size()))));
}

bool Matches::next() {
  const auto* code = static_cast<const pcre2_code*>(pattern_.code_.get());
  auto* data = static_cast<pcre2_match_data*>(data_.get());
  for (std::size_t from = end_; from <= text_.size();) {
    const int found = pcre2_match(code, units(text_), text_.size(), from, PCRE2_NO_UTF_CHECK, data,
                                  static_cast<pcre2_match_context*>(context_.get()));
    if (found == PCRE2_ERROR_NOMATCH) return false;
    check(found >= 0, "text: the pattern `", pattern_.expression_, "`: ", what_pcre2_says(found));
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data);
    begin_ = ends[0];
    end_ = ends[1];
    if (begin_ < end_) return true;
    for (from = end_ + 1; from < text_.size() && continues(text_[from]);) ++from;
  }
  return false;
}

std::string any_of(std::vector<std::string_view> texts) {
  std::stable_sort(texts.begin(), texts.end(), [](auto a, auto b) { return a.size() > b.size(); });
  std::string expression;
  for (const std::string_view one : texts) {
    if (!expression.empty()) expression += '|';
    for (const char unit : one) {
      const bool plain = static_cast<unsigned char>(unit) >= 0x80 || (unit >= '0' && unit <= '9') ||
                         (unit >= 'A' && unit <= 'Z') || (unit >= 'a' && unit <= 'z');
      if (!plain) expression += '\\';
      expression += unit;
    }
  }
  return expression;
}

}  // namespace xgrad::text
