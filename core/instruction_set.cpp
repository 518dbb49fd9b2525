#include "instruction_set.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "error.hpp"

namespace xgrad {

namespace {

SimdLevel best_of_cpu() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
    return SimdLevel::baseline;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return SimdLevel::avx512;
  return SimdLevel::avx2;
#else
  return SimdLevel::baseline;
#endif
}

SimdLevel choose() {
  const SimdLevel best = best_of_cpu();
  const char* text = std::getenv("XGRAD_SIMD");
  if (!text || !*text) return best;
  for (SimdLevel level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512})
    if (std::string_view(text) == name(level)) return std::min(level, best);
  fail("XGRAD_SIMD: expected baseline, avx2 or avx512, got ", text);
}

}  // namespace

SimdLevel simd_level() {
  static const SimdLevel level = choose();
  return level;
}

const char* name(SimdLevel level) {
  return level == SimdLevel::avx512 ? "avx512" : level == SimdLevel::avx2 ? "avx2" : "baseline";
}

}  // namespace xgrad
