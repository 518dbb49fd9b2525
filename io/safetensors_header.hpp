#pragma once
// The header of a safetensors file: read with every check of the format, and written.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../array/dtype.hpp"
#include "../array/shape.hpp"
#include "file.hpp"

namespace xgrad::io {

/// The `__metadata__` of a safetensors file: text by name.
using SafetensorsMetadata = std::map<std::string, std::string>;

/// An element type that xgrad reads from a safetensors file, and what it becomes.
struct SafetensorsDType {
  std::string_view name;
  std::size_t item_size;
  DType loaded_as;
};

/// The format's type for a dtype, with the same bytes: BOOL, I64, BF16, F32, ...
const SafetensorsDType& safetensors_dtype(DType dtype);

/// One tensor of a safetensors file: bytes `begin` to `end` of the body, row-major, little-endian.
struct SafetensorsEntry {
  std::string name;
  const SafetensorsDType* dtype;
  Shape shape;
  std::uint64_t begin, end;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of the file's header
  SafetensorsMetadata metadata;
};

/// Longest header the format allows, in bytes.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

/// Longest text within a header that is read: what a file asks to be kept must not exceed what it may be worth.
inline constexpr std::uint64_t max_safetensors_text = std::uint64_t{1} << 24;

/// Reads the JSON of a header, `length` bytes from byte `begin` of a file; the body is what follows. Throws Error,
/// beginning with `where`, for anything the format does not allow: no `{` at the start, malformed JSON or UTF-8,
/// duplicate, missing or unknown keys, negative or fractional sizes, an element type that is unknown, a size that does
/// not match its offsets, and offsets that overlap, leave holes or do not cover the body exactly; and for a text longer
/// than max_safetensors_text. The header is read in pieces: nothing is kept of one that is refused.
SafetensorsHeader read_safetensors_header(std::string_view where, const Input& file, std::uint64_t begin,
                                          std::uint64_t length);

/// The JSON of a header, padded by spaces to a multiple of 8 bytes. Throws Error, beginning with `where`, for a
/// duplicate or reserved name, or text that is not UTF-8.
std::string format_safetensors_header(std::string_view where, const SafetensorsHeader& header);

/// Text from a file as it goes into an error message (see `fail`): in quotes, shortened, control characters replaced.
struct Quoted {
  std::string_view text;
};
void append(std::string& out, Quoted quoted);

}  // namespace xgrad::io
