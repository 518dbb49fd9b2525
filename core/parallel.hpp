#pragma once
// Threads: one pool for the process, used by kernels through parallel_for.
//
// Results must not depend on the number of threads, but the ranges that parallel_for hands out do. So a kernel whose
// result depends on how work is grouped (a reduction, random numbers) cuts it into blocks of a fixed size first,
// computes one partial result a block, with parallel_for over the blocks, and combines these in order of the blocks.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace xgrad {

/// How many threads work on one parallel_for, the calling one included. Threads are started when first needed.
/// Throws Error when `n` is less than 1 or over 4096, and inside a parallel_for.
void set_num_threads(int n);

/// By default the number of cores this process may run on. The first call of this, of set_num_threads or of a
/// parallel_for that is split also sets OpenBLAS to one thread: threads of its own would compete with these.
int num_threads();

namespace detail {

using RangeFunction = void (*)(void* context, std::int64_t begin, std::int64_t end);
void parallel_ranges(std::int64_t n, std::int64_t grain, RangeFunction function, void* context);

/// While it lives, every parallel_for of this thread is one call in it.
class SerialScope {
 public:
  [[nodiscard]] SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  const bool before_;
};

}  // namespace detail

/// Calls `f(begin, end)` for contiguous ranges that cover [0, n), at most one a thread and at the same time, and
/// returns when all are done. Ranges start at multiples of `grain` (less than 1 counts as 1). What `f` throws is thrown
/// here when all calls are done; of several, that of the first range. With n <= grain, inside another parallel_for, or
/// while another thread has the pool, it is one call `f(0, n)` in the calling thread; with n <= 0 none. Splitting costs
/// 1 to 2 us when the threads are awake (they sleep after 0.1 ms without work), so choose a `grain` worth several us.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  if (n <= 0) return;
  if (n <= std::max<std::int64_t>(grain, 1)) {
    f(std::int64_t{0}, n);
    return;
  }
  using Function = std::remove_reference_t<F>;
  const detail::RangeFunction call = [](void* context, std::int64_t begin, std::int64_t end) {
    (*static_cast<Function*>(context))(begin, end);
  };
  detail::parallel_ranges(n, grain, call, const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

}  // namespace xgrad
