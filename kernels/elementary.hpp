#pragma once
// Elementary functions of one float or double, without branches, calls or tables, so that the compiler vectorises loops
// that contain them (see core/instruction_set.hpp). Right at infinities, NaN, zeros and subnormals. Errors, in units in
// the last place, are held by tests/ops/test_accuracy.cpp. Exceptions, said where they are defined: lgamma and pow of
// doubles call libm and are not vectorised; sin, cos and tan give NaN beyond 2^31.
//
// Coefficients: near-minimax fits made with mpmath, except log and sin/cos of doubles (FreeBSD's libm).

#include <cstdint>
#include <type_traits>

// Declared const, for a call that may set errno keeps a loop from being vectorised.
extern "C" [[gnu::const]] float sqrtf(float) noexcept;
extern "C" [[gnu::const]] double sqrt(double) noexcept;

namespace xgrad::elementary {

template <class T>
struct Format {
  using Bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Bits bias = 127;
  static constexpr float min_normal = 0x1p-126f, rounder = 0x1.8p23f, infinity = __builtin_inff();
  static constexpr float nan = __builtin_nanf("");
};
template <>
struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Bits bias = 1023;
  static constexpr double min_normal = 0x1p-1022, rounder = 0x1.8p52, infinity = __builtin_inf();
  static constexpr double nan = __builtin_nan("");
};
template <class T>
using Bits = typename Format<T>::Bits;

template <class T>
inline constexpr bool is_float = std::is_same_v<T, float>;

template <class T>
[[gnu::always_inline]] constexpr Bits<T> bits(T x) {
  return __builtin_bit_cast(Bits<T>, x);
}
template <class T>
[[gnu::always_inline]] constexpr T from_bits(Bits<T> x) {
  return __builtin_bit_cast(T, x);
}

// Keeps -ffast-math in a user's file from re-associating sums that are exact, or round, only as written.
#if defined(__clang__)
template <class T>
[[gnu::always_inline]] inline T as_written(T x) {
  return __arithmetic_fence(x);
}
#elif defined(__ASSOCIATIVE_MATH__)
// Zeros the compiler does not know; g++ 12 forgets __builtin_assoc_barrier when it vectorises.
extern const std::uint32_t unknown_zero32;
extern const std::uint64_t unknown_zero64;
[[gnu::always_inline]] inline float as_written(float x) { return from_bits<float>(bits(x) ^ unknown_zero32); }
[[gnu::always_inline]] inline double as_written(double x) { return from_bits<double>(bits(x) ^ unknown_zero64); }
#else
template <class T>
[[gnu::always_inline]] inline T as_written(T x) {
  return x;
}
#endif

// Logical operations without the branch of && and ||.
[[gnu::always_inline]] constexpr bool both(bool a, bool b) { return static_cast<int>(a) & static_cast<int>(b); }
[[gnu::always_inline]] constexpr bool either(bool a, bool b) { return static_cast<int>(a) | static_cast<int>(b); }

// Both values are computed, which a ?: with expressions in it does not promise: it leaves a branch.
template <class T>
[[gnu::always_inline]] constexpr T select(bool condition, T a, T b) {
  return condition ? a : b;
}

// c[0] + c[1] x + c[2] x^2 + ...
template <class T>
[[gnu::always_inline]] constexpr T polynomial(T, T c0) {
  return c0;
}
template <class T, class... Cs>
[[gnu::always_inline]] constexpr T polynomial(T x, T c0, Cs... cs) {
  return c0 + x * polynomial<T>(x, T(cs)...);
}

// 2^k for the integer k that was rounded as t = k + rounder: the low bits of t hold k.
template <class T>
[[gnu::always_inline]] inline T power_of_two(T t) {
  return from_bits<T>((bits(t) << Format<T>::mantissa) + bits(T(1)));
}

template <class T>
[[gnu::always_inline]] inline T copysign(T magnitude, T sign) {
  constexpr Bits<T> top = Bits<T>(1) << (8 * sizeof(T) - 1);
  return from_bits<T>((bits(magnitude) & ~top) | (bits(sign) & top));
}

