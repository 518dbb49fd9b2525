#pragma once
// Scalar code told from vector code by time.

#include <ctime>

// Whether it can be: sanitizers and missing optimisation hide the difference.
#if !defined(__OPTIMIZE__) || defined(XGRAD_SANITIZED) || !defined(__x86_64__)
constexpr bool times_tell = false;
#else
constexpr bool times_tell = true;
#endif

/// Nanoseconds of processor time of this thread, which a busy machine does not lengthen much.
inline double processor_time() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}
