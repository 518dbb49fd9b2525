#pragma once
// Batches read ahead by threads.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "dataset.hpp"

namespace xgrad::data {

/// Reads batches 0 to count - 1 by several threads, at most two a thread ahead of what was taken, and gives them out in
/// order. Its end waits for those that are being read.
class Prefetcher {
 public:
  /// `read` is called by several threads at once. Throws Error where no thread can be started.
  Prefetcher(std::int64_t count, int workers, std::function<Batch(std::int64_t number)> read);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next batch. Throws what `read` threw for it.
  Batch take();

 private:
  struct Slot {
    bool ready = false;
    Batch batch;
    std::exception_ptr error;
  };
  Slot& slot(std::int64_t number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }
  void work();
  void stop() noexcept;

  const std::int64_t count_;
  const std::function<Batch(std::int64_t)> read_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::int64_t begun_ = 0, taken_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace xgrad::data
