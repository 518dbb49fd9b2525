#include "utf8.hpp"

#include "../autograd/create.hpp"

namespace xgrad::text {

char32_t next_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  char32_t point = lead < 0xE0 ? lead & 0x1FU : lead < 0xF0 ? lead & 0x0FU : lead & 0x07U;
  while (at < text.size() && continues_point(text[at]))
    point = point << 6U | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return point;
}

void append_point(std::string& out, char32_t point) {
  const auto unit = [&](char32_t bits) { out += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (point < 0x80) {
    unit(point);
  } else if (point < 0x800) {
    unit(0xC0U | point >> 6U);
    unit(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    unit(0xE0U | point >> 12U);
    unit(0x80U | (point >> 6U & 0x3FU));
    unit(0x80U | (point & 0x3FU));
  } else {
    unit(0xF0U | point >> 18U);
    unit(0x80U | (point >> 12U & 0x3FU));
    unit(0x80U | (point >> 6U & 0x3FU));
    unit(0x80U | (point & 0x3FU));
  }
}

std::vector<std::int64_t> token_numbers(const char* op, const Tensor& tokens) {
  check(tokens.defined(), op, ": the tokens are an undefined tensor");
  check(detail::kind_of(tokens.dtype()) == detail::Kind::integer, op, ": tokens are integers, not ", tokens.dtype());
  return tokens.detach().to(int64).to_vector<std::int64_t>();
}

}  // namespace xgrad::text