template <class T>
[[gnu::always_inline]] inline T abs(T x) {
  return from_bits<T>(bits(x) & (~Bits<T>(0) >> 1));
}

// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
template <class T>
[[gnu::always_inline]] inline T exp_tail(T r) {
  if constexpr (is_float<T>)
    return polynomial(r, 0.499999934f, 0.166665204f, 0.0416683908f, 0.00836874511f, 0.001381454f);
  else
    return polynomial(r, 0.5, 0.16666666666666671, 0.04166666666666667, 0.0083333333333255447, 0.0013888888888883327,
                      0.00019841269876864355, 2.4801587327007187e-5, 2.755725283351691e-6, 2.75572718102198e-7,
                      2.5106274733573295e-8, 2.0915442297780115e-9);
}

template <class T>
struct Reduced {
  T r, t;  // x = r + k ln 2 and t = k + up + rounder
};
template <int up = 0, class T>
[[gnu::always_inline]] inline Reduced<T> reduce_by_ln2(T x) {
  constexpr T hi = is_float<T> ? T(6.9313812256e-01) : T(6.93147180369123816490e-01);
  constexpr T lo = is_float<T> ? T(9.0580006145e-06) : T(1.90821492927058770002e-10);
  constexpr T rounder = Format<T>::rounder + T(up);
  const T t = as_written(x * T(1.4426950408889634074) + rounder), k = as_written(t - rounder);
  return {as_written(x - k * hi) - k * lo, t};
}

// e^r * scale, for a constant power of two.
template <class T>
[[gnu::always_inline]] inline T exp_of_reduced(T r, T scale = T(1)) {
  return scale + r * (scale + r * (scale * exp_tail(r)));
}

// e^x * 2^up for the reduced x. The power of two is in two factors, because 2^k alone overflows before e^x does, and
// underflows before the result does.
template <class T>
[[gnu::always_inline]] inline T exp_from(const Reduced<T>& x) {
  constexpr int mantissa = Format<T>::mantissa;
  const Bits<T> half = bits(x.t) << (mantissa - 1) & ~Bits<T>(0) << mantissa, rest = (bits(x.t) << mantissa) - half;
  return exp_of_reduced(x.r) * from_bits<T>(half + bits(T(1))) * from_bits<T>(rest + bits(T(1)));
}

template <class T>
[[gnu::always_inline]] inline T exp(T x) {
  constexpr T top = is_float<T> ? T(90) : T(711), bottom = is_float<T> ? T(-105) : T(-747);
  x = x > top ? top : x;
  x = x < bottom ? bottom : x;
  return exp_from(reduce_by_ln2(x));
}

// e^(x + low) for x <= 0 and |low| far below 1, in fewer steps than exp.
template <class T>
[[gnu::always_inline]] inline T exp_of_negative(T x, T low = T(0)) {
  constexpr T bottom = is_float<T> ? T(-105) : T(-747);
  constexpr int up = is_float<T> ? 64 : 512;  // so that 2^(k + up) is a normal number
  const auto [r, t] = reduce_by_ln2<up>(x < bottom ? bottom : x);
  return exp_of_reduced(r + low, is_float<T> ? T(0x1p-64) : T(0x1p-512)) * power_of_two(t);
}

template <class T>
[[gnu::always_inline]] inline T expm1(T x) {
  constexpr T top = is_float<T> ? T(89) : T(710), bottom = is_float<T> ? T(-20) : T(-40);
  T c = x > top ? top : x;
  c = c < bottom ? bottom : c;
  const auto [r, t] = reduce_by_ln2<-1>(c);
  const T scale = power_of_two(t);  // 2^k / 2, which never overflows
  const T y = T(2) * (scale * (r + r * r * exp_tail(r)) + as_written(scale - T(0.5)));
  return select(abs(x) < Format<T>::min_normal, x, y);
}

