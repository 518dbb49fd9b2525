#include "parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "error.hpp"

// Weak: a program that links another BLAS, or none, has no such function.
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);

namespace xgrad {
namespace {

constexpr int most_threads = 4096;
constexpr std::chrono::microseconds spin_time{80};

int cores() {
  static const int count = [] {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::clamp(CPU_COUNT(&set), 1, most_threads);
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most_threads);
  }();
  return count;
}

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constinit std::atomic<int> wanted_threads{0};  // 0: not set yet
constinit thread_local bool inside_parallel = false;

// What the threads work on. Written by the caller before the ticket changes, constant until `running` is 0 again.
struct Job {
  detail::RangeFunction function;
  void* context;
  std::int64_t n;
  std::int64_t grain;
  std::int64_t parts;

  void run(std::int64_t part) const {
    const std::int64_t blocks = (n - 1) / grain + 1;
    const std::int64_t each = blocks / parts;
    const std::int64_t more = blocks % parts;  // this many parts have one block more
    const std::int64_t first = part * each + std::min(part, more);
    const std::int64_t last = first + each + (part < more);
    function(context, first * grain, last == blocks ? n : last * grain);
  }
};

struct alignas(64) Worker {
  std::atomic<int> asleep{0};
  std::thread thread;
};

class Pool {
 public:
  // A pool left behind by fork keeps its memory: its threads do not exist here, but their objects cannot be destroyed.
  explicit Pool(Pool* left_behind) : left_behind_(left_behind) {}

  // False when another thread has the pool.
  bool try_run(std::int64_t n, std::int64_t grain, detail::RangeFunction function, void* context) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || closed_) return false;
    const std::int64_t blocks = (n - 1) / grain + 1;
    start_workers();
    const std::int64_t parts = std::min<std::int64_t>(blocks, static_cast<std::int64_t>(workers_.size()) + 1);
    if (parts == 1) return false;
    job_ = {function, context, n, grain, parts};
    running_.store(parts - 1, std::memory_order_relaxed);
    publish(static_cast<std::uint64_t>(parts));
    inside_parallel = true;
    job_.run(0);
    inside_parallel = false;
    for (int spins = 0; running_.load(std::memory_order_acquire) != 0;) {
      if (!oversubscribed_ && ++spins < 20000)
        pause();
      else
        std::this_thread::yield();
    }
    return true;
  }

  // Ends the threads; try_run starts as many as are wanted then, unless `for_good`.
  void stop(bool for_good) {
    const std::lock_guard lock(mutex_);
    closed_ = closed_ || for_good;
    publish(stop_ticket);
    for (const auto& worker : workers_) worker->thread.join();
    workers_.clear();
    started_for_ = 0;
  }

 private:
  // A ticket is the number of the job, and below it the number of parts it has: a worker that has no part in a job
  // learns that from the ticket alone and never looks at the job, which may be the next one already.
  static constexpr int part_bits = 16;
  static constexpr std::uint64_t part_mask = (std::uint64_t{1} << part_bits) - 1;
  static constexpr std::uint64_t stop_ticket = part_mask;

  void publish(std::uint64_t parts) {
    const std::uint64_t number = (ticket_.load(std::memory_order_relaxed) >> part_bits) + 1;
    ticket_.store(number << part_bits | parts, std::memory_order_seq_cst);
    const std::size_t count = parts == stop_ticket ? workers_.size() : static_cast<std::size_t>(parts) - 1;
    for (std::size_t i = 0; i < count; ++i) {
      // Sequentially consistent, as in sleep(): either this sees the worker asleep or that sees the new ticket.
      if (workers_[i]->asleep.load(std::memory_order_seq_cst) == 0) continue;
      workers_[i]->asleep.store(0, std::memory_order_seq_cst);
      workers_[i]->asleep.notify_one();
    }
  }

  void start_workers() {
    const int wanted = num_threads();
    if (started_for_ == wanted) return;
    started_for_ = wanted;
    oversubscribed_ = wanted > cores();
    try {
      while (static_cast<int>(workers_.size()) + 1 < wanted) {
        auto worker = std::make_unique<Worker>();
        worker->thread = std::thread(&Pool::work, this, worker.get(), static_cast<std::int64_t>(workers_.size()) + 1,
                                     ticket_.load(std::memory_order_relaxed), oversubscribed_);
        workers_.push_back(std::move(worker));
      }
    } catch (const std::exception&) {
      // The system gives no more threads: work with those there are.
    }
  }

  void work(Worker* self, std::int64_t part, std::uint64_t seen, bool sleep_at_once) {
    inside_parallel = true;
    for (;;) {
      const auto is_mine = [&] {
        const std::uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
        if (ticket == seen) return false;
        seen = ticket;
        return part < static_cast<std::int64_t>(ticket & part_mask);
      };
      if (!spin(is_mine, sleep_at_once)) {
        while (!is_mine()) sleep(*self, seen);
      }
      if ((seen & part_mask) == stop_ticket) return;
      job_.run(part);
      running_.fetch_sub(1, std::memory_order_release);
    }
  }

  template <class Condition>
  static bool spin(Condition is_mine, bool sleep_at_once) {
    if (sleep_at_once) return false;
    const auto end = std::chrono::steady_clock::now() + spin_time;
    do {
      for (int i = 0; i < 64; ++i) {
        if (is_mine()) return true;
        pause();
      }
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

  void sleep(Worker& self, std::uint64_t seen) {
    self.asleep.store(1, std::memory_order_seq_cst);
    if (ticket_.load(std::memory_order_seq_cst) == seen) self.asleep.wait(1, std::memory_order_seq_cst);
    self.asleep.store(0, std::memory_order_relaxed);
  }

  std::mutex mutex_;
  bool closed_ = false;
  bool oversubscribed_ = false;
  int started_for_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  Pool* left_behind_;

  alignas(64) std::atomic<std::uint64_t> ticket_{0};
  Job job_{};
  alignas(64) std::atomic<std::int64_t> running_{0};
};

// Never destroyed, so that statics destroyed late can still call parallel_for: it runs in their thread then.
constinit std::atomic<Pool*> current_pool{nullptr};

struct StopAtExit {
  ~StopAtExit() {
    if (!inside_parallel) current_pool.load()->stop(true);
  }
};

Pool& pool() {
  static const bool made = [] {
    current_pool.store(new Pool(nullptr));
    pthread_atfork(nullptr, nullptr, [] { current_pool.store(new Pool(current_pool.load())); });
    return true;
  }();
  static const StopAtExit stop_at_exit;
  static_cast<void>(made);
  return *current_pool.load(std::memory_order_acquire);
}

void own_blas_threads() {
  static const bool done = [] {
    if (&openblas_set_num_threads) openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace

int num_threads() {
  own_blas_threads();
  const int wanted = wanted_threads.load(std::memory_order_relaxed);
  return wanted == 0 ? cores() : wanted;
}

void set_num_threads(int n) {
  check(n >= 1 && n <= most_threads, "set_num_threads: ", n, " is not between 1 and ", most_threads);
  check(!inside_parallel, "set_num_threads: called inside a parallel_for");
  if (n == num_threads()) return;
  wanted_threads.store(n, std::memory_order_relaxed);
  pool().stop(false);
}

void detail::parallel_ranges(std::int64_t n, std::int64_t grain, RangeFunction function, void* context) noexcept {
  if (inside_parallel || num_threads() == 1 || !pool().try_run(n, std::max<std::int64_t>(grain, 1), function, context))
    function(context, 0, n);
}

}  // namespace xgrad
