#pragma once
// Floating numbers of 16 bits: what tensors of bfloat16 and float16 are made of.

#include <bit>
#include <cstdint>
#include <limits>

namespace xgrad {

namespace detail {

// By bits and without a branch, so that loops over them are vectorised on any processor. Rounding is to the nearest, to
// even at ties; what is beyond the largest number becomes infinite; a NaN stays one.

constexpr std::uint16_t bfloat16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // Chosen before the addition, which takes fewer instructions than a choice between two sums.
  const std::uint32_t half_a_place = 0x7fff + (bits >> 16 & 1), to_quiet = 0x400000 & ~bits;
  return static_cast<std::uint16_t>((bits + (value != value ? to_quiet : half_a_place)) >> 16);
}
constexpr float bfloat16_value(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

constexpr std::uint16_t float16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t size = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
  // Below 2^-14 numbers are multiples of 2^-24, which is the last place of a float that 1/2 is added to.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3f000000;
  const std::uint32_t rounded = (size + 0xfff + (size >> 13 & 1)) >> 13, normal = rounded - (112u << 10);
  const std::uint32_t finite = size < 0x38800000 ? subnormal : normal;
  const std::uint32_t infinite_or_nan = size > 0x7f800000 ? 0x7e00 | (size >> 13 & 0x3ff) : 0x7c00;
  return static_cast<std::uint16_t>((size < 0x477ff000 ? finite : infinite_or_nan) | sign);
}
constexpr float float16_value(std::uint16_t bits) {
  const std::uint32_t size = bits & 0x7fffu, sign = std::uint32_t{bits} >> 15 << 31;
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int32_t>(size)) * 0x1p-24f);
  const std::uint32_t normal = (size << 13) + (112u << 23), infinite_or_nan = normal + (112u << 23);
  const std::uint32_t regular = size < 0x400 ? subnormal : normal;
  return std::bit_cast<float>((size < 0x7c00 ? regular : infinite_or_nan) | sign);
}

}  // namespace detail

/// The upper half of a float: its range, with a precision of 8 bits. It converts to float by itself and is computed
/// with as one, and is made of a number explicitly, by rounding: `BFloat16 half(0.5f); float sum = half + half;`
class BFloat16 {
 public:
  BFloat16() = default;
  explicit constexpr BFloat16(float value) : bits_(detail::bfloat16_bits(value)) {}
  static constexpr BFloat16 from_bits(std::uint16_t bits) { return std::bit_cast<BFloat16>(bits); }
  constexpr std::uint16_t bits() const { return bits_; }
  constexpr operator float() const { return detail::bfloat16_value(bits_); }

 private:
  std::uint16_t bits_;
};

/// IEEE 754's binary16: a precision of 11 bits, and no number beyond 65504. It converts as BFloat16 does.
class Float16 {
 public:
  Float16() = default;
  explicit constexpr Float16(float value) : bits_(detail::float16_bits(value)) {}
  static constexpr Float16 from_bits(std::uint16_t bits) { return std::bit_cast<Float16>(bits); }
  constexpr std::uint16_t bits() const { return bits_; }
  constexpr operator float() const { return detail::float16_value(bits_); }

 private:
  std::uint16_t bits_;
};

namespace detail {

/// What std::numeric_limits says of a type of 16 bits with `precision` of them significant.
template <class T, int precision, int exponent_bits>
struct LimitsOfFloat16 : std::numeric_limits<float> {
  static constexpr int digits = precision, digits10 = (precision - 1) * 30103 / 100000;
  static constexpr int max_digits10 = 2 + precision * 30103 / 100000;
  static constexpr int max_exponent = 1 << (exponent_bits - 1), min_exponent = 3 - max_exponent;
  static constexpr int max_exponent10 = max_exponent * 30103 / 100000,
                       min_exponent10 = (min_exponent - 1) * 30103 / 100000;

  static constexpr T min() { return T::from_bits(1 << (precision - 1)); }
  static constexpr T max() { return T::from_bits(infinity().bits() - 1); }
  static constexpr T lowest() { return T::from_bits(max().bits() | 0x8000); }
  static constexpr T epsilon() { return T(2.0f / static_cast<float>(1 << precision)); }
  static constexpr T round_error() { return T(0.5f); }
  static constexpr T infinity() { return T::from_bits(0x8000 - (1 << (precision - 1))); }
  static constexpr T quiet_NaN() {
    return T::from_bits(static_cast<std::uint16_t>(infinity().bits() | 1 << (precision - 2)));
  }
  static constexpr T signaling_NaN() { return T::from_bits(static_cast<std::uint16_t>(infinity().bits() | 1)); }
  static constexpr T denorm_min() { return T::from_bits(1); }
};

}  // namespace detail

}  // namespace xgrad

template <>
struct std::numeric_limits<xgrad::BFloat16> : xgrad::detail::LimitsOfFloat16<xgrad::BFloat16, 8, 8> {};
template <>
struct std::numeric_limits<xgrad::Float16> : xgrad::detail::LimitsOfFloat16<xgrad::Float16, 11, 5> {};