// log(x + low) for |low| <= ulp(x) / 2 and x + low > 0.
template <class T>
[[gnu::always_inline]] inline T log_of_sum(T x, T low) {
  using F = Format<T>;
  constexpr T hi = is_float<T> ? T(6.9313812256e-01) : T(6.93147180369123816490e-01);
  constexpr T lo = is_float<T> ? T(9.0580006145e-06) : T(1.90821492927058770002e-10);
  constexpr T up = is_float<T> ? T(0x1p24) : T(0x1p54);
  const bool small = x < F::min_normal;
  const T scaled = select(small, x * up, x);
  // x = 2^k m with m in [sqrt(1/2), sqrt(2))
  constexpr Bits<T> sqrt_half = is_float<T> ? Bits<T>(0x3f3504f3) : Bits<T>(0x3fe6a09e667f3bcd);
  constexpr Bits<T> one = F::bias << F::mantissa, fraction = (Bits<T>(1) << F::mantissa) - 1;
  const Bits<T> shifted = bits(scaled) + (one - sqrt_half);
  const T m = from_bits<T>((shifted & fraction) + sqrt_half);
  constexpr T integer = T(Bits<T>(1) << F::mantissa);  // its low bits count in ones
  const T biased = as_written(from_bits<T>((shifted >> F::mantissa) | bits(integer)) - integer);
  const T k = biased - select(small, T(F::bias) + T(is_float<T> ? 24 : 54), T(F::bias));
  const T twice_inverse = from_bits<T>((F::bias + F::bias + 1 - (shifted >> F::mantissa)) << F::mantissa);  // 2^(1-k)
  const T f = as_written(m - T(1)) + T(0.5) * low * twice_inverse;
  const T s = f / (T(2) + f), z = s * s, half_square = T(0.5) * f * f;
  T series;
  if constexpr (is_float<T>)
    series = z * polynomial(z, 0xaaaaaa.0p-24f, 0xccce13.0p-25f, 0x91e9ee.0p-25f, 0xf89e26.0p-26f);
  else
    series = z * polynomial(z, 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                            2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                            1.479819860511658591e-01);
  return k * hi - ((half_square - (s * (half_square + series) + k * lo)) - f);
}

// The logarithm at zero, negative numbers, infinity and NaN; y elsewhere.
template <class T>
[[gnu::always_inline]] inline T log_limits(T x, T y) {
  y = select(x == Format<T>::infinity, x, y);
  y = select(x == T(0), -Format<T>::infinity, y);
  return select(x >= T(0), y, Format<T>::nan);
}

template <class T>
[[gnu::always_inline]] inline T log(T x) {
  return log_limits(x, log_of_sum(x, T(0)));
}

template <class T>
[[gnu::always_inline]] inline T log1p(T x) {
  const T u = as_written(T(1) + x);
  // What 1 + x lost, exactly, by whichever of the two is larger.
  const T low = select(x > T(1), as_written(T(1) - as_written(u - x)), as_written(x - as_written(u - T(1))));
  const T y = log_limits(u, log_of_sum(u, low));
  return select(abs(x) < Format<T>::min_normal, x, y);
}

template <class T>
[[gnu::always_inline]] inline T sqrt(T x) {
  if constexpr (is_float<T>)
    return ::sqrtf(x);
  else
    return ::sqrt(x);
}

template <class T>
[[gnu::always_inline]] inline T floor(T x) {
  if constexpr (is_float<T>)
    return __builtin_floorf(x);
  else
    return __builtin_floor(x);
}

template <class T>
[[gnu::always_inline]] inline T sigmoid(T x) {
  constexpr T top = is_float<T> ? T(20) : T(40), bottom = is_float<T> ? T(-105) : T(-747);
  constexpr int up = is_float<T> ? 64 : 512;  // so that 2^(k + up) is a normal number
  x = x > top ? top : x;
  x = x < bottom ? bottom : x;
  const auto [r, t] = reduce_by_ln2<up>(x);
  const T e = exp_of_reduced(r) * power_of_two(t);  // e^x 2^up
  return e / (e + (is_float<T> ? T(0x1p64) : T(0x1p512)));
}

template <class T>
[[gnu::always_inline]] inline T softplus(T x) {
  return select(x < T(0), T(0), x) + log1p(exp_of_negative(-abs(x)));
}

