// A tokenizer.json of any bytes is read or refused with Error, and so is any text; tokens of a text are that text
// again. The input is a tokenizer.json, and after the first zero byte a text.

#include <xgrad/text/byte_pair_encoding.hpp>

#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto trained = xgrad::text::BytePairEncoding::train("the cat sat on the mat, and that was that",
                                                                   {.special_tokens = {"<|end|>"}});
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view json = input.substr(0, input.find('\0'));
  const std::string_view some = json.size() == size ? json : input.substr(json.size() + 1);
  try {
    if (trained.decode(trained.encode(some)) != some) std::abort();
  } catch (const xgrad::Error&) {  // not UTF-8
  }
  try {
    const auto tokens = xgrad::text::BytePairEncoding::from_json(json);
    tokens.decode(tokens.encode(some));
  } catch (const xgrad::Error&) {
  }
  return 0;
}
