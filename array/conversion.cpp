// Elements converted from one type to another, dense memory to dense memory.

#include <cstring>

#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
#include <immintrin.h>
#endif

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "strided.hpp"

namespace xgrad::detail {

namespace {

template <class T>
void copy(const void*, std::int64_t n, std::byte* const* pointers) {
  std::memcpy(pointers[0], pointers[1], static_cast<std::size_t>(n) * sizeof(T));
}

/// How many elements further memory is asked for: not beyond what is short, behind which others may not be wanted.
[[gnu::always_inline]] inline std::int64_t ahead_of(std::int64_t n) { return n < 512 ? 0 : 1024; }

/// f(i) for n elements of which `halves`, of 16 bits, lie in memory; these are asked for ahead of time, the others are
/// in a buffer.
template <class Half, class F>
[[gnu::always_inline]] inline void for_each_half(std::int64_t n, const Half* halves, const F& f) {
  constexpr std::int64_t step = 64;
  const std::int64_t body = n / step * step, ahead = ahead_of(n);
  for (std::int64_t begin = 0; begin < body; begin += step) {
    for (std::int64_t i = 0; i < step; i += stream_step * 2) __builtin_prefetch(halves + begin + i + ahead);
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = begin; i < begin + step; ++i) f(i);
  }
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = body; i < n; ++i) f(i);
}

#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
// float16 has instructions of its own. What does not fill a vector is converted by arithmetic, to the same numbers.

[[gnu::target("avx2,f16c")]] void widen_avx2(std::int64_t n, const Float16* in, float* out) {
  const Float16* const ahead = in + ahead_of(n);
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __builtin_prefetch(ahead + i);
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  }
  for (; i < n; ++i) out[i] = in[i];
}
[[gnu::target("avx2,f16c")]] void narrow_avx2(std::int64_t n, const float* in, Float16* out) {
  const Float16* const ahead = out + ahead_of(n);
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __builtin_prefetch(ahead + i);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; ++i) out[i] = Float16(in[i]);
}

bool convert_by_instruction(std::int64_t n, const Float16* in, float* out) {
  if (simd_level() < SimdLevel::avx2) return false;
  widen_avx2(n, in, out);
  return true;
}
bool convert_by_instruction(std::int64_t n, const float* in, Float16* out) {
  if (simd_level() < SimdLevel::avx2) return false;
  narrow_avx2(n, in, out);
  return true;
}
#endif
template <class From, class To>
bool convert_by_instruction(std::int64_t, const From*, To*) {
  return false;
}

/// Between a type and the one that it is computed in; these pairs stand in the way of every operation.
template <class A, class B>
inline constexpr bool is_staging =
    std::is_same_v<typename ElementRow<A>::Compute, B> || std::is_same_v<typename ElementRow<B>::Compute, A>;

template <class From, class To>
void convert(const void*, std::int64_t n, std::byte* const* pointers) {
  To* const out = reinterpret_cast<To*>(pointers[0]);
  const From* const in = reinterpret_cast<const From*>(pointers[1]);
  if (convert_by_instruction(n, in, out)) return;
  const auto one = [=](std::int64_t i) __attribute__((always_inline)) { out[i] = element_cast<To>(in[i]); };
  const auto loop = [=]() __attribute__((always_inline)) {
    if constexpr (std::is_class_v<From> && std::is_same_v<To, float>) {
      for_each_half(n, in, one);
    } else if constexpr (std::is_class_v<To> && std::is_same_v<From, float>) {
      for_each_half(n, out, one);
    } else {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) one(i);
    }
  };
  if constexpr (is_staging<From, To>)
    vectorized(loop);
  else
    loop();
}

}  // namespace

DenseLoop conversion(DType from, DType to) {
  if (from == to) return dispatch_size(item_size(from), [](auto zero) -> DenseLoop { return copy<decltype(zero)>; });
  return dispatch(to, [&](auto to_zero) {
    return dispatch(from, [&](auto from_zero) -> DenseLoop {
      using From = decltype(from_zero);
      using To = decltype(to_zero);
      if constexpr (std::is_same_v<From, To>)
        return nullptr;
      else
        return convert<From, To>;
    });
  });
}

void convert_elements(std::int64_t n, DType from_dtype, const std::byte* from, DType to_dtype, std::byte* to) {
  const DenseLoop loop = conversion(from_dtype, to_dtype);
  parallel_for(n, 65536, [=](std::int64_t begin, std::int64_t end) {
    std::byte* const pointers[] = {
        to + static_cast<std::size_t>(begin) * item_size(to_dtype),
        const_cast<std::byte*>(from) + static_cast<std::size_t>(begin) * item_size(from_dtype)};
    loop(nullptr, end - begin, pointers);
  });
}

}  // namespace xgrad::detail
