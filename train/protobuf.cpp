#include "protobuf.hpp"

#include <bit>
#include <cstring>

namespace xgrad::train::detail {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

namespace {
enum WireType { varint_type = 0, fixed64_type = 1, length_type = 2, fixed32_type = 5 };

template <class Value>
void append_bytes(std::string& out, const Value& value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}
}  // namespace

void Message::varint(std::uint64_t value) {
  for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
  bytes_ += static_cast<char>(value);
}

void Message::key(int field, int wire_type) { varint(static_cast<std::uint64_t>(field << 3 | wire_type)); }

Message& Message::integer(int field, std::int64_t value) {
  key(field, varint_type);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

Message& Message::number(int field, double value) {
  key(field, fixed64_type);
  append_bytes(bytes_, value);
  return *this;
}

Message& Message::single(int field, float value) {
  key(field, fixed32_type);
  append_bytes(bytes_, value);
  return *this;
}

Message& Message::text(int field, std::string_view value) {
  key(field, length_type);
  varint(value.size());
  bytes_ += value;
  return *this;
}

template <class Value>
Message& Message::packed(int field, std::span<const Value> values) {
  key(field, length_type);
  varint(values.size_bytes());
  for (const Value& value : values) append_bytes(bytes_, value);
  return *this;
}
Message& Message::numbers(int field, std::span<const double> values) { return packed(field, values); }
Message& Message::singles(int field, std::span<const float> values) { return packed(field, values); }

}  // namespace xgrad::train::detail
