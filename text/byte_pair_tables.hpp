#pragma once
// What byte-pair encoding knows, and its parts: files fill it in, encode() and decode() read it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "byte_pair_encoding.hpp"
#include "merges.hpp"
#include "pattern.hpp"

namespace xgrad::text {

/// How GPT-2 cuts a text into words.
inline constexpr const char* gpt2_words =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// Tokens in files are written in characters, one for each byte: printable ones stand for themselves, the others, from
/// U+0100 on, are numbered in order.
char32_t character_of(unsigned char byte);
std::string written(std::string_view bytes);
/// The bytes of a token as it is written; none where a character stands for no byte.
std::optional<std::string> unwritten(std::string_view characters);

/// Throws Error in the name of `op` for a word of more than `most` bytes.
void check_word(const char* op, std::string_view word, std::int64_t most);

/// A text that is found before the rest is cut into words.
struct AddedToken {
  std::string content;
  Token token;
  bool special;     // no text: encode() can be told to pass over it
  bool normalized;  // looked for only in what is left by those that are not
};

struct BytePairEncoding::Tables {
  std::vector<std::string> tokens;                // their bytes, empty where a number is no token
  std::unordered_map<std::string, Token> number;  // of all that can be joined from bytes
  std::array<Token, 256> bytes;                   // -1: not in the vocabulary
  Merges merges;
  std::vector<AddedToken> added;
  std::vector<Pattern> words;     // the first one cuts the text, the next one what it left, ...
  bool add_prefix_space = false;  // a text begins with a space
  bool ignore_merges = false;     // a word that is a token is that one, whatever its pairs

  /// Adds a token of the vocabulary. Throws Error, beginning with `where`, for a number that is negative, taken or over
  /// 2^24.
  void add(const std::string& where, std::int64_t token, std::string bytes, bool joinable);
  /// Throws Error, beginning with `where`, unless both tokens and the one that they make are in the vocabulary.
  void add_merge(const std::string& where, std::string_view left, std::string_view right);
  /// Adds a text to look for; its number may be that of the same text in the vocabulary.
  void add_added(const std::string& where, AddedToken token);
  /// To be called when all is there: what the rest is found by.
  void finish();

  void encode(std::string_view text, const BytePairEncodeOptions& options, std::vector<Token>& out) const;
  /// The bytes of a token, those of an added one as it is written; null for what is no token.
  const std::string* find(std::int64_t token) const;

 private:
  /// Added tokens that are looked for at once.
  struct Finder {
    Pattern pattern;
    std::unordered_map<std::string, Token> tokens;
  };
  class Encoder;
  std::vector<Finder> finders(bool special_tokens) const;

  std::vector<Finder> find_all_, find_text_;  // with special tokens, and without
  std::unordered_map<Token, std::string> added_content_;
};

}  // namespace xgrad::text
