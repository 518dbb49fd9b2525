#include "merges.hpp"

#include <algorithm>
#include <limits>
#include <queue>

#include "../core/error.hpp"

namespace xgrad::text {

namespace {

constexpr std::int32_t none = -1;

struct Symbol {
  Token token;  // none: joined to the one before
  std::int32_t previous, next;
};

struct Candidate {
  std::int32_t rank, position;
  Token joined;

  friend bool operator<(const Candidate& a, const Candidate& b) {  // std::priority_queue has the largest first
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
};

}  // namespace

void Merges::apply(std::vector<Token>& word) const {
  check(word.size() < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
        "BytePairEncoding: a word of ", word.size(), " bytes is too long");
  const auto n = static_cast<std::int32_t>(word.size());
  std::vector<Symbol> symbols(word.size());
  for (std::int32_t i = 0; i < n; ++i)
    symbols[static_cast<std::size_t>(i)] = {word[static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : none};
  const auto at = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };

  std::priority_queue<Candidate> candidates;
  const auto consider = [&](std::int32_t left) {
    if (left == none || at(left).next == none) return;
    if (const Merge* merge = find(at(left).token, at(at(left).next).token))
      candidates.push({merge->rank, left, merge->token});
  };
  for (std::int32_t i = 0; i + 1 < n; ++i) consider(i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = at(best.position);
    if (left.token == none || left.next == none) continue;
    Symbol& right = at(left.next);
    const Merge* merge = find(left.token, right.token);
    if (merge == nullptr || merge->token != best.joined) continue;  // one of the two has become another
    left.token = best.joined;
    left.next = right.next;
    right.token = none;
    if (left.next != none) at(left.next).previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  word.clear();
  for (const Symbol& symbol : symbols)
    if (symbol.token != none) word.push_back(symbol.token);
}

std::vector<Merges::Pair> Merges::in_order() const {
  std::vector<std::pair<std::int32_t, Pair>> ranked;
  for (const auto& [key, merge] : merges_)
    ranked.push_back({merge.rank, {static_cast<Token>(key >> 32U), static_cast<Token>(key & 0xFFFFFFFFU)}});
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Pair> pairs;
  for (const auto& [rank, pair] : ranked) pairs.push_back(pair);
  return pairs;
}

}  // namespace xgrad::text
