#include <xgrad/array/float16.hpp>
#include <xgrad/autograd/create.hpp>

#include <cmath>

#include "../catch.hpp"

using namespace xgrad;

namespace {

/// The number that IEEE 754 says these bits are, with `fraction_bits` behind the exponent.
double number_of(unsigned bits, int fraction_bits) {
  const int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const unsigned fraction = bits & ((1u << fraction_bits) - 1);
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction ? std::nan("") : sign * INFINITY;
  const double whole = exponent == 0 ? 0 : std::ldexp(1, fraction_bits);
  return sign * std::ldexp(whole + fraction, std::max(exponent, 1) - bias - fraction_bits);
}

template <class T>
constexpr int fraction_bits = std::numeric_limits<T>::digits - 1;

template <class T>
bool is_nan(T value) {
  return std::isnan(static_cast<float>(value));
}

/// The numbers above and below the middle between two neighbours, and the middle itself, go where they have to.
template <class T>
int wrongly_rounded(unsigned bits) {
  const T below = T::from_bits(static_cast<std::uint16_t>(bits)),
          above = T::from_bits(static_cast<std::uint16_t>(bits + 1));
  const T even = bits % 2 == 0 ? below : above;
  // Above the largest number comes what would be the next one, which is infinity.
  const double from = number_of(bits, fraction_bits<T>), to = std::isinf(static_cast<float>(above))
                                                                  ? std::ldexp(1, std::numeric_limits<T>::max_exponent)
                                                                  : number_of(bits + 1, fraction_bits<T>);
  const auto middle = static_cast<float>(from / 2 + to / 2);
  int wrong = 0;
  for (const float sign : {1.0f, -1.0f}) {
    const auto rounds = [&](float value, T expected) {
      wrong += static_cast<float>(T(sign * value)) == sign * static_cast<float>(expected) ? 0 : 1;
    };
    rounds(middle, even);
    rounds(std::nextafter(middle, 0.0f), below);
    rounds(std::nextafter(middle, INFINITY), above);
  }
  return wrong;
}

}  // namespace

TEMPLATE_TEST_CASE("16-bit floats: all values, to float and back", "", BFloat16, Float16) {
  int wrong = 0;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const TestType element = TestType::from_bits(static_cast<std::uint16_t>(bits));
    const float value = element;
    const double expected = number_of(bits, fraction_bits<TestType>);
    if (std::isnan(expected))
      wrong += std::isnan(value) && is_nan(TestType(value)) ? 0 : 1;
    else
      wrong += value == expected && TestType(value).bits() == bits ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("16-bit floats: a float is rounded to the nearest, to even at ties", "", BFloat16, Float16) {
  int wrong = 0;
  for (unsigned bits = 0; bits < std::numeric_limits<TestType>::infinity().bits(); ++bits)
    wrong += wrongly_rounded<TestType>(bits);
  CHECK(wrong == 0);
  CHECK(std::isinf(static_cast<float>(TestType(INFINITY))));
  CHECK(TestType(-0.0f).bits() == 0x8000);
  CHECK(is_nan(TestType(std::numeric_limits<float>::quiet_NaN())));
  CHECK(is_nan(TestType(std::bit_cast<float>(0x7f800001u))));  // whose upper half is that of infinity
  CHECK(is_nan(TestType(std::bit_cast<float>(0xffffffffu))));
}

TEMPLATE_TEST_CASE("16-bit floats: tensors of all values convert as single ones do", "", BFloat16, Float16) {
  const DType dtype = dtype_of<TestType>();
  Tensor all = empty({65536}, {.dtype = dtype});
  for (unsigned bits = 0; bits < 65536; ++bits)
    all.data<TestType>()[bits] = TestType::from_bits(static_cast<std::uint16_t>(bits));
  const Tensor single = all.to(float32), wide = all.to(float64), back = single.to(dtype);
  int wrong = 0;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const TestType element = all.data<TestType>()[bits];
    const float value = element;
    if (std::isnan(value))
      wrong += std::isnan(single.data<float>()[bits]) && std::isnan(wide.data<double>()[bits]) &&
                       is_nan(back.data<TestType>()[bits])
                   ? 0
                   : 1;
    else
      wrong += single.data<float>()[bits] == value && wide.data<double>()[bits] == value &&
                       back.data<TestType>()[bits].bits() == bits
                   ? 0
                   : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("16-bit floats: std::numeric_limits") {
  using B = std::numeric_limits<BFloat16>;
  using H = std::numeric_limits<Float16>;
  CHECK(H::max() == 65504);
  CHECK(H::lowest() == -65504);
  CHECK(H::min() == 0x1p-14);
  CHECK(H::denorm_min() == 0x1p-24);
  CHECK(H::epsilon() == 0x1p-10);
  CHECK((H::digits == 11 && H::digits10 == 3 && H::max_digits10 == 5));
  CHECK((H::max_exponent == 16 && H::min_exponent == -13 && H::max_exponent10 == 4 && H::min_exponent10 == -4));
  CHECK(B::max() == 0x1.fep127);
  CHECK(B::min() == 0x1p-126);
  CHECK(B::denorm_min() == 0x1p-133);
  CHECK(B::epsilon() == 0x1p-7);
  CHECK((B::digits == 8 && B::digits10 == 2 && B::max_digits10 == 4));
  CHECK((B::max_exponent == 128 && B::min_exponent == -125 && B::max_exponent10 == 38 && B::min_exponent10 == -37));
  for (const float value : {static_cast<float>(B::quiet_NaN()), static_cast<float>(H::quiet_NaN()),
                            static_cast<float>(B::signaling_NaN()), static_cast<float>(H::signaling_NaN())})
    CHECK(std::isnan(value));
}

TEST_CASE("16-bit floats: they compute as float, and constants are known to the compiler") {
  constexpr BFloat16 a(1.5f);
  constexpr Float16 b(0.25f);
  static_assert(a + b == 1.75f && std::is_same_v<decltype(a + b), float>);
  static_assert(Float16(2049.0f) == 2048 && Float16(1e5f) == std::numeric_limits<Float16>::infinity());
  static_assert(!std::is_convertible_v<float, BFloat16>);  // rounding is asked for
  static_assert(BFloat16() == 0 && Float16{} == 0);
  CHECK(std::abs(BFloat16(-2)) == 2);
}
