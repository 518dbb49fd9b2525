#include "byte_pair_tables.hpp"

#include <algorithm>

#include "../core/error.hpp"
#include "utf8.hpp"

namespace xgrad::text {

namespace {

constexpr std::int64_t most_tokens = std::int64_t{1} << 24;

struct Characters256 {
  std::array<char32_t, 256> of_byte;
  std::array<int, 512> byte_of;

  Characters256() {
    byte_of.fill(-1);
    char32_t next = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      of_byte[byte] = printable ? char32_t{byte} : next++;
      byte_of[of_byte[byte]] = static_cast<int>(byte);
    }
  }
};

const Characters256& characters() {
  static const Characters256 table;
  return table;
}

}  // namespace

char32_t character_of(unsigned char byte) { return characters().of_byte[byte]; }

std::string written(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) append_point(out, character_of(static_cast<unsigned char>(byte)));
  return out;
}

std::optional<std::string> unwritten(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_point(text, at);
    const int byte = point < 512 ? characters().byte_of[point] : -1;
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(static_cast<unsigned char>(byte));
  }
  return bytes;
}

void BytePairEncoding::Tables::add(const std::string& where, std::int64_t token, std::string text, bool joinable) {
  check(token >= 0 && token < most_tokens, where, ": token ", token, " lies outside 0 to ", most_tokens - 1);
  check(!text.empty(), where, ": token ", token, " is empty");
  const auto at = static_cast<std::size_t>(token);
  if (tokens.size() <= at) tokens.resize(at + 1);
  check(tokens[at].empty(), where, ": two tokens have number ", token);
  if (joinable) number.emplace(text, static_cast<Token>(token));
  tokens[at] = std::move(text);
}

void BytePairEncoding::Tables::add_merge(const std::string& where, std::string_view left, std::string_view right) {
  const auto token_of = [&](std::string_view text) {
    const std::optional<std::string> spelled = unwritten(text);
    const auto found = spelled ? number.find(*spelled) : number.end();
    check(found != number.end(), where, ": the merge of `", left, "` and `", right, "`: `", text,
          "` is not in the vocabulary");
    return found->second;
  };
  const Token first = token_of(left), second = token_of(right);
  merges.add(first, second, token_of(std::string(left).append(right)));
}

void BytePairEncoding::Tables::add_added(const std::string& where, AddedToken token) {
  check(token.token >= 0 && token.token < most_tokens, where, ": token ", token.token, " lies outside 0 to ",
        most_tokens - 1);
  check(!token.content.empty(), where, ": the added token ", token.token, " is empty");
  const std::string* same = find(token.token);
  check(same == nullptr || *same == token.content || *same == unwritten(token.content), where,
        ": two tokens have number ", token.token);
  added_content_[token.token] = token.content;
  added.push_back(std::move(token));
}

void BytePairEncoding::Tables::finish() {
  bytes.fill(-1);
  for (unsigned byte = 0; byte < 256; ++byte)
    if (const auto found = number.find(std::string(1, static_cast<char>(static_cast<unsigned char>(byte))));
        found != number.end())
      bytes[byte] = found->second;
  find_all_ = finders(true);
  find_text_ = finders(false);
}

std::vector<BytePairEncoding::Tables::Finder> BytePairEncoding::Tables::finders(bool special_tokens) const {
  std::vector<Finder> all;
  for (const bool normalized : {false, true}) {
    std::vector<std::string_view> contents;
    std::unordered_map<std::string, Token> numbers;
    for (const AddedToken& one : added)
      if (one.normalized == normalized && (special_tokens || !one.special)) {
        contents.push_back(one.content);
        numbers[one.content] = one.token;
      }
    if (!contents.empty())
      all.push_back({Pattern("BytePairEncoding", any_of(std::move(contents))), std::move(numbers)});
  }
  return all;
}

const std::string* BytePairEncoding::Tables::find(std::int64_t token) const {
  if (token < 0 || token >= most_tokens) return nullptr;
  if (const auto added_one = added_content_.find(static_cast<Token>(token)); added_one != added_content_.end())
    return &added_one->second;
  const auto at = static_cast<std::size_t>(token);
  return at < tokens.size() && !tokens[at].empty() ? &tokens[at] : nullptr;
}

