#pragma once
// What each thread has for itself, at the end of its life too.

#include <new>
#include <utility>

namespace xgrad::detail {

/// The calling thread's own T, made at its first use. Null where there is no memory, and once it was destroyed: other
/// thread_local objects, and in the main thread the static ones, are destroyed later and may still do all they did.
template <class T>
T* of_this_thread() noexcept {
  static constinit thread_local T* object = nullptr;
  static constinit thread_local bool ended = false;
  if (!object && !ended) [[unlikely]] {
    struct AtThreadEnd {
      ~AtThreadEnd() {
        ended = true;
        delete std::exchange(object, nullptr);
      }
    };
    static thread_local AtThreadEnd at_thread_end;
    object = new (std::nothrow) T;
  }
  return object;
}

}  // namespace xgrad::detail
