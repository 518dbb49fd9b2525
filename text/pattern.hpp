#pragma once
// Regular expressions over UTF-8. The patterns of tokenizers are written as such, in their files too, and need the
// categories of Unicode and look-ahead: PCRE2 has both, works on UTF-8 as it is, and compiles patterns to machine code.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::text {

/// Throws Error in the name of `op`, with the offset, for text that is not UTF-8.
void check_utf8(const char* op, std::string_view text);

/// A compiled pattern. \s is Unicode's White_Space, as in Python and Rust.
class Pattern {
 public:
  /// Throws Error in the name of `op` for what is no pattern.
  Pattern(const char* op, std::string expression);

  const std::string& expression() const { return expression_; }

 private:
  friend class Matches;
  std::string expression_;
  std::shared_ptr<const void> code_;
};

/// The matches of a pattern in a text of UTF-8, which has to be valid and to live as long, from left to right. Empty
/// ones are passed over.
///
///     for (Matches match(pattern, text); match.next();) use(text.substr(match.begin(), match.end() - match.begin()));
class Matches {
 public:
  Matches(const Pattern& pattern, std::string_view text);

  /// Goes to the next match; false where there is none. Throws Error where the pattern takes too long on this text.
  bool next();
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }

 private:
  const Pattern& pattern_;
  std::string_view text_;
  std::shared_ptr<void> data_, context_;
  std::size_t begin_ = 0, end_ = 0;
};

/// The pattern of one of these texts, the longest where several match.
std::string any_of(std::vector<std::string_view> texts);

}  // namespace xgrad::text
