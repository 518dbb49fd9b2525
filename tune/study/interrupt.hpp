#pragma once

namespace xgrad::tune::detail {

/// While one lives, the first SIGINT or SIGTERM is only taken note of; a second one ends the process. A signal that the
/// process ignores stays ignored.
class InterruptGuard {
 public:
  [[nodiscard]] explicit InterruptGuard(bool catch_signals);
  /// Puts the handlers back that there were before the first guard.
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;

 private:
  bool catches_;
};

/// The signal that was noted, or 0.
int interrupted();

/// Raises the noted signal, if there is one and no guard lives.
void raise_noted_signal();

}  // namespace xgrad::tune::detail
