#include "interrupt.hpp"

#include <signal.h>

#include <atomic>
#include <mutex>

namespace xgrad::tune::detail {

namespace {

constexpr int signals[] = {SIGINT, SIGTERM};

std::atomic<int> noted = 0;
static_assert(std::atomic<int>::is_always_lock_free, "it is written by a signal handler");

std::mutex mutex;
int guards = 0;
struct sigaction before[2];

void note(int signal) {
  if (noted.exchange(signal) == 0) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

InterruptGuard::InterruptGuard(bool catch_signals) : catches_(catch_signals) {
  if (!catches_) return;
  const std::lock_guard lock(mutex);
  if (guards++ > 0) return;
  noted = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (int i = 0; i < 2; ++i) {
    ::sigaction(signals[i], nullptr, &before[i]);
    // A shell has programs in the background ignore SIGINT: Ctrl-C is meant for another one.
    if (before[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  if (!catches_) return;
  const std::lock_guard lock(mutex);
  if (--guards > 0) return;
  for (int i = 0; i < 2; ++i) ::sigaction(signals[i], &before[i], nullptr);
}

int interrupted() { return noted; }

void raise_noted_signal() {
  int signal = 0;
  {
    const std::lock_guard lock(mutex);
    if (guards == 0) signal = noted.exchange(0);
  }
  if (signal != 0) ::raise(signal);
}

}  // namespace xgrad::tune::detail
