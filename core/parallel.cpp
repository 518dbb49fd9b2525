#include "parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "error.hpp"
#include "instruction_set.hpp"

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

// What the threads work on. Constant from its publication until its last part is finished.
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

// The parts of the current job and the next one to take, in one word. Adding 1 takes a part, of whichever job is
// current at that moment: a thread that comes late finds none left, or helps with the next job.
struct Ticket {
  static constexpr std::uint64_t stop = 0xffff;  // as number of parts
  std::uint64_t word;

  static std::uint64_t make(std::uint64_t parts) { return parts << 32; }
  std::uint64_t parts() const { return word >> 32; }
  std::uint64_t next() const { return word & 0xffffffff; }
  bool any_left() const { return next() < parts(); }
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
    unfinished_.store(parts, std::memory_order_relaxed);
    failed_part_ = parts;
    publish(static_cast<std::uint64_t>(parts), static_cast<std::size_t>(parts) - 1);
    // Parts that no other thread has begun are done here: a worker that sleeps or has lost its core delays nothing.
    inside_parallel = true;
    while (take_and_run() == Taken::part) {
    }
    inside_parallel = false;
    for (int spins = 0; unfinished_.load(std::memory_order_acquire) != 0;) {
      if (++spins < 2000)
        pause();
      else
        std::this_thread::yield();
    }
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return true;
  }

  // Ends the threads; try_run starts as many as are wanted then, unless `for_good`.
  void stop(bool for_good) {
    const std::lock_guard lock(mutex_);
    closed_ = closed_ || for_good;
    publish(Ticket::stop, workers_.size());
    for (const auto& worker : workers_) worker->thread.join();
    ticket_.store(Ticket::make(0), std::memory_order_relaxed);  // or the next threads would stop, too
    workers_.clear();
    started_for_ = 0;
  }

 private:
  enum class Taken { none, part, stop };

  void publish(std::uint64_t parts, std::size_t wanted_workers) {
    ticket_.store(Ticket::make(parts), std::memory_order_seq_cst);
    for (std::size_t i = 0; i < wanted_workers; ++i) {
      // Sequentially consistent, as in sleep(): either this sees the worker asleep or that sees the new ticket.
      if (workers_[i]->asleep.load(std::memory_order_seq_cst) == 0) continue;
      workers_[i]->asleep.store(0, std::memory_order_seq_cst);
      workers_[i]->asleep.notify_one();
    }
  }

  bool any_left() const { return Ticket{ticket_.load(std::memory_order_seq_cst)}.any_left(); }

  Taken take_and_run() {
    const Ticket taken{ticket_.fetch_add(1, std::memory_order_acq_rel)};
    if (!taken.any_left()) return Taken::none;
    if (taken.parts() == Ticket::stop) return Taken::stop;
    const auto part = static_cast<std::int64_t>(taken.next());
    try {
      job_.run(part);
    } catch (...) {
      note_failure(part);
    }
    unfinished_.fetch_sub(1, std::memory_order_release);
    return Taken::part;
  }

  void note_failure(std::int64_t part) noexcept {
    const std::lock_guard lock(failure_mutex_);
    if (part >= failed_part_) return;
    failed_part_ = part;
    failure_ = std::current_exception();
  }

  void start_workers() {
    const int wanted = num_threads();
    if (started_for_ == wanted) return;
    simd_level();  // an unknown level is an Error here, and not in the middle of what the threads do
    started_for_ = wanted;
    try {
      while (static_cast<int>(workers_.size()) + 1 < wanted) {
        auto worker = std::make_unique<Worker>();
        worker->thread = std::thread(&Pool::work, this, worker.get(), wanted > cores());
        workers_.push_back(std::move(worker));
      }
    } catch (const std::exception&) {
      // The system gives no more threads: work with those there are.
    }
  }

  void work(Worker* self, bool sleep_at_once) {
    inside_parallel = true;
    for (;;) {
      if (sleep_at_once || !spin())
        while (!any_left()) sleep(*self);
      if (take_and_run() == Taken::stop) return;
    }
  }

  // True as soon as there is work, false when there is none for a while.
  bool spin() const {
    const auto end = std::chrono::steady_clock::now() + spin_time;
    do {
      for (int i = 0; i < 64; ++i) {
        if (any_left()) return true;
        pause();
      }
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

  void sleep(Worker& self) {
    self.asleep.store(1, std::memory_order_seq_cst);
    if (!any_left()) self.asleep.wait(1, std::memory_order_seq_cst);
    self.asleep.store(0, std::memory_order_relaxed);
  }

  std::mutex mutex_;
  bool closed_ = false;
  int started_for_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  [[maybe_unused]] Pool* left_behind_;  // reachable, so that it is no leak

  alignas(64) std::atomic<std::uint64_t> ticket_{0};
  Job job_{};
  alignas(64) std::atomic<std::int64_t> unfinished_{0};

  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::int64_t failed_part_ = 0;  // the first part of the job that threw
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

detail::SerialScope::SerialScope() : before_(std::exchange(inside_parallel, true)) {}
detail::SerialScope::~SerialScope() { inside_parallel = before_; }

void set_num_threads(int n) {
  check(n >= 1 && n <= most_threads, "set_num_threads: ", n, " is not between 1 and ", most_threads);
  check(!inside_parallel, "set_num_threads: called inside a parallel_for");
  if (n == num_threads()) return;
  wanted_threads.store(n, std::memory_order_relaxed);
  pool().stop(false);
}

void detail::parallel_ranges(std::int64_t n, std::int64_t grain, RangeFunction function, void* context) {
  if (inside_parallel || num_threads() == 1 || !pool().try_run(n, std::max<std::int64_t>(grain, 1), function, context))
    function(context, 0, n);
}

}  // namespace xgrad