template <class T>
[[gnu::always_inline]] inline T tanh(T x) {
  constexpr T top = is_float<T> ? T(10) : T(20);
  const T a = abs(x), c = select(a > top, top, a);
  if constexpr (is_float<T>) {
    // c = r + k ln(2) / 2; k is so small that a constant of one part does.
    const T t = as_written(c * T(2.8853900817779268) + Format<T>::rounder);
    const T r = c - as_written(t - Format<T>::rounder) * T(0.34657359027997265), scale = power_of_two(t);
    const T p = r + r * r * polynomial(r, 1.0f, 0.666661382f, 0.333336174f, 0.133878544f, 0.0444212034f);
    const T h = scale * p + (T(0.5) * scale - T(0.5));  // (e^(2c) - 1) / 2
    const T y = h / (h + T(1));
    return copysign(select(a < T(0.3), h - h * y, y), x);  // near zero without the rounding of h + 1
  } else {
    const T e = expm1(T(2) * c);
    return copysign(e / (e + T(2)), x);
  }
}

// e^a / 2 for a >= 0.
template <class T>
[[gnu::always_inline]] inline T half_exp(T a) {
  constexpr T top = is_float<T> ? T(90) : T(711);
  return exp_from(reduce_by_ln2<-1>(a > top ? top : a));
}

template <class T>
struct Hyperbolic {
  T sinh, cosh;
};
template <class T>
[[gnu::always_inline]] inline Hyperbolic<T> hyperbolic(T x) {
  const T a = abs(x), half = half_exp(a), inverse = T(0.25) / half, z = x * x;
  T tail;
  if constexpr (is_float<T>)
    tail = polynomial(z, 0.166666666f, 0.00833333968f, 0.00019838102f, 2.80628026e-6f);
  else
    tail = polynomial(z, 0.16666666666666667, 0.0083333333333332994, 0.00019841269841324198, 2.7557319191381815e-6,
                      2.5052117695908228e-8, 1.6057679623769307e-10, 7.7461785940136851e-13);
  return {select(a < T(1), x + x * z * tail, copysign(half - inverse, x)), half + inverse};
}

template <class T>
struct Circular {
  T sin, cos;
};
// NaN beyond |x| = 2^31: a reduction good for any x takes a table or a branch, which would keep every loop with a sine
// from being vectorised.
template <class T>
[[gnu::always_inline]] inline Circular<T> circular(T x) {
  // x = r + k pi/2; the products of k, below 2^31, with the parts of pi/2, 22 bits each, are exact.
  const double wide = x;
  const double t = as_written(wide * 0.63661977236758134308 + Format<double>::rounder);
  const double k = as_written(t - Format<double>::rounder);
  T r;
  if constexpr (is_float<T>)
    r = T(as_written(as_written(wide - k * 0x1.921fb0p+0) - k * 0x1.5110bp-22) - k * 0x1.18469898cc517p-44);
  else
    r = as_written(
            as_written(as_written(as_written(wide - k * 0x1.921fb0p+0) - k * 0x1.5110bp-22) - k * 0x1.184698p-44) -
            k * 0x1.319880p-69) -
        k * 0x1.1701b839a2520p-88;
  r = select(abs(x) <= T(0x1p31), r, Format<T>::nan);
  const T z = r * r;
  T sine, cosine;
  if constexpr (is_float<T>) {
    sine = r + r * z * polynomial(z, -0.166666667f, 0.00833333179f, -0.000198400389f, 2.72437814e-6f);
    cosine = T(1) - (T(0.5) * z - z * z * polynomial(z, 0.0416666667f, -0.00138888876f, 2.48005604e-5f, -2.7e-7f));
  } else {
    sine = r + r * z *
                   polynomial(z, -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04,
                              2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10);
    const T h = T(0.5) * z, w = as_written(T(1) - h);
    cosine = w + ((as_written(T(1) - w) - h) +
                  z * z *
                      polynomial(z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                                 -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11));
  }
  const Bits<T> quadrant = static_cast<Bits<T>>(bits(t));
  constexpr int top = 8 * sizeof(T) - 1;
  const bool odd = quadrant & 1;
  const T s = select(odd, cosine, sine), c = select(odd, sine, cosine);
  const T signed_s = from_bits<T>(bits(s) ^ ((quadrant & 2) << (top - 1)));
  return {select(x == T(0), x, signed_s), from_bits<T>(bits(c) ^ (((quadrant + 1) & 2) << (top - 1)))};
}

