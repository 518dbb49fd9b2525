#include "byte_pair_encoding.hpp"

#include <algorithm>

#include "../autograd/create.hpp"
#include "byte_pair_tables.hpp"
#include "utf8.hpp"

namespace xgrad::text {

Tensor BytePairEncoding::encode(std::string_view text, const BytePairEncodeOptions& options) const {
  return detail::with_memory_for("BytePairEncoding", [&] {
    check_utf8("BytePairEncoding", text);
    std::vector<Token> tokens;
    tables_->encode(text, options, tokens);
    const Tensor out = empty({static_cast<std::int64_t>(tokens.size())}, {.dtype = int64});
    std::copy(tokens.begin(), tokens.end(), out.data<std::int64_t>());
    return out;
  });
}

std::string BytePairEncoding::decode(const Tensor& tokens) const {
  return detail::with_memory_for("BytePairEncoding", [&] {
    std::string out;
    for (const std::int64_t token : token_numbers("BytePairEncoding", tokens)) {
      const std::string* bytes = tables_->find(token);
      check(bytes != nullptr, "BytePairEncoding: ", token, " is no token; they are below ", size());
      out += *bytes;
    }
    return out;
  });
}

std::int64_t BytePairEncoding::size() const {
  auto size = static_cast<std::int64_t>(tables_->tokens.size());
  for (const AddedToken& added : tables_->added) size = std::max<std::int64_t>(size, added.token + 1);
  return size;
}

std::optional<std::int64_t> BytePairEncoding::token(std::string_view bytes) const {
  for (const AddedToken& added : tables_->added)
    if (added.content == bytes) return added.token;
  const auto found = tables_->number.find(std::string(bytes));
  return found == tables_->number.end() ? std::nullopt : std::optional<std::int64_t>(found->second);
}

}  // namespace xgrad::text
