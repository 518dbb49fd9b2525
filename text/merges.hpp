#pragma once
// The pairs of tokens that byte-pair encoding joins.

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace xgrad::text {

using Token = std::int32_t;

/// What becomes of two neighbouring tokens, and how early.
class Merges {
 public:
  /// Two tokens as one number, ordered by the left one first.
  static std::uint64_t key(Token left, Token right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U | static_cast<std::uint32_t>(right);
  }

  struct Merge {
    std::int32_t rank;  // the lowest first
    Token token;
  };

  /// The next pair, of the rank after the last one's. Of a pair that comes twice the later one holds.
  void add(Token left, Token right, Token joined) { merges_[key(left, right)] = {next_rank_++, joined}; }
  const Merge* find(Token left, Token right) const {
    const auto found = merges_.find(key(left, right));
    return found == merges_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return merges_.size(); }

  /// Joins the tokens of a word in place: always the pair of the lowest rank, the leftmost of equal ones. Takes n log n
  /// time.
  void apply(std::vector<Token>& word) const;

  struct Pair {
    Token left, right;
  };
  /// All pairs by rank.
  std::vector<Pair> in_order() const;

 private:
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::int32_t next_rank_ = 0;
};

}  // namespace xgrad::text