// The angle of the point (x, y); arctangent of y / x.
template <class T>
[[gnu::always_inline]] inline T atan2(T y, T x) {
  constexpr T huge = Format<T>::infinity, large = is_float<T> ? T(0x1p126) : T(0x1p1022);
  const T scale = select(either(abs(y) > large, abs(x) > large), T(0.25), T(1));
  const bool both_infinite = both(abs(y) == huge, abs(x) == huge);
  const T a = select(both_infinite, T(1), abs(y) * scale), b = select(both_infinite, T(1), abs(x) * scale);
  const bool steep = a > T(2.41421356237309504880) * b, middle = a > T(0.41421356237309504880) * b;
  T t = select(steep, -b, select(middle, a - b, a)) / select(steep, a, select(middle, a + b, b));
  t = select(both(a == T(0), b == T(0)), T(0), t);
  constexpr T quarter = T(0.78539816339744830962), half = T(1.57079632679489661923);
  constexpr T half_low = is_float<T> ? T(-4.37113900e-8) : T(6.1232339957367658861e-17);
  const T base = select(steep, half, select(middle, quarter, T(0)));
  const T base_low = select(steep, half_low, select(middle, half_low * T(0.5), T(0)));
  const T z = t * t;
  T tail;
  if constexpr (is_float<T>)
    tail = polynomial(z, -0.333333317f, 0.199995234f, -0.142633666f, 0.107373969f, -0.0643103858f);
  else
    tail = polynomial(z, -0.33333333333333333, 0.19999999999999784, -0.14285714285654639, 0.11111111104652244,
                      -0.090909087285870478, 0.076922956583182381, -0.06666412077580254, 0.05878782468012869,
                      -0.05229380464571946, 0.045467194723320016, -0.034445843565888399, 0.01614822768738238);
  const T angle = base + (t + (t * z * tail + base_low));
  const bool left = bits(x) >> (8 * sizeof(T) - 1);
  const T full = select(left, T(2) * half - (angle - T(2) * half_low), angle);
  return copysign(full, y);
}

template <class T>
[[gnu::always_inline]] inline T atan(T x) {
  return atan2(x, T(1));
}

// (asin(s) - s) / s^3 as a function of z = s^2 <= 1/4.
template <class T>
[[gnu::always_inline]] inline T asin_tail(T z) {
  if constexpr (is_float<T>)
    return polynomial(z, 0.166666663f, 0.0750009564f, 0.0445989884f, 0.0311060009f, 0.017121587f, 0.0337402814f);
  else
    return polynomial(z, 0.16666666666666667, 0.075000000000001213, 0.044642857142543263, 0.030381944476347102,
                      0.022372157403734727, 0.017352817690791192, 0.013963758734290351, 0.011566722379574819,
                      0.0096196291414885797, 0.0093323274766934076, 0.002995310532557161, 0.019678369992670548,
                      -0.01942150218216707, 0.029727288896321154);
}

template <class T>
[[gnu::always_inline]] inline T asin(T x) {
  constexpr T half_pi = T(1.57079632679489661923);
  const T a = abs(x);
  const bool small = a <= T(0.5);
  const T z = select(small, a * a, T(0.5) * (T(1) - a)), s = select(small, a, sqrt(z));
  const T y = s + s * z * asin_tail(z);
  return copysign(select(small, y, half_pi - T(2) * y), x);
}

