#include "allocator.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include "error.hpp"

namespace xgrad {
namespace {

#if defined(__has_feature)
constexpr bool address_sanitizer = __has_feature(address_sanitizer);
constexpr bool thread_sanitizer = __has_feature(thread_sanitizer);
#else
#ifdef __SANITIZE_ADDRESS__
constexpr bool address_sanitizer = true;
#else
constexpr bool address_sanitizer = false;
#endif
#ifdef __SANITIZE_THREAD__
constexpr bool thread_sanitizer = true;
#else
constexpr bool thread_sanitizer = false;
#endif
#endif

// A cache would hide use after free and leaks from the sanitizer.
constexpr bool caching = !address_sanitizer;

// The sanitizers' allocators end the process when asked for more than 2^40 bytes.
constexpr std::size_t most_bytes =
    address_sanitizer || thread_sanitizer ? std::size_t{1} << 39 : std::numeric_limits<std::ptrdiff_t>::max();

constexpr std::size_t alignment = 64;
constexpr std::size_t small_limit = 32 << 10;
constexpr std::size_t slab_bytes = 1 << 20;
constexpr std::size_t chain_bytes = 16 << 10;
constexpr std::size_t cache_slack = 64 << 20;

// Size classes: every multiple of 64 up to 512, then four steps to each power of two.
constexpr std::size_t class_of(std::size_t bytes) {
  const std::size_t last_unit = (bytes - (bytes != 0)) / alignment;
  const auto shift = static_cast<std::size_t>(std::bit_width(last_unit | 4) - 3);
  return 4 * shift + (last_unit >> shift);
}

constexpr std::size_t size_of_class(std::size_t size_class) {
  const std::size_t shift = size_class < 8 ? 0 : size_class / 4 - 1;
  return ((size_class - 4 * shift + 1) << shift) * alignment;
}

constexpr std::size_t small_classes = class_of(small_limit) + 1;
constexpr std::size_t all_classes = class_of(std::numeric_limits<std::ptrdiff_t>::max()) + 1;
static_assert(size_of_class(small_classes - 1) == small_limit);

constexpr std::uint32_t chain_limit(std::size_t size_class) {
  return static_cast<std::uint32_t>(std::max<std::size_t>(2, chain_bytes / size_of_class(size_class)));
}

// What a free block holds. Chains are lists of blocks of one class; the first block of a chain links the chains.
struct Block {
  Block* next;
  Block* next_chain;
  std::uint32_t chain_length;
};

// A number that one thread writes and others may read.
template <class T>
class Counter {
 public:
  T get() const { return value_.load(std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  void add(T value) { set(static_cast<T>(get() + value)); }

 private:
  std::atomic<T> value_{};
};

// Two chains, so that a thread which allocates and frees around a chain's end does not go to the shared lists each
// time.
struct Magazine {
  Block* head = nullptr;
  Block* spare = nullptr;
  Counter<std::uint32_t> head_length;
  Counter<std::uint32_t> spare_length;
  std::uint32_t limit = 0;
};

// The free small blocks of a thread, and what it allocated less what it freed since that was last added to the totals.
struct alignas(alignment) Cache {
  Counter<std::int64_t> bytes;
  Counter<std::int64_t> bytes_peak;
  Counter<std::int64_t> blocks;
  std::array<Magazine, small_classes> magazines;
  Cache* next = nullptr;          // all caches
  Cache* next_retired = nullptr;  // those whose thread has ended

  Cache() {
    for (std::size_t c = 0; c < small_classes; ++c) magazines[c].limit = chain_limit(c);
  }

  [[gnu::always_inline]] void* take(Magazine& magazine, std::size_t asked) {
    Block* block = magazine.head;
    magazine.head = block->next;
    magazine.head_length.add(-1u);
    const std::int64_t now = bytes.get() + static_cast<std::int64_t>(asked);
    bytes.set(now);
    if (now > bytes_peak.get()) bytes_peak.set(now);
    blocks.add(1);
    return block;
  }

  [[gnu::always_inline]] void put(Magazine& magazine, void* memory, std::size_t asked) {
    magazine.head = new (memory) Block{magazine.head, nullptr, 0};
    magazine.head_length.add(1);
    bytes.add(-static_cast<std::int64_t>(asked));
    blocks.add(-1);
  }
};

// Trivially destructible and constant-initialised, so that it works before and after every static object.
struct Shared {
  std::mutex mutex;
  std::array<Block*, small_classes> chains{};
  std::array<Block*, all_classes> large{};
  std::byte* slab = nullptr;
  std::size_t slab_left = 0;
  std::size_t small_cached = 0;
  std::size_t large_cached = 0;
  std::int64_t live_bytes = 0;
  std::int64_t live_blocks = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t most_bytes_ever = 0;
  Cache* caches = nullptr;
  Cache* retired = nullptr;

  // All below: with the mutex held.

  void add_pending(Cache& cache) {
    peak_bytes = std::max(peak_bytes, live_bytes + cache.bytes_peak.get());
    live_bytes += cache.bytes.get();
    live_blocks += cache.blocks.get();
    cache.bytes.set(0);
    cache.bytes_peak.set(0);
    cache.blocks.set(0);
    most_bytes_ever = std::max(most_bytes_ever, peak_bytes);
  }

  void count(Cache* cache, std::int64_t bytes, std::int64_t blocks) {
    if (cache) add_pending(*cache);
    live_bytes += bytes;
    live_blocks += blocks;
    peak_bytes = std::max(peak_bytes, live_bytes);
    most_bytes_ever = std::max(most_bytes_ever, live_bytes);
  }

  void push_chain(std::size_t size_class, Block* chain, std::uint32_t length) {
    if (!chain) return;
    chain->next_chain = chains[size_class];
    chain->chain_length = length;
    chains[size_class] = chain;
    small_cached += length * size_of_class(size_class);
  }

  Block* pop_chain(std::size_t size_class) {
    Block* chain = chains[size_class];
    if (!chain) return nullptr;
    chains[size_class] = chain->next_chain;
    small_cached -= chain->chain_length * size_of_class(size_class);
    return chain;
  }

  Block* carve_chain(std::size_t size_class) {
    const std::size_t size = size_of_class(size_class);
    if (slab_left < size) {
      void* fresh = ::operator new (slab_bytes, std::align_val_t{alignment}, std::nothrow);
      if (!fresh) return nullptr;
      slab = static_cast<std::byte*>(fresh);
      slab_left = slab_bytes;
    }
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(chain_limit(size_class), slab_left / size));
    Block* chain = nullptr;
    for (std::uint32_t i = length; i-- > 0;) chain = new (slab + i * size) Block{chain, nullptr, length};
    slab += length * size;
    slab_left -= length * size;
    return chain;
  }
};

constinit Shared shared;
static_assert(std::is_trivially_destructible_v<Shared>);

// Serves threads whose own cache is gone, and those that could get none.
Cache& late_cache() {
  alignas(Cache) static std::byte storage[sizeof(Cache)];
  static Cache* cache = new (storage) Cache;
  return *cache;
}
constinit std::mutex late_mutex;

// 0, or the number of allocations up to and including the one to fail.
constinit std::atomic<std::int64_t> until_failure{0};

constinit thread_local Cache* local_cache = nullptr;
constinit thread_local bool thread_ended = false;

struct AtThreadEnd {
  bool armed = false;
  ~AtThreadEnd() {
    thread_ended = true;
    Cache* cache = std::exchange(local_cache, nullptr);
    if (!cache) return;
    const std::lock_guard lock(shared.mutex);
    shared.add_pending(*cache);
    for (std::size_t c = 0; c < small_classes; ++c) {
      Magazine& magazine = cache->magazines[c];
      shared.push_chain(c, std::exchange(magazine.head, nullptr), magazine.head_length.get());
      shared.push_chain(c, std::exchange(magazine.spare, nullptr), magazine.spare_length.get());
      magazine.head_length.set(0);
      magazine.spare_length.set(0);
    }
    cache->next_retired = shared.retired;
    shared.retired = cache;
  }
};
thread_local AtThreadEnd at_thread_end;

void register_fork_handlers() {
  static const int registered = pthread_atfork(
      [] {
        late_mutex.lock();
        shared.mutex.lock();
      },
      [] {
        shared.mutex.unlock();
        late_mutex.unlock();
      },
      [] {
        shared.mutex.unlock();
        late_mutex.unlock();
      });
  static_cast<void>(registered);
}

// The calling thread's cache, made at its first use; null when there can be none.
[[gnu::noinline]] Cache* cache_of_thread() noexcept {
  if (local_cache || thread_ended || !caching) return local_cache;
  register_fork_handlers();
  Cache* cache = nullptr;
  {
    const std::lock_guard lock(shared.mutex);
    if (shared.retired) cache = std::exchange(shared.retired, shared.retired->next_retired);
  }
  if (!cache) {
    cache = new (std::nothrow) Cache;
    if (!cache) return nullptr;
    const std::lock_guard lock(shared.mutex);
    cache->next = shared.caches;
    shared.caches = cache;
  }
  at_thread_end.armed = true;
  return local_cache = cache;
}

bool fill_head(Cache& cache, std::size_t size_class) {
  Magazine& magazine = cache.magazines[size_class];
  if (magazine.head) return true;
  if (magazine.spare) {
    magazine.head = std::exchange(magazine.spare, nullptr);
    magazine.head_length.set(magazine.spare_length.get());
    magazine.spare_length.set(0);
    return true;
  }
  const std::lock_guard lock(shared.mutex);
  shared.add_pending(cache);
  Block* chain = shared.pop_chain(size_class);
  if (!chain) chain = shared.carve_chain(size_class);
  if (!chain) return false;
  magazine.head = chain;
  magazine.head_length.set(chain->chain_length);
  return true;
}

void empty_head(Cache& cache, std::size_t size_class) noexcept {
  Magazine& magazine = cache.magazines[size_class];
  if (magazine.head_length.get() < magazine.limit) return;
  if (magazine.spare) {
    const std::lock_guard lock(shared.mutex);
    shared.add_pending(cache);
    shared.push_chain(size_class, magazine.spare, magazine.spare_length.get());
  }
  magazine.spare = std::exchange(magazine.head, nullptr);
  magazine.spare_length.set(magazine.head_length.get());
  magazine.head_length.set(0);
}

bool failure_is_due() {
  std::int64_t left = until_failure.load(std::memory_order_relaxed);
  while (left != 0 && !until_failure.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) {
  }
  return left == 1;
}

[[noreturn, gnu::cold]] void out_of_memory(std::size_t bytes) {
  fail("out of memory: ", bytes, " bytes asked for, ", memory_stats().live_bytes, " in use");
}

/// Null where there is none.
void* fresh_memory(std::size_t size) {
  void* memory = ::operator new (size, std::align_val_t{alignment}, std::nothrow);
#ifdef MADV_HUGEPAGE
  // With pages of 2 MB the processor seldom waits for the addresses of memory that its caches do not hold: a formula on
  // arrays of 16 MB took 0.78 of the time.
  constexpr std::size_t worth_it = 4 << 20, page = 4096;
  if (memory && size >= worth_it) {
    std::byte* const first = static_cast<std::byte*>(memory) + -reinterpret_cast<std::uintptr_t>(memory) % page;
    madvise(first, size - 2 * page, MADV_HUGEPAGE);  // a wish, which may be refused
  }
#endif
  return memory;
}

void* allocate_large(std::size_t bytes) {
  const std::size_t size_class = class_of(bytes);
  const auto signed_bytes = static_cast<std::int64_t>(bytes);
  Cache* cache = cache_of_thread();
  {
    const std::lock_guard lock(shared.mutex);
    if (Block* block = shared.large[size_class]) {
      shared.large[size_class] = block->next;
      shared.large_cached -= size_of_class(size_class);
      shared.count(cache, signed_bytes, 1);
      return block;
    }
  }
  const std::size_t size = caching ? size_of_class(size_class) : std::max<std::size_t>(bytes, 1);
  void* memory = fresh_memory(size);
  if (!memory) {
    release_cached_memory();
    memory = fresh_memory(size);
  }
  if (!memory) return nullptr;
  const std::lock_guard lock(shared.mutex);
  shared.count(cache, signed_bytes, 1);
  return memory;
}

void deallocate_large(void* memory, std::size_t bytes) noexcept {
  const std::size_t size_class = class_of(bytes);
  Cache* cache = cache_of_thread();
  bool too_much = false;
  if constexpr (!caching) ::operator delete (memory, std::align_val_t{alignment});
  {
    const std::lock_guard lock(shared.mutex);
    shared.count(cache, -static_cast<std::int64_t>(bytes), -1);
    if constexpr (!caching) return;
    shared.large[size_class] = new (memory) Block{shared.large[size_class], nullptr, 0};
    shared.large_cached += size_of_class(size_class);
    // A program whose sizes change must not keep all that it once used: what is cached then is mostly stale.
    too_much = shared.large_cached > static_cast<std::size_t>(shared.most_bytes_ever) + cache_slack;
  }
  if (too_much) release_cached_memory();
}

[[gnu::noinline]] void* allocate_slow(std::size_t bytes) {
  if (bytes > most_bytes || failure_is_due()) out_of_memory(bytes);
  void* memory = nullptr;
  if (!caching || bytes > small_limit) {
    memory = allocate_large(bytes);
  } else {
    const std::size_t size_class = class_of(bytes);
    const auto take_from = [&](Cache& cache) {
      if (fill_head(cache, size_class) || (release_cached_memory(), fill_head(cache, size_class)))
        memory = cache.take(cache.magazines[size_class], bytes);
    };
    if (Cache* cache = cache_of_thread()) {
      take_from(*cache);
    } else {
      const std::lock_guard lock(late_mutex);
      take_from(late_cache());
    }
  }
  if (!memory) out_of_memory(bytes);
  return memory;
}

[[gnu::noinline]] void deallocate_slow(void* memory, std::size_t bytes) noexcept {
  if (!memory) return;
  if (!caching || bytes > small_limit) return deallocate_large(memory, bytes);
  const std::size_t size_class = class_of(bytes);
  const auto put_into = [&](Cache& cache) {
    empty_head(cache, size_class);
    cache.put(cache.magazines[size_class], memory, bytes);
  };
  if (Cache* cache = cache_of_thread()) return put_into(*cache);
  const std::lock_guard lock(late_mutex);
  put_into(late_cache());
}

// Calls visit with every cache; with the mutex held.
template <class Visit>
void for_each_cache(Visit visit) {
  for (Cache* cache = shared.caches; cache; cache = cache->next) visit(*cache);
  visit(late_cache());
}

}  // namespace

void* allocate(std::size_t bytes) {
  if constexpr (caching) {
    Cache* cache = local_cache;
    if (bytes <= small_limit && cache && until_failure.load(std::memory_order_relaxed) == 0) [[likely]] {
      Magazine& magazine = cache->magazines[class_of(bytes)];
      if (magazine.head) [[likely]]
        return cache->take(magazine, bytes);
    }
  }
  return allocate_slow(bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if constexpr (caching) {
    Cache* cache = local_cache;
    if (bytes <= small_limit && cache && block) [[likely]] {
      Magazine& magazine = cache->magazines[class_of(bytes)];
      if (magazine.head_length.get() < magazine.limit) [[likely]]
        return cache->put(magazine, block, bytes);
    }
  }
  deallocate_slow(block, bytes);
}

MemoryStats memory_stats() {
  const std::lock_guard lock(shared.mutex);
  std::int64_t live_bytes = shared.live_bytes;
  std::int64_t live_blocks = shared.live_blocks;
  std::int64_t rise = 0;  // to the highest peak of a thread, from what that thread has now
  std::size_t cached = shared.small_cached + shared.large_cached + shared.slab_left;
  for_each_cache([&](Cache& cache) {
    live_bytes += cache.bytes.get();
    live_blocks += cache.blocks.get();
    rise = std::max(rise, cache.bytes_peak.get() - cache.bytes.get());
    for (std::size_t c = 0; c < small_classes; ++c) {
      const Magazine& magazine = cache.magazines[c];
      cached += std::size_t{magazine.head_length.get() + magazine.spare_length.get()} * size_of_class(c);
    }
  });
  const auto unsign = [](std::int64_t value) { return static_cast<std::size_t>(std::max<std::int64_t>(value, 0)); };
  return {unsign(live_bytes), unsign(std::max(shared.peak_bytes, live_bytes + rise)), unsign(live_blocks), cached};
}

void reset_peak_memory() {
  const std::lock_guard lock(shared.mutex);
  std::int64_t live_bytes = shared.live_bytes;
  for_each_cache([&](Cache& cache) {
    live_bytes += cache.bytes.get();
    cache.bytes_peak.set(cache.bytes.get());
  });
  shared.peak_bytes = live_bytes;
}

void release_cached_memory() noexcept {
  Block* blocks = nullptr;
  {
    const std::lock_guard lock(shared.mutex);
    for (Block*& list : shared.large)
      while (Block* block = list) {
        list = block->next;
        block->next = blocks;
        blocks = block;
      }
    shared.large_cached = 0;
  }
  while (blocks) ::operator delete (std::exchange(blocks, blocks->next), std::align_val_t{alignment});
}

void detail::fail_allocation_after(std::int64_t n) {
  check(n >= 0, "fail_allocation_after: ", n, " is negative");
  until_failure.store(n, std::memory_order_relaxed);
}

}  // namespace xgrad
