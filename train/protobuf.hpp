#pragma once
// Protocol buffers as far as TensorBoard's event files need them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace xgrad::train::detail {

/// The bytes of a message; each call appends a field of this number. Wire format:
/// https://protobuf.dev/programming-guides/encoding
class Message {
 public:
  Message& integer(int field, std::int64_t value);
  Message& number(int field, double value);
  Message& single(int field, float value);
  Message& text(int field, std::string_view value);  // strings and bytes
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  Message& numbers(int field, std::span<const double> values);  // repeated, packed
  Message& singles(int field, std::span<const float> values);

  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type);
  void varint(std::uint64_t value);
  template <class Value>
  Message& packed(int field, std::span<const Value> values);

  std::string bytes_;
};

}  // namespace xgrad::train::detail