template <class T>
[[gnu::always_inline]] inline T acos(T x) {
  constexpr T half_pi = T(1.57079632679489661923);
  constexpr T low = is_float<T> ? T(-4.37113900e-8) : T(6.1232339957367658861e-17);
  const T a = abs(x);
  const bool small = a <= T(0.5);
  const T z = select(small, a * a, T(0.5) * (T(1) - a)), s = select(small, x, sqrt(z));
  const T y = s + (s * z * asin_tail(z));
  const T near_one = select(x < T(0), T(2) * (half_pi - (y - low)), T(2) * y);
  return select(small, half_pi - (y - low), near_one);
}

// e^-(a^2) for a of at most 27.5 (10.5 for floats, where it is 0 as beyond).
template <class T>
[[gnu::always_inline]] inline T exp_of_negative_square(T a) {
  // a^2 as a rounded and a small part, for the relative error of e^-(a^2) is the absolute one of a^2.
  const T head = from_bits<T>(bits(a) & ~((Bits<T>(1) << (is_float<T> ? 12 : 27)) - 1));
  return exp_of_negative(-head * head, -(a - head) * (a + head));
}

template <class T>
[[gnu::always_inline]] inline T limited_for_square(T a) {
  constexpr T limit = is_float<T> ? T(10.5) : T(27.5);
  return select(a > limit, limit, a);
}

// e^-(x^2)
template <class T>
[[gnu::always_inline]] inline T gaussian(T x) {
  return exp_of_negative_square(limited_for_square(abs(x)));
}

// erfc of a >= 0.
template <class T>
[[gnu::always_inline]] inline T erfc_of_positive(T a) {
  a = limited_for_square(a);
  const T inverse = T(1) / (a + T(2)), t = (a - T(2)) * inverse;
  T p;  // (a + 2) e^(a^2) erfc(a) as a function of t
  if constexpr (is_float<T>)
    p = polynomial(t, 1.02158272f, -0.687160909f, 0.279471189f, -0.0364360288f, -0.0214998834f, 0.00643616309f,
                   0.00303361984f, -0.000731038628f, -0.000519326655f, -3.98185002e-05f);
  else
    p = polynomial(t, 1.021582705242023, -0.68716068441381073, 0.27947209255604721, -0.036442231506860552,
                   -0.021510661889041681, 0.0064791850670438819, 0.0030906120488752506, -0.00083729605056672958,
                   -0.00066307338068121347, 3.437132347499336e-05, 0.00014446984782779868, 3.4149542429108162e-05,
                   -2.1691996160279536e-05, -1.6123253296994566e-05, -1.1390657822713735e-06, 3.6491155511638769e-06,
                   2.0320581529689919e-06, -5.151313592947865e-09, -6.1809667702485277e-07, -3.2001443278588945e-07,
                   4.6240027868592789e-08, 1.120824619736229e-07, 2.4107696115186398e-08, -1.4966772746772726e-08,
                   -5.8984007796133493e-09);
  return exp_of_negative_square(a) * (p * inverse);
}

// erf of |x| < 1.
template <class T>
[[gnu::always_inline]] inline T erf_near_zero(T x) {
  const T z = x * x;
  T tail;  // erf(x) / x - 1
  if constexpr (is_float<T>)
    tail = polynomial(z, 0.128379167f, -0.376126333f, 0.112836887f, -0.0268589974f, 0.00519998925f, -0.000813044466f,
                      8.31687968e-5f);
  else
    tail = polynomial(z, 0.12837916709551257, -0.37612638903183752, 0.1128379167095512, -0.026866170645129841,
                      0.0052239776254232983, -0.00085483270219348293, 0.00012055332902888723, -1.4925647567518991e-5,
                      1.6462045441462099e-6, -1.6364642158086366e-7, 1.4792401208693439e-8, -1.216456005323727e-9,
                      8.7090451155742505e-11, -4.2309458043381509e-12);
  return x + x * tail;
}

template <class T>
[[gnu::always_inline]] inline T erf(T x) {
  const T a = abs(x);
  return select(a < T(0.9), erf_near_zero(x), copysign(T(1) - erfc_of_positive(a), x));
}

template <class T>
[[gnu::always_inline]] inline T erfc(T x) {
  const T y = erfc_of_positive(abs(x));
  return select(x < T(0), T(2) - y, y);
}

