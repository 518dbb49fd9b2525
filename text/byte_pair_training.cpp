// How a text becomes the merges of a byte-pair encoding.

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_set>

#include "byte_pair_tables.hpp"

namespace xgrad::text {

namespace {

struct Word {
  std::vector<Token> tokens;
  std::int64_t count;
};

struct Frequent {
  std::int64_t count;
  std::uint64_t pair;
  std::vector<std::uint32_t> words;  // in which it is, ascending

  friend bool operator<(const Frequent& a, const Frequent& b) {  // std::priority_queue has the largest first
    return a.count != b.count ? a.count < b.count : a.pair > b.pair;
  }
};

/// Counts of neighbouring tokens in all words, and where they are.
class Pairs {
 public:
  explicit Pairs(std::vector<Word> words) : words_(std::move(words)) {
    for (std::uint32_t i = 0; i < words_.size(); ++i) {
      const std::vector<Token>& tokens = words_[i].tokens;
      for (std::size_t j = 0; j + 1 < tokens.size(); ++j)
        change(Merges::key(tokens[j], tokens[j + 1]), words_[i].count, i);
    }
    queue_new();
  }

  /// The most frequent pair, of equal ones that of the lowest tokens; count 0 where there is none left.
  Frequent take() {
    while (!queue_.empty()) {
      Frequent best = queue_.top();
      queue_.pop();
      const std::int64_t now = counts_[best.pair];
      if (now == best.count) return best;
      best.count = now;  // merges since have taken some
      if (now > 0) queue_.push(std::move(best));
    }
    return {0, 0, {}};
  }

  void merge(const Frequent& pair, Token joined) {
    const auto left = static_cast<Token>(pair.pair >> 32U), right = static_cast<Token>(pair.pair & 0xFFFFFFFFU);
    for (const std::uint32_t i : pair.words) merge_in(i, left, right, joined);
    queue_new();
  }

 private:
  void change(std::uint64_t pair, std::int64_t by, std::uint32_t word) {
    counts_[pair] += by;
    if (by > 0) {
      std::vector<std::uint32_t>& where = found_[pair];
      if (where.empty() || where.back() != word) where.push_back(word);
    }
  }

  void merge_in(std::uint32_t number, Token left, Token right, Token joined) {
    std::vector<Token>& tokens = words_[number].tokens;
    const std::int64_t count = words_[number].count;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i + 1 == tokens.size() || tokens[i] != left || tokens[i + 1] != right) {
        tokens[kept++] = tokens[i];
        continue;
      }
      if (kept > 0) {
        change(Merges::key(tokens[kept - 1], left), -count, number);
        change(Merges::key(tokens[kept - 1], joined), count, number);
      }
      if (i + 2 < tokens.size()) {
        change(Merges::key(right, tokens[i + 2]), -count, number);
        change(Merges::key(joined, tokens[i + 2]), count, number);
      }
      tokens[kept++] = joined;
      ++i;
    }
    tokens.resize(kept);
  }

  void queue_new() {
    for (auto& [pair, where] : found_) {
      std::sort(where.begin(), where.end());
      where.erase(std::unique(where.begin(), where.end()), where.end());
      if (const std::int64_t count = counts_[pair]; count > 0) queue_.push({count, pair, std::move(where)});
    }
    found_.clear();
  }

  std::vector<Word> words_;
  std::unordered_map<std::uint64_t, std::int64_t> counts_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> found_;  // since the last queue_new()
  std::priority_queue<Frequent> queue_;
};

std::vector<Word> words_of(const char* op, std::string_view text, const Pattern& words,
                           const std::array<Token, 256>& bytes, std::int64_t max_word_bytes) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  std::vector<std::string_view> order;               // of first occurrence
  for (Matches match(words, text); match.next();) {  // GPT-2's words leave nothing out
    const std::string_view word = text.substr(match.begin(), match.end() - match.begin());
    check_word(op, word, max_word_bytes);
    if (counts[word]++ == 0) order.push_back(word);
  }
  std::vector<Word> out;
  for (const std::string_view word : order) {
    std::vector<Token> tokens;
    for (const char byte : word) tokens.push_back(bytes[static_cast<unsigned char>(byte)]);
    out.push_back({std::move(tokens), counts[word]});
  }
  return out;
}

}  // namespace

BytePairEncoding BytePairEncoding::train(std::string_view text, const BytePairTrainingOptions& options) {
  constexpr const char* op = "BytePairEncoding::train";
  check(!text.empty(), op, ": the text is empty");
  check_utf8(op, text);
  const auto least = static_cast<std::int64_t>(options.special_tokens.size()) + 256;
  check(options.vocabulary >= least && options.vocabulary <= (1 << 24), op, ": a vocabulary of ", options.vocabulary,
        " tokens; it must lie between ", least, ", special tokens and bytes, and 2^24");
  return detail::with_memory_for(op, [&] {
    auto tables = std::make_shared<Tables>();
    const auto next = [&] { return static_cast<Token>(tables->tokens.size()); };
    for (const std::string& special : options.special_tokens) {
      check_utf8(op, special);
      for (const AddedToken& other : tables->added)
        check(other.content != special, op, ": the special token `", special, "` is there twice");
      const Token token = next();
      const std::optional<std::string> bytes = unwritten(special);
      tables->add(op, token, bytes.value_or(special), bytes.has_value());
      tables->add_added(op, {special, token, true, false});
    }
    std::map<char32_t, unsigned char> alphabet;  // in the order in which it is written
    for (unsigned byte = 0; byte < 256; ++byte)
      alphabet[character_of(static_cast<unsigned char>(byte))] = static_cast<unsigned char>(byte);
    for (const auto& [character, byte] : alphabet)
      if (std::string one(1, static_cast<char>(byte)); !tables->number.contains(one))
        tables->add(op, next(), std::move(one), true);
    tables->words.emplace_back(op, gpt2_words);
    tables->finish();

    Pairs pairs(words_of(op, text, tables->words[0], tables->bytes, options.max_word_bytes));
    while (next() < options.vocabulary) {
      const Frequent best = pairs.take();
      if (best.count < 1 || best.count < options.min_frequency) break;
      const auto left = static_cast<Token>(best.pair >> 32U), right = static_cast<Token>(best.pair & 0xFFFFFFFFU);
      const std::string joined =
          tables->tokens[static_cast<std::size_t>(left)] + tables->tokens[static_cast<std::size_t>(right)];
      const auto same = tables->number.find(joined);  // made of other parts before
      const Token token = same == tables->number.end() ? next() : same->second;
      if (same == tables->number.end()) tables->add(op, token, joined, true);
      tables->merges.add(left, right, token);
      pairs.merge(best, token);
    }
    return BytePairEncoding(std::move(tables));
  });
}

}  // namespace xgrad::text
