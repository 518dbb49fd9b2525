#pragma once
// Kernels that keep whole vectors in variables, written once for every width that a processor may have.

#include <cstdint>
#include <type_traits>

#include "../core/instruction_set.hpp"

namespace xgrad::detail {

/// How many bytes the vectors have with which run_with_vectors works here.
inline std::int64_t vector_bytes() {
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  if (simd_level() == SimdLevel::avx512) return 64;
  if (simd_level() == SimdLevel::avx2) return 32;
#endif
  return 16;
}

/// f(bytes), a std::integral_constant, in a clone of its own for the best instruction set of this CPU. f and all it
/// calls is inlined; it captures raw pointers and numbers only.
template <class F>
void run_with_vectors(const F& f) {
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  if (simd_level() == SimdLevel::avx512) return run_avx512([f] { f(std::integral_constant<int, 64>()); });
  if (simd_level() == SimdLevel::avx2) return run_avx2([f] { f(std::integral_constant<int, 32>()); });
#endif
  run_baseline([f] { f(std::integral_constant<int, 16>()); });
}

}  // namespace xgrad::detail
