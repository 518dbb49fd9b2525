#include "prefetcher.hpp"

#include <system_error>

#include "../core/parallel.hpp"

namespace xgrad::data {

Prefetcher::Prefetcher(std::int64_t count, int workers, std::function<Batch(std::int64_t)> read)
    : count_(count), read_(std::move(read)), slots_(2 * static_cast<std::size_t>(workers)) {
  try {
    for (int i = 0; i < workers && i < count; ++i) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    stop();
    fail("DataLoader: no thread can be started for a worker: ", error.what());
  }
}

Prefetcher::~Prefetcher() { stop(); }

void Prefetcher::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Prefetcher::work() {
  const xgrad::detail::SerialScope serial;  // the pool belongs to the training
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] {
      return stopped_ || begun_ == count_ || begun_ < taken_ + static_cast<std::int64_t>(slots_.size());
    });
    if (stopped_ || begun_ == count_) return;
    const std::int64_t number = begun_++;
    lock.unlock();
    Slot read;
    try {
      read.batch = read_(number);
    } catch (...) {
      read.error = std::current_exception();
    }
    read.ready = true;
    lock.lock();
    slot(number) = std::move(read);
    changed_.notify_all();
  }
}

Batch Prefetcher::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return slot(taken_).ready; });
  const Slot taken = std::exchange(slot(taken_), Slot());
  ++taken_;
  lock.unlock();
  changed_.notify_all();
  if (taken.error) std::rethrow_exception(taken.error);
  return taken.batch;
}

}  // namespace xgrad::data