void check_word(const char* op, std::string_view word, std::int64_t most) {
  check(static_cast<std::int64_t>(word.size()) <= most, op, ": a word of ", word.size(), " bytes, which begins with `",
        word.substr(0, 32), "`; max_word_bytes is ", most,
        ": put spaces or line ends into the text, or allow for more memory and time by max_word_bytes");
}

/// Goes through one text.
class BytePairEncoding::Tables::Encoder {
 public:
  Encoder(const Tables& tables, const BytePairEncodeOptions& options, std::vector<Token>& out)
      : tables_(tables),
        finders_(options.special_tokens ? tables.find_all_ : tables.find_text_),
        max_word_bytes_(options.max_word_bytes),
        out_(out) {}

  /// Looks for added tokens of finder `level` and those behind it.
  void find_added(std::string_view text, std::size_t level) {
    if (level == finders_.size()) return plain(text);
    const Finder& finder = finders_[level];
    std::size_t begin = 0;
    for (Matches match(finder.pattern, text); match.next(); begin = match.end()) {
      find_added(text.substr(begin, match.begin() - begin), level + 1);
      out_.push_back(finder.tokens.at(std::string(text.substr(match.begin(), match.end() - match.begin()))));
    }
    find_added(text.substr(begin), level + 1);
  }

 private:
  void plain(std::string_view text) {
    if (text.empty()) return;
    if (!tables_.add_prefix_space || text.front() == ' ') return cut(text, 0);
    known_.clear();  // it is of texts that live on
    cut(' ' + std::string(text), 0);
    known_.clear();
  }

  void cut(std::string_view text, std::size_t level) {
    if (text.empty()) return;
    if (level == tables_.words.size()) return word(text);
    std::size_t begin = 0;
    for (Matches match(tables_.words[level], text); match.next(); begin = match.end()) {
      cut(text.substr(begin, match.begin() - begin), level + 1);
      cut(text.substr(match.begin(), match.end() - match.begin()), level + 1);
    }
    cut(text.substr(begin), level + 1);
  }

  void word(std::string_view text) {
    constexpr std::size_t short_word = 64, most_known = 1'000'000;
    if (text.size() > short_word) return join(text);
    if (const auto found = known_.find(text); found != known_.end()) {
      const auto [begin, count] = found->second;
      for (std::size_t i = begin; i < begin + count; ++i) out_.push_back(out_[i]);
      return;
    }
    const std::size_t begin = out_.size();
    join(text);
    if (known_.size() < most_known) known_.emplace(text, Where{begin, out_.size() - begin});
  }

  void join(std::string_view text) {
    if (tables_.ignore_merges)
      if (const auto whole = tables_.number.find(std::string(text)); whole != tables_.number.end()) {
        out_.push_back(whole->second);
        return;
      }
    check_word("BytePairEncoding", text, max_word_bytes_);
    symbols_.clear();
    for (const char unit : text) {
      const auto byte = static_cast<unsigned char>(unit);
      check(tables_.bytes[byte] >= 0, "BytePairEncoding: the vocabulary has no token for byte ", int{byte}, ", in `",
            text.substr(0, 64), "`");
      symbols_.push_back(tables_.bytes[byte]);
    }
    tables_.merges.apply(symbols_);
    out_.insert(out_.end(), symbols_.begin(), symbols_.end());
  }

  struct Where {
    std::size_t begin, count;  // in out_
  };

  const Tables& tables_;
  const std::vector<Finder>& finders_;
  const std::int64_t max_word_bytes_;
  std::vector<Token>& out_;
  std::vector<Token> symbols_;
  std::unordered_map<std::string_view, Where> known_;  // words that came before
};

void BytePairEncoding::Tables::encode(std::string_view text, const BytePairEncodeOptions& options,
                                      std::vector<Token>& out) const {
  check(options.max_word_bytes > 0, "BytePairEncoding: max_word_bytes is ", options.max_word_bytes,
        "; it must be positive");
  Encoder(*this, options, out).find_added(text, 0);
}

}  // namespace xgrad::text
