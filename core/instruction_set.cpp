#include "instruction_set.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace xgrad {

namespace {

// The tile registers take 8 KiB of what is saved of a thread, so a process has to ask for them.
bool may_use_tiles() {
#if defined(__x86_64__) && defined(__linux__)
  unsigned int a = 0, b = 0, c = 0, features = 0;
  constexpr unsigned int bf16_tile_int8 = 1u << 22 | 1u << 24 | 1u << 25;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &features) || (features & bf16_tile_int8) != bf16_tile_int8) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

#if defined(__x86_64__)
/// F16C, whose name clang 14's __builtin_cpu_supports does not know.
bool has_float16_conversions() {
  unsigned int a = 0, b = 0, features = 0, d = 0;
  return __get_cpuid(1, &a, &b, &features, &d) != 0 && (features & bit_F16C) != 0;
}
#endif

SimdLevel best_of_cpu() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2") ||
      !has_float16_conversions())
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
  const char* text = std::getenv("XGRAD_SIMD");
  SimdLevel wanted = SimdLevel::amx;
  if (text && *text) {
    while (std::string_view(text) != name(wanted)) {
      if (wanted == SimdLevel::baseline) fail("XGRAD_SIMD: expected baseline, avx2, avx512 or amx, got ", text);
      wanted = static_cast<SimdLevel>(static_cast<int>(wanted) - 1);
    }
  }
  const SimdLevel best = std::min(best_of_cpu(), wanted);
  return best == SimdLevel::avx512 && wanted == SimdLevel::amx && may_use_tiles() ? SimdLevel::amx : best;
}

}  // namespace

SimdLevel simd_level() {
  static const SimdLevel level = choose();
  return level;
}

const char* name(SimdLevel level) {
  constexpr const char* names[] = {"baseline", "avx2", "avx512", "amx"};
  return names[static_cast<int>(level)];
}

}  // namespace xgrad
