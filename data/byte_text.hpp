#pragma once
// A text file as a data set of bytes.

#include <string>
#include <string_view>

#include "windows.hpp"

namespace xgrad::data {

/// The bytes of a text, which are the tokens 0 to 255.
///
///     const data::ByteText text("book.txt");
///     data::DataLoader loader(text.random_windows(128, {.count = 2000}), {.batch_size = 16, .seed = 0});
class ByteText {
 public:
  /// Reads a file. Throws Error, naming it, where it cannot be read or is empty.
  explicit ByteText(const std::string& path);
  /// Bytes from memory; `ByteText::of("some text")`.
  static ByteText of(std::string_view bytes);

  /// The bytes: uint8 of shape (n,).
  const Tensor& tokens() const { return tokens_; }
  /// Number of bytes.
  std::int64_t size() const { return tokens_.size(0); }
  /// The part from byte `begin` to `end`, which is not in it; shares memory. Throws Error unless 0 <= begin <= end <=
  /// size().
  ByteText part(std::int64_t begin, std::int64_t end) const;

  /// See Windows and RandomWindows.
  Windows windows(std::int64_t length, const WindowsOptions& options = {}) const {
    return Windows(tokens_, length, options);
  }
  RandomWindows random_windows(std::int64_t length, const RandomWindowsOptions& options = {}) const {
    return RandomWindows(tokens_, length, options);
  }

  /// Bytes as tokens, int64 of shape (n,), and back from integers of any shape in row-major order. Throws Error for a
  /// number that is no byte.
  static Tensor encode(std::string_view text);
  static std::string decode(const Tensor& tokens);

 private:
  explicit ByteText(Tensor tokens) : tokens_(std::move(tokens)) {}

  Tensor tokens_;
};

}  // namespace xgrad::data
