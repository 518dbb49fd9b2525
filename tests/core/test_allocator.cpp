#include <xgrad/core/allocator.hpp>

#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include <xgrad/core/error.hpp>
#include "../catch.hpp"

using namespace xgrad;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool cached = false;
#elif defined(__has_feature)
constexpr bool cached = !__has_feature(address_sanitizer);
#else
constexpr bool cached = true;
#endif

struct Owned {
  void* block;
  std::size_t bytes;
};

// Gives its block back after every thread-local of the allocator is gone.
struct FreesLate {
  void* block = nullptr;
  ~FreesLate() {
    if (!block) return;
    deallocate(block, 200);
    void* another = allocate(200);
    std::memset(another, 1, 200);
    deallocate(another, 200);
  }
};
FreesLate static_block;
thread_local FreesLate thread_block;

}  // namespace

TEST_CASE("allocator: blocks are aligned, apart and as large as asked for") {
  std::vector<Owned> blocks;
  for (std::size_t bytes = 0; bytes < 70000; bytes = bytes < 600 ? bytes + 1 : bytes + bytes / 7) {
    void* block = allocate(bytes);
    REQUIRE(block != nullptr);
    REQUIRE(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    std::memset(block, static_cast<int>(blocks.size() % 251), bytes);
    blocks.push_back({block, bytes});
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* data = static_cast<const unsigned char*>(blocks[i].block);
    std::size_t same = 0;
    for (std::size_t j = 0; j < blocks[i].bytes; ++j) same += data[j] == i % 251;
    REQUIRE(same == blocks[i].bytes);
    deallocate(blocks[i].block, blocks[i].bytes);
  }
}

TEST_CASE("allocator: what was given back is used again") {
  if (!cached) return;
  for (const std::size_t bytes : {64u, 500u, 32768u, 32769u, 1u << 22}) {
    void* first = allocate(bytes);
    deallocate(first, bytes);
    void* second = allocate(bytes);
    CHECK(second == first);
    deallocate(second, bytes);
  }
  void* block = allocate(1 << 22);
  deallocate(block, 1 << 22);
  const std::size_t before = memory_stats().cached_bytes;
  release_cached_memory();
  CHECK(memory_stats().cached_bytes <= before - (1 << 22));
}

TEST_CASE("allocator: memory cached under sizes no longer used is given back") {
  const std::size_t live = memory_stats().live_bytes;
  std::size_t total = 0;
  for (std::size_t bytes = 1 << 20; bytes < std::size_t{64} << 20; bytes += bytes / 4) {
    deallocate(allocate(bytes), bytes);
    total += bytes;
  }
  CHECK(total > std::size_t{250} << 20);
  CHECK(memory_stats().cached_bytes < live + (std::size_t{64 + 64 + 32} << 20));
  release_cached_memory();
}

TEST_CASE("allocator: statistics count what was asked for") {
  const MemoryStats before = memory_stats();
  reset_peak_memory();
  void* a = allocate(100);
  void* b = allocate(1 << 20);
  MemoryStats now = memory_stats();
  CHECK(now.live_bytes == before.live_bytes + 100 + (1 << 20));
  CHECK(now.live_blocks == before.live_blocks + 2);
  CHECK(now.peak_bytes == now.live_bytes);
  deallocate(b, 1 << 20);
  void* c = allocate(300);
  deallocate(c, 300);
  deallocate(a, 100);
  now = memory_stats();
  CHECK(now.live_bytes == before.live_bytes);
  CHECK(now.live_blocks == before.live_blocks);
  CHECK(now.peak_bytes == before.live_bytes + 100 + (1 << 20));
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == before.live_bytes);
  std::vector<void*> many;
  for (int i = 0; i < 3000; ++i) many.push_back(allocate(128));
  for (void* block : many) deallocate(block, 128);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().peak_bytes == before.live_bytes + 3000 * 128);
  deallocate(nullptr, 10);
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("allocator: blocks freed on other threads come round again", "[threads]") {
  const MemoryStats before = memory_stats();
  std::size_t cached_after_first = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<Owned> blocks;
    std::thread([&] {
      for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t bytes = 1 + (i * 37) % 900;
        blocks.push_back({allocate(bytes), bytes});
        std::memset(blocks.back().block, 7, bytes);
      }
      blocks.push_back({allocate(100000), 100000});
    }).join();
    std::thread([&] {
      for (const Owned& owned : blocks) deallocate(owned.block, owned.bytes);
    }).join();
    if (round == 0) cached_after_first = memory_stats().cached_bytes;
  }
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().cached_bytes <= cached_after_first + (1 << 20));
}

TEST_CASE("allocator: threads allocate and free at once", "[threads]") {
  const MemoryStats before = memory_stats();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &wrong] {
      std::vector<Owned> blocks;
      std::uint32_t random = static_cast<std::uint32_t>(t) + 1;
      for (int i = 0; i < 20000; ++i) {
        random = random * 1664525u + 1013904223u;
        const std::size_t bytes = 4 + (random >> 16) % (i % 100 == 0 ? 60000 : 700);
        void* block = allocate(bytes);
        std::memcpy(block, &t, sizeof t);
        blocks.push_back({block, bytes});
        if (blocks.size() > 50) {
          std::swap(blocks[(random >> 8) % blocks.size()], blocks.back());
          int mark = -1;
          std::memcpy(&mark, blocks.back().block, sizeof mark);
          wrong[static_cast<std::size_t>(t)] += mark != t;
          deallocate(blocks.back().block, blocks.back().bytes);
          blocks.pop_back();
        }
        if (i % 1000 == 0) memory_stats();
      }
      for (const Owned& owned : blocks) deallocate(owned.block, owned.bytes);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("allocator: serves statics and thread-locals that are destroyed last") {
  const MemoryStats before = memory_stats();
  std::thread([] { thread_block.block = allocate(200); }).join();
  CHECK(memory_stats().live_blocks == before.live_blocks);
  static_block.block = allocate(200);
}

TEST_CASE("allocator: the chosen allocation fails, once, and changes nothing") {
  deallocate(allocate(100), 100);
  const MemoryStats before = memory_stats();
  for (const std::size_t bytes : {100u, 1u << 20}) {
    detail::fail_allocation_after(3);
    void* first = allocate(bytes);
    void* second = allocate(bytes);
    CHECK_THROWS_AS(allocate(bytes), Error);
    void* fourth = allocate(bytes);
    for (void* block : {first, second, fourth}) deallocate(block, bytes);
  }
  detail::fail_allocation_after(1);
  detail::fail_allocation_after(0);
  deallocate(allocate(100), 100);
  CHECK_THROWS_AS(detail::fail_allocation_after(-1), Error);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("allocator: more than there can be is out of memory") {
  CHECK_THROWS_AS(allocate(std::numeric_limits<std::size_t>::max()), Error);
  CHECK_THROWS_AS(allocate(std::size_t{1} << 63), Error);
  CHECK_THROWS_AS(allocate((std::size_t{1} << 63) - 1), Error);
  CHECK_THROWS_WITH(allocate(std::size_t{1} << 62), Catch::StartsWith("out of memory: 4611686018427387904 bytes"));
}
