#pragma once

#include <atomic>
#include <thread>

#include "tensor.hpp"

namespace xgrad::detail {

/// Who looks on at the calls of backward() in one thread.
class BackwardObserver {
 public:
  BackwardObserver(const BackwardObserver&) = delete;
  BackwardObserver& operator=(const BackwardObserver&) = delete;

 protected:
  BackwardObserver() = default;
  ~BackwardObserver() = default;
  /// Looks on, from now to leave(), at those in this thread.
  void observe() noexcept;
  /// In any thread; before what saw_backward() uses is gone.
  void leave() noexcept;

 private:
  friend class xgrad::Tensor;
  virtual void saw_backward(const Tensor& root) = 0;
  static void tell_all(const Tensor& root);

  static std::atomic<BackwardObserver*> first_;
  BackwardObserver* next_ = nullptr;
  std::thread::id thread_;  // none while it does not look on
};

}  // namespace xgrad::detail
