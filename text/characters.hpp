#pragma once
// Text as numbers, a character each.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::text {

/// The characters (code points) of a text of UTF-8, numbered in the order of Unicode.
class Characters {
 public:
  /// Those that occur in the text. Throws Error for an empty text, and for what is not UTF-8.
  explicit Characters(std::string_view text);

  /// Numbers of the characters of a text: int64 of shape (n,). Throws Error, naming the character, for one that is none
  /// of these, and for text that is not UTF-8.
  Tensor encode(std::string_view text) const;
  /// The text of integers of any shape, in row-major order. Throws Error for a number out of range.
  std::string decode(const Tensor& tokens) const;
  /// How many there are.
  std::int64_t size() const { return static_cast<std::int64_t>(points_.size()); }
  /// All of them, in order: what to keep in order to make this again.
  std::string all() const;

 private:
  std::vector<char32_t> points_;  // sorted
};

}  // namespace xgrad::text
