#pragma once
// Intrusive reference counting.

#include <atomic>
#include <cstdint>
#include <utility>

namespace xgrad::detail {

/// A count that starts at one. A type that Reference<T> can hold derives from it and has a static `destroy(T*)`.
class Counted {
 public:
  void retain() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  /// True when this was the last reference.
  bool release() noexcept { return unique() || count_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  bool unique() const noexcept { return count_.load(std::memory_order_acquire) == 1; }

 protected:
  Counted() = default;
  ~Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::uint32_t> count_{1};
};

/// Owning pointer to a Counted object.
template <class T>
class Reference {
 public:
  Reference() = default;
  Reference(const Reference& other) noexcept : object_(other.object_) {
    if (object_) object_->retain();
  }
  Reference(Reference&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Reference& operator=(Reference other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  [[gnu::always_inline]] ~Reference() {  // mostly of what was moved
    if (object_) let_go();
  }

  /// Takes over the reference that a new object starts with.
  static Reference adopt(T* object) noexcept {
    Reference reference;
    reference.object_ = object;
    return reference;
  }
  /// Another reference to a living object.
  static Reference share(T* object) noexcept {
    object->retain();
    return adopt(object);
  }

  T* get() const noexcept { return object_; }
  /// Gives up the object without counting.
  T* leak() noexcept { return std::exchange(object_, nullptr); }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Reference& a, const Reference& b) noexcept { return a.object_ == b.object_; }

 private:
  void let_go() noexcept {
    if (object_->release()) T::destroy(object_);
  }

  T* object_ = nullptr;
};

}  // namespace xgrad::detail