// Vectorised for float, which is computed in double; libm's for double.
template <class T>
[[gnu::always_inline]] inline T pow(T x, T y) {
  if constexpr (!is_float<T>) {
    return __builtin_pow(x, y);
  } else {
    const float a = abs(x);
    const float half = T(0.5) * abs(y);
    const bool even = either(abs(y) >= 0x1p24f, as_written(as_written(half + 0x1p23f) - 0x1p23f) == half);
    const bool integer = either(as_written(as_written(abs(y) + 0x1p23f) - 0x1p23f) == abs(y), abs(y) >= 0x1p23f);
    const double log_a = log(double(a));
    float p = static_cast<float>(exp(double(y) * log_a));
    const bool negative = bits(x) >> 31;
    p = select(both(negative, both(integer, !even)), -p, p);
    p = select(both(both(x < 0, !integer), a != Format<float>::infinity), Format<float>::nan, p);
    const bool one = either(either(y == 0, x == 1), both(x == -1, abs(y) == Format<float>::infinity));
    return select(one, 1.0f, p);
  }
}

// log |gamma(x)|, computed in double.
[[gnu::always_inline]] inline float lgamma(float x) {
  const double a = abs(double(x));
  // Below 4.5 whole steps bring a to 2 + t with |t| <= 1/2: gamma(a) is gamma(2 + t) times or, below 1.5, divided by
  // `factor`. From there on by Stirling's series.
  const bool large = a >= 4.5, below = a < 1.5;
  const double steps = select(below, select(a < 0.5, 0.0, -1.0), select(a < 2.5, -2.0, select(a < 3.5, -3.0, -4.0)));
  const double of_small = select(a < 0.5, a * (a + 1), a), of_middle = select(a < 3.5, a - 1, (a - 1) * (a - 2));
  const double factor = select(below, of_small, select(a < 2.5, 1.0, of_middle));
  const double logarithm = log(select(large, a, factor)), t = a + steps;
  const double rest =
      t * polynomial(t, 0.42278433509846714, 0.32246703342411215, -0.067352301053197587, 0.020580808427990122,
                     -0.0073855510287714682, 0.0028905103192621994, -0.0011927539062598581, 0.00050966981194321159,
                     -0.00022315489463809117, 9.9453713688416325e-5, -4.4924435358987873e-5, 2.0535581020500523e-5,
                     -9.4529384737145762e-6, 4.2553702843110482e-6, -1.9825656207391961e-6, 1.2159620602745015e-6,
                     -5.7286531085080095e-7);
  const double inverse = 1 / a;
  const double series = inverse * polynomial(inverse * inverse, 0.083333333333332227, -0.0027777777755760718,
                                             0.00079365007112961372, -0.00059514803403086967, 0.00083629638677171998,
                                             -0.001741240934910334, 0.0033062495021942266);
  const double of_large = (a - 0.5) * (logarithm - 1) + (0.41893853320467274 + series);
  const double y = select(large, of_large, select(below, -logarithm, logarithm) + rest);
  // gamma(a) gamma(-a) = -pi / (a sin(pi a))
  const double fraction = select(a >= 0x1p23, 0.0, a - as_written(as_written(a + 0x1.8p52) - 0x1.8p52));
  const double z = fraction * fraction;
  const double sine =
      fraction * polynomial(z, 0.99999999999999989, -1.6449340668481678, 0.8117424252784269, -0.19075182396434,
                            0.026147845336487233, -0.0023460598299109673, 0.00014832827396380211,
                            -6.7270425170816445e-6);  // sin(pi a) / pi, but for the sign
  const double reflected = select(fraction == 0, Format<double>::infinity, log(abs(1 / (a * sine))) - y);
  return static_cast<float>(select(x < 0, reflected, y));
}
// libm's, and not vectorised.
double lgamma(double x);

// Derivative of lgamma.
double digamma(double x);
// The n-th derivative of digamma, for n from 0 to max_polygamma_order.
inline constexpr int max_polygamma_order = 64;
double polygamma(int n, double x);

}  // namespace xgrad::elementary
