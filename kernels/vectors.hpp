#pragma once
// Kernels that keep whole vectors in variables, written once for every width that a processor may have.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "../core/instruction_set.hpp"

namespace xgrad::detail {

/// Vectors of so many bytes; of one element, too. They are passed by reference: by value they are passed in other ways
/// at other levels.
template <class T, int bytes>
struct Vectors {
  typedef T Vector [[gnu::vector_size(bytes)]];
  static constexpr std::int64_t width = bytes / static_cast<int>(sizeof(T));

  [[gnu::always_inline]] static void load(Vector& vector, const T* from) { std::memcpy(&vector, from, sizeof vector); }
  [[gnu::always_inline]] static void store(T* to, const Vector& vector) { std::memcpy(to, &vector, sizeof vector); }
};

/// How many bytes the vectors have with which run_with_vectors works here.
inline std::int64_t vector_bytes() {
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  if (simd_level() >= SimdLevel::avx512) return 64;
  if (simd_level() == SimdLevel::avx2) return 32;
#endif
  return 16;
}

/// f(bytes), a std::integral_constant, in a clone of its own for the best instruction set of this CPU. f and all it
/// calls is inlined; it captures raw pointers and numbers only. An f that compares vectors takes `most` of 32: g++ 12
/// compares those of 64 bytes one element at a time.
template <int most = 64, class F>
void run_with_vectors(const F& f) {
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  if (simd_level() >= SimdLevel::avx512) return run_avx512([f] { f(std::integral_constant<int, most>()); });
  if (simd_level() == SimdLevel::avx2) return run_avx2([f] { f(std::integral_constant<int, 32>()); });
#endif
  run_baseline([f] { f(std::integral_constant<int, 16>()); });
}

/// f(begin, bytes) for vectors of consecutive elements that cover `count`, at the end of one element: inside
/// run_with_vectors, whose `bytes` are given.
template <class T, class Bytes, class F>
[[gnu::always_inline]] inline void for_each_vector(std::int64_t count, Bytes bytes, const F& f) {
  constexpr std::int64_t width = Vectors<T, Bytes::value>::width;
  std::int64_t begin = 0;
  for (; begin + width <= count; begin += width) f(begin, bytes);
  for (; begin < count; ++begin) f(begin, std::integral_constant<int, static_cast<int>(sizeof(T))>());
}

}  // namespace xgrad::detail
