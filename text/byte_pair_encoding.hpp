#pragma once
// Byte-pair encoding: text as the pieces that were frequent in another text.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::text {

struct BytePairTrainingOptions {
  std::int64_t vocabulary = 1024;                // tokens in the end, special ones and those of the 256 bytes included
  std::int64_t min_frequency = 2;                // a pair that occurs less often becomes no token
  std::vector<std::string> special_tokens = {};  // have the first numbers, and are never made of others
  std::int64_t max_word_bytes = 1 << 22;         // a longer word, a line without spaces, say, is an Error
};

struct BytePairEncodeOptions {
  bool special_tokens = true;  // false: what looks like a special token is text as any other: for text of strangers
  // A longer word, a line without spaces, say, is an Error: joining its bytes takes some 35 bytes of memory for
  // each, and some 0.6 s for a million.
  std::int64_t max_word_bytes = 1 << 22;
};

/// Byte-level byte-pair encoding, as GPT-2, Llama 3 and many others have it: a text is cut into words by a regular
/// expression, and in each word the bytes are joined to tokens, pair by pair, in the order in which training found
/// them. Tokens are those of the Python package `tokenizers` (without its post-processors: no token is put before or
/// after the text). Copies share the tables, and may be used by several threads at once.
class BytePairEncoding {
 public:
  /// Learns tokens from a text, cut into words as GPT-2 does: the same tokens in the same order as `tokenizers`'
  /// BpeTrainer with all bytes as initial alphabet. Throws Error for an empty text, for what is not UTF-8, for a word
  /// over max_word_bytes, and for a vocabulary that is smaller than the special tokens and bytes, or over 2^24.
  static BytePairEncoding train(std::string_view text, const BytePairTrainingOptions& options = {});

  /// From files: a tokenizer.json of Hugging Face, or a directory that has one, or else GPT-2's vocab.json and
  /// merges.txt. Throws Error, naming the file, where it is missing or malformed, and where it asks for what is not
  /// here: models other than byte-level BPE, normalizers, added tokens that take in white space.
  static BytePairEncoding load(const std::string& path);
  /// The same of GPT-2's two files.
  static BytePairEncoding load(const std::string& vocab_json, const std::string& merges_txt);
  /// The same of the bytes of a tokenizer.json.
  static BytePairEncoding from_json(std::string_view json);

  /// Writes a tokenizer.json that load() and `tokenizers` read. The file is replaced as a whole (see io::AtomicFile).
  void save(const std::string& path) const;

  /// The tokens of a text: int64 of shape (n,). Throws Error, with the offset, for text that is not UTF-8, for a byte
  /// that the vocabulary lacks, and for a word over max_word_bytes.
  Tensor encode(std::string_view text, const BytePairEncodeOptions& options = {}) const;
  /// The bytes that tokens of any shape stand for, in row-major order, special ones as they are written. Tokens that do
  /// not end where a character does give bytes that are not UTF-8. Throws Error for a number that is no token.
  std::string decode(const Tensor& tokens) const;

  /// One more than the largest token: the size of an embedding.
  std::int64_t size() const;
  /// The token that stands for exactly these bytes, a special one included, if there is one.
  std::optional<std::int64_t> token(std::string_view bytes) const;

 private:
  struct Tables;
  explicit BytePairEncoding(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}
  static BytePairEncoding parse(const std::string& where, std::string_view json);

  std::shared_ptr<const Tables> tables_;
};

}  // namespace xgrad::text
