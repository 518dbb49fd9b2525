#pragma once
// A timeline of the operations of a program, for chrome://tracing and https://ui.perfetto.dev.

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "../core/call_site.hpp"

namespace xgrad {

/// Paths of modules, by where in memory what they consist of is: see nn::module_paths.
using ModulePaths = std::unordered_map<const void*, std::string>;

/// While it lives, every operation, every step of a backward pass and every step of an optimizer is noted, in all
/// threads, and so is every copy that one of them makes because elements do not lie in memory as it needs them
/// (category "layout"); its end writes them to a file as a Chrome trace (JSON), with times, shapes, threads, the lines
/// that called them, and the modules of a model that they are part of, their backward included.
/// `{ const Profile profile("trace.json", nn::module_paths(net)); train_one_step(); }`
class Profile {
 public:
  /// Throws Error when the file cannot be written, and while another Profile lives.
  [[nodiscard]] explicit Profile(const std::string& path, ModulePaths modules = {});
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

/// While it lives, the operations of its thread are part of a module, if the running Profile knows it; of several, of
/// the innermost. Costs one load and a branch while there is no Profile.
class ModuleScope {
 public:
  /// `place` is the address of a tensor of the module, or of a layer of a Sequential.
  [[nodiscard]] explicit ModuleScope(const void* place) {
    if (profiling.load(std::memory_order_relaxed)) [[unlikely]]
      begin(place);
  }
  ~ModuleScope() {
    if (begun_) [[unlikely]]
      end();
  }
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  void begin(const void* place);
  void end() noexcept;

  bool begun_ = false;
  const void* outer_ = nullptr;
};

/// Notes that the operation that runs in this thread was recorded as `node`. Only while there is a Profile.
void profile_recorded(const void* node) noexcept;

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
  /// The event is the backward of this node.
  void set_node(const void* node);
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
