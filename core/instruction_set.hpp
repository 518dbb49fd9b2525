#pragma once
// Kernels compiled for several instruction sets in one translation unit, the best one chosen at run time.

#include <cstdint>
#include <type_traits>

namespace xgrad {

/// Instruction sets kernels are compiled for, each with those before it; `avx2` includes FMA and F16C, `avx512` is F,
/// BW, DQ and VL, and VNNI for products of bytes where the CPU has it; `amx` is matrix instructions for products of
/// bfloat16 and of bytes, AMX-BF16 and AMX-INT8. Only x86-64 has more than the baseline.
enum class SimdLevel { baseline, avx2, avx512, amx };

/// The level kernels run at: the best this CPU has, or a lower one named by the environment variable XGRAD_SIMD
/// (baseline, avx2, avx512 or amx; read once). For `amx` the first call asks the kernel's permission to use its
/// registers; without it the level is avx512. Throws Error if the variable holds anything else.
SimdLevel simd_level();

/// "baseline", "avx2", "avx512" or "amx".
const char* name(SimdLevel level);

/// Goes before a loop whose iterations are independent, even where an output is also an input (in place): the compiler
/// then vectorises without checking at run time that the pointers do not overlap.
#if defined(__clang__)
#define XGRAD_INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#define XGRAD_NOT_UNROLLED _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#else
#define XGRAD_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#define XGRAD_NOT_UNROLLED _Pragma("GCC unroll 1") _Pragma("GCC ivdep")
#endif

/// Calls a function of the user's from inside a vectorized loop such that it is inlined on every compiler.
template <class F, class... Args>
#if defined(__clang__)
[[gnu::always_inline, gnu::flatten]]
#else
[[gnu::flatten]]  // always_inline would make g++ look at the function before those it calls, and then not inline them
#endif
inline auto
flattened(const F& f, const Args&... args) {
  return f(args...);
}

namespace detail {

// What makes g++ 12 vectorise, whatever the flags of the file:
// - flatten inlines the loop and all it calls (clang: one level, see `flattened`);
// - three passes that leave branches in the loop are off: sinking moves a value into the branch that wants it; partial
//   redundancy elimination and jump threading split a clamp `x > a ? a : x` into paths computed ahead for x = a.
//   (no-trapping-math would turn branches back into selections, but does not hold here: g++ gives a function without
//   floating-point code of its own the floating-point flags of what it inlines, that is, of the user's file.)
// - the loop is run from a local copy: below -O2 there is no type-based alias analysis, so a bound read through a
//   reference would be read again after every store, and the trip count be unknown.
// g++ 14 leaves branches in loops with selections all the same, unless the file is compiled with -fno-trapping-math, as
// the library is; without it such loops run one element at a time there.
// clang warns where a loop it was told to vectorise cannot be (it calls libm, say).
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#define XGRAD_CLONE gnu::flatten, gnu::noinline
#define XGRAD_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"
#else
#if defined(XGRAD_SANITIZED)  // which find the same in loops that are compiled in less time
#define XGRAD_CLONE gnu::flatten, gnu::noinline
#else
#define XGRAD_CLONE gnu::flatten, gnu::noinline, gnu::optimize("O3", "no-tree-pre", "no-tree-sink", "no-thread-jumps")
#endif
#define XGRAD_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2,prefer-vector-width=512"
#endif

template <class F>
[[XGRAD_CLONE]] void run_baseline(const F& f) {
  const F local = f;
  local();
}

#if defined(__x86_64__)
template <class F>
[[XGRAD_CLONE, gnu::target("avx2,fma,bmi2")]] void run_avx2(const F& f) {
  const F local = f;
  local();
}

template <class F>
[[XGRAD_CLONE, gnu::target(XGRAD_AVX512)]] void run_avx512(const F& f) {
  const F local = f;
  local();
}
#endif
#undef XGRAD_CLONE
#undef XGRAD_AVX512
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace detail

namespace detail {

inline constexpr std::int64_t stream_step = 16, stream_ahead = 512, short_stream = 1024;

/// Asks for `stream_step` elements from `from` on.
template <class T>
[[gnu::always_inline]] inline void prefetch(const T* from) {
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t i = 0; i < stream_step; i += line) __builtin_prefetch(from + i);
}

}  // namespace detail

/// f(i) for all i from 0 to n, inside vectorized(), for an always-inline f that works on element i of each operand.
/// What follows in memory is asked for ahead of time, a line at a time in the midst of the work: the processor's own
/// prefetching waits at the end of each page and hardly asks for what is written.
template <class F, class... T>
[[gnu::always_inline]] inline void for_each_streaming(std::int64_t n, const F& f, const T*... operands) {
  using detail::stream_step;
  const std::int64_t ahead = n < detail::short_stream ? 0 : detail::stream_ahead, rest = n % stream_step;
  std::int64_t begin = 0;
  for (; begin < n - rest; begin += stream_step) {
    (detail::prefetch(operands + begin + ahead), ...);
    XGRAD_NOT_UNROLLED
    for (std::int64_t i = begin; i < begin + stream_step; ++i) f(i);
  }
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t i = 0; i < rest; ++i) f(begin + i);
}

/// Runs f() in a clone compiled and vectorised for `level`, whatever flags the calling file is compiled with. f is a
/// small loop nest over raw pointers and numbers captured by value, sums and the like by reference; it and all it calls
/// is inlined. A sum is vectorised as an array of 16 to 64 partial sums, since the compiler may not reorder one. A
/// level above simd_level() is undefined behaviour. Results may differ in the last bits between levels.
template <class F>
void vectorized(SimdLevel level, const F& f) {
  // Not is_trivially_copyable, which g++ 12 denies for a lambda that captures, while its function is being compiled.
  static_assert(std::is_trivially_copy_constructible_v<F> && std::is_trivially_destructible_v<F>,
                "vectorized: capture raw pointers and numbers only");
#if defined(__x86_64__) && !defined(XGRAD_SANITIZED)
  if (level >= SimdLevel::avx512) return detail::run_avx512(f);
  if (level == SimdLevel::avx2) return detail::run_avx2(f);
#endif
  (void)level;
  detail::run_baseline(f);
}

/// Runs f() in a clone compiled for the best instruction set of this CPU (with g++ 14, give files that choose between
/// values in such a loop -fno-trapping-math):
///
///     vectorized([=] {
///       XGRAD_INDEPENDENT_ITERATIONS
///       for (std::int64_t i = 0; i < n; ++i) y[i] = a * x[i] + y[i];
///     });
template <class F>
void vectorized(const F& f) {
  vectorized(simd_level(), f);
}

}  // namespace xgrad
