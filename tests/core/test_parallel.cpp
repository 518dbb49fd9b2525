#include <xgrad/core/parallel.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <xgrad/core/error.hpp>
#include "../catch.hpp"
#include "../forked.hpp"

using namespace xgrad;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool can_fork = false;  // its runtime ends a forked child that starts threads
#elif defined(__has_feature)
constexpr bool can_fork = !__has_feature(thread_sanitizer);
#else
constexpr bool can_fork = true;
#endif

// Sets the number of threads for one test.
struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before;
};

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

Ranges ranges_of(std::int64_t n, std::int64_t grain) {
  Ranges ranges;
  std::mutex mutex;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

std::int64_t sum_of_squares(std::int64_t n) {
  std::atomic<std::int64_t> sum{0};
  parallel_for(n, 10, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t part = 0;
    for (std::int64_t i = begin; i < end; ++i) part += i * i;
    sum += part;
  });
  return sum;
}

}  // namespace

TEST_CASE("parallel: ranges cover everything once and begin at multiples of the grain", "[threads]") {
  for (const int threads : {1, 2, 4}) {
    const Threads set(threads);
    CHECK(num_threads() == threads);
    for (const std::int64_t n : {0, 1, 2, 7, 8, 9, 63, 64, 1000, 1001})
      for (const std::int64_t grain : {-5, 1, 3, 8, 64, 5000}) {
        const Ranges ranges = ranges_of(n, grain);
        const std::int64_t step = std::max<std::int64_t>(grain, 1);
        const std::int64_t blocks = (n + step - 1) / step;
        CHECK(static_cast<std::int64_t>(ranges.size()) == std::min<std::int64_t>(blocks, threads));
        std::int64_t next = 0;
        for (const auto& [begin, end] : ranges) {
          CHECK(begin == next);
          CHECK(begin % step == 0);
          CHECK(end > begin);
          next = end;
        }
        CHECK(next == n);
      }
  }
}

TEST_CASE("parallel: ranges of the largest sizes do not overflow") {
  const Threads set(4);
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t grain : {std::int64_t{1}, most / 3, most - 1}) {
    const Ranges ranges = ranges_of(most, grain);
    CHECK(ranges.front().first == 0);
    CHECK(ranges.back().second == most);
  }
  CHECK(ranges_of(most, most).size() == 1);
  CHECK(ranges_of(-3, 1).empty());
}

TEST_CASE("parallel: threads work at the same time", "[threads]") {
  const Threads set(4);
  std::atomic<int> arrived{0};
  parallel_for(4, 1, [&](std::int64_t, std::int64_t) {
    ++arrived;
    while (arrived < 4) std::this_thread::yield();
  });
  CHECK(arrived == 4);
}

TEST_CASE("parallel: a nested call runs in its own thread", "[threads]") {
  const Threads set(4);
  std::atomic<int> elsewhere{0};
  std::atomic<int> calls{0};
  parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      parallel_for(100, 1, [&, self = std::this_thread::get_id()](std::int64_t b, std::int64_t e) {
        elsewhere += std::this_thread::get_id() != self || b != 0 || e != 100;
        ++calls;
      });
  });
  CHECK(calls == 8);
  CHECK(elsewhere == 0);
}

TEST_CASE("parallel: takes function objects of any kind") {
  struct Const {
    std::atomic<std::int64_t>* sum;
    void operator()(std::int64_t begin, std::int64_t end) const { *sum += end - begin; }
  };
  std::atomic<std::int64_t> sum{0};
  const Const object{&sum};
  parallel_for(1000, 10, object);
  parallel_for(1000, 10, Const{&sum});
  CHECK(sum == 2000);
}

TEST_CASE("parallel: several callers at once all get their work done", "[threads]") {
  const Threads set(3);
  const std::int64_t expected = sum_of_squares(1000);
  CHECK(expected == 332833500);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) wrong += sum_of_squares(1000) != expected;
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("parallel: the number of threads changes while others work", "[threads]") {
  const Threads set(2);
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> rounds{0};
  std::thread caller([&] {
    for (; !done; ++rounds) wrong += sum_of_squares(200) != 2646700;
  });
  for (int i = 0; i < 40; ++i) {
    set_num_threads(1 + i % 4);
    for (const int now = rounds; rounds < now + 3;) std::this_thread::yield();
  }
  done = true;
  caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("parallel: wakes threads that went to sleep", "[threads]") {
  const Threads set(3);
  for (const int wait_us : {0, 50, 80, 100, 1000, 5000})
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
      std::atomic<int> arrived{0};  // returns only if every thread takes part
      parallel_for(3, 1, [&](std::int64_t, std::int64_t) {
        ++arrived;
        while (arrived < 3) std::this_thread::yield();
      });
      REQUIRE(arrived == 3);
    }
}

TEST_CASE("parallel: numbers of threads out of range are errors and change nothing") {
  const int before = num_threads();
  CHECK(before >= 1);
  CHECK_THROWS_AS(set_num_threads(0), Error);
  CHECK_THROWS_AS(set_num_threads(-1), Error);
  CHECK_THROWS_AS(set_num_threads(1 << 20), Error);
  const Threads set(2);
  std::atomic<int> thrown{0};
  parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
    try {
      set_num_threads(3);
    } catch (const Error&) {
      ++thrown;
    }
  });
  CHECK(thrown == 2);
  CHECK(num_threads() == 2);
}

TEST_CASE("parallel: what a part throws, in whichever thread, comes out as it is", "[threads]") {
  struct Trouble {
    std::int64_t part;
  };
  for (const int threads : {1, 2, 4}) {
    const Threads set(threads);
    for (std::int64_t bad = 0; bad < threads; ++bad) {
      std::atomic<std::int64_t> done{0};
      const auto part_that_throws = [&](std::int64_t first_bad) {
        try {
          parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
            if (begin >= first_bad || threads == 1) throw Trouble{begin};
            done += end - begin;
          });
        } catch (const Trouble& trouble) {
          return trouble.part;
        }
        return std::int64_t{-1};
      };
      CHECK(part_that_throws(bad) == bad);  // of several, the first
      CHECK(done == bad);                   // the others are done nevertheless
      CHECK_THROWS_WITH(
          parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t) { check(begin != bad, "part ", begin); }),
          "part " + std::to_string(bad));
      CHECK(sum_of_squares(1000) == 332833500);  // the pool works on
    }
  }
}

TEST_CASE("parallel: an exception inside a nested call comes out of both", "[threads]") {
  const Threads set(3);
  const auto inner = [](std::int64_t, std::int64_t) { fail("inner"); };
  CHECK_THROWS_WITH(parallel_for(3, 1, [&](std::int64_t, std::int64_t) { parallel_for(3, 1, inner); }), "inner");
  CHECK(ranges_of(3, 1).size() == 3);
}

TEST_CASE("parallel: a forked child has threads of its own") {
  if (!can_fork) return;
  const Threads set(3);
  REQUIRE(sum_of_squares(1000) == 332833500);
  CHECK(run_forked([] {
          const bool right = sum_of_squares(1000) == 332833500 && num_threads() == 3 && ranges_of(3, 1).size() == 3;
          set_num_threads(2);
          return right && ranges_of(3, 1).size() == 2 ? 0 : 1;
        }) == 0);
  CHECK(sum_of_squares(1000) == 332833500);
}
