#include "backward_observer.hpp"

#include <mutex>
#include <utility>

namespace xgrad::detail {

namespace {

constinit std::mutex observers;  // guards the list of those who look on

}  // namespace

constinit std::atomic<BackwardObserver*> BackwardObserver::first_ = nullptr;

void BackwardObserver::observe() noexcept {
  leave();
  const std::lock_guard lock(observers);
  thread_ = std::this_thread::get_id();
  next_ = first_;
  first_ = this;
}

void BackwardObserver::leave() noexcept {
  const std::lock_guard lock(observers);
  if (std::exchange(thread_, {}) == std::thread::id()) return;
  if (first_ == this) {
    first_ = next_;
    return;
  }
  BackwardObserver* before = first_;
  while (before->next_ != this) before = before->next_;
  before->next_ = next_;
}

void BackwardObserver::tell_all(const Tensor& root) {
  const std::lock_guard lock(observers);
  for (BackwardObserver* observer = first_; observer; observer = observer->next_)
    if (observer->thread_ == std::this_thread::get_id()) observer->saw_backward(root);
}

}  // namespace xgrad::detail
