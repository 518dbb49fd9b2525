#pragma once
// Code points of valid UTF-8, and the numbers of tokens.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::text {

inline bool continues_point(char unit) { return (static_cast<unsigned char>(unit) & 0xC0U) == 0x80U; }

/// The code point at `at`, which moves behind it.
char32_t next_point(std::string_view text, std::size_t& at);
void append_point(std::string& out, char32_t point);

/// The elements of a tensor of integers. Throws Error in the name of `op` for others.
std::vector<std::int64_t> token_numbers(const char* op, const Tensor& tokens);

}  // namespace xgrad::text
