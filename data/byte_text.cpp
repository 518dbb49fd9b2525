#include "byte_text.hpp"

#include <algorithm>
#include <cstring>

#include "../autograd/create.hpp"
#include "../io/file.hpp"
#include "../ops/slicing.hpp"

namespace xgrad::data {

ByteText::ByteText(const std::string& path) {
  const io::InputFile file("ByteText", path);
  check(file.size() > 0, "ByteText: ", path, " is empty");
  tokens_ = empty({static_cast<std::int64_t>(file.size())}, {.dtype = uint8});
  file.read(0, tokens_.data<std::uint8_t>(), file.size());
}

ByteText ByteText::of(std::string_view bytes) {
  check(!bytes.empty(), "ByteText: the text is empty");
  const Tensor tokens = empty({static_cast<std::int64_t>(bytes.size())}, {.dtype = uint8});
  std::memcpy(tokens.data<std::uint8_t>(), bytes.data(), bytes.size());
  return ByteText(tokens);
}

ByteText ByteText::part(std::int64_t begin, std::int64_t end) const {
  check(begin >= 0 && begin <= end && end <= size(), "ByteText: bytes ", begin, " to ", end, " of ", size());
  return ByteText(slice(tokens_, 0, begin, end));
}

Tensor ByteText::encode(std::string_view text) {
  const Tensor tokens = empty({static_cast<std::int64_t>(text.size())}, {.dtype = int64});
  std::transform(text.begin(), text.end(), tokens.data<std::int64_t>(),
                 [](char byte) { return static_cast<unsigned char>(byte); });
  return tokens;
}

std::string ByteText::decode(const Tensor& tokens) {
  check(tokens.defined() && detail::kind_of(tokens.dtype()) == detail::Kind::integer, "ByteText: tokens are integers");
  const std::vector<std::int64_t> numbers = tokens.detach().to(int64).to_vector<std::int64_t>();
  std::string text;
  for (const std::int64_t number : numbers) {
    check(number >= 0 && number < 256, "ByteText: token ", number, " is no byte");
    text += static_cast<char>(static_cast<unsigned char>(number));
  }
  return text;
}

}  // namespace xgrad::data
