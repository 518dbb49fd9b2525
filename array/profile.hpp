#pragma once
// A timeline of the operations of a program, for chrome://tracing and https://ui.perfetto.dev.

#include <atomic>
#include <memory>
#include <string>

#include "../core/call_site.hpp"

namespace xgrad {

/// While it lives, every operation, every step of a backward pass and every step of an optimizer is noted, in all
/// threads, and so is every copy that one of them makes because elements do not lie in memory as it needs them
/// (category "layout"); its end writes them to a file as a Chrome trace (JSON), with times, shapes, threads and the
/// lines that called them.
/// `{ const Profile profile("trace.json"); train_one_step(); }`
class Profile {
 public:
  /// Throws Error when the file cannot be written, and while another Profile lives.
  [[nodiscard]] explicit Profile(const std::string& path);
  /// finish(), but what it would throw is written to standard error.
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Stops, and writes the file. Throws Error when that fails. Does nothing the second time.
  void finish();

 private:
  struct Output;
  std::unique_ptr<Output> output_;
};

namespace detail {

struct Array;

inline constinit std::atomic<bool> profiling{false};

/// A bar in the timeline: from its construction to its end. Costs one load and a branch while there is no Profile.
class ProfileEvent {
 public:
  /// `category` is "forward", "backward", "optimizer" or "layout"; both texts must last until the end.
  [[nodiscard]] ProfileEvent(const char* name, const char* category) {
    if (profiling.load(std::memory_order_relaxed)) [[unlikely]]
      begin(name, category);
  }
  ~ProfileEvent() {
    if (bar_) [[unlikely]]
      end();
  }
  ProfileEvent(const ProfileEvent&) = delete;
  ProfileEvent& operator=(const ProfileEvent&) = delete;

  explicit operator bool() const { return bar_ != nullptr; }
  // Their shapes are shown; null is an undefined tensor. Only while the event is true.
  void add_input(const Array* array);
  void add_output(const Array* array);

 private:
  struct Bar;
  void begin(const char* name, const char* category);
  void end() noexcept;

  Bar* bar_ = nullptr;
};

}  // namespace detail

}  // namespace xgrad
