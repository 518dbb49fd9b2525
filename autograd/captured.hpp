#pragma once
// Which tensors from outside a function used.

#include <vector>

#include "node.hpp"

namespace xgrad::detail {

/// While it lives, the tensors are noted that operations recorded in this thread take from what was recorded before:
/// a function's inputs, and what it captured. Scopes nest; each notes for itself.
class CaptureScope {
 public:
  CaptureScope() : first_(last_sequence()), outer_(current_) { current_ = this; }
  ~CaptureScope() { current_ = outer_; }
  CaptureScope(const CaptureScope&) = delete;
  CaptureScope& operator=(const CaptureScope&) = delete;

  /// An operation that is being recorded uses a tensor that requires a gradient.
  static void note(const Tensor& input) {
    if (current_) [[unlikely]]
      note_in_all(input);
  }
  const std::vector<Tensor>& tensors() const { return tensors_; }

  /// While it lives, nothing is noted.
  class Pause {
   public:
    Pause() : paused_(current_) { current_ = nullptr; }
    ~Pause() { current_ = paused_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    CaptureScope* const paused_;
  };

 private:
  static void note_in_all(const Tensor& input);

  static inline constinit thread_local CaptureScope* current_ = nullptr;

  const std::uint64_t first_;
  CaptureScope* const outer_;
  std::vector<Tensor> tensors_;
};

}  // namespace xgrad::detail
