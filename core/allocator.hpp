#pragma once
// Memory for tensors, graph nodes and everything else that comes and goes once a training step.

#include <cstddef>
#include <cstdint>

namespace xgrad {

/// A block of at least `bytes` bytes, aligned to 64, with unspecified contents. 0 bytes give a valid block of its own,
/// too. Blocks come from a cache: small ones (up to 32 KiB) from lists of the calling thread, without a lock. Throws
/// Error `out of memory: ...`, after the cached memory was given back and that did not help.
[[nodiscard]] void* allocate(std::size_t bytes);

/// Gives back what `allocate(bytes)` returned, on any thread, also while statics and thread-locals are being destroyed.
/// `bytes` must be the number asked for. A null `block` is ignored.
void deallocate(void* block, std::size_t bytes) noexcept;

struct MemoryStats {
  std::size_t live_bytes;    ///< asked for and not given back
  std::size_t peak_bytes;    ///< the most of live_bytes since the start or reset_peak_memory(); with several threads at
                             ///< work small blocks make it inexact by some tens of KiB a thread
  std::size_t live_blocks;   ///< blocks not given back
  std::size_t cached_bytes;  ///< held to be used again
};

MemoryStats memory_stats();

/// The peak starts again at what is live now.
void reset_peak_memory();

/// Returns the cached large blocks (over 32 KiB) to the system. Small ones stay.
void release_cached_memory() noexcept;

namespace detail {

/// For tests of out-of-memory handling: the n-th allocation from now, counted over all threads, fails as if memory had
/// run out, once. 0: none fails.
void fail_allocation_after(std::int64_t n);

}  // namespace detail

}  // namespace xgrad
