#pragma once
// Memory that tensors share.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "reference.hpp"

namespace xgrad::detail {

/// A counted, 64-byte aligned block of bytes with a version that every change in place raises.
class alignas(64) Storage : public Counted {
 public:
  /// Uninitialised memory. Throws Error when there is none.
  static Reference<Storage> make(std::size_t bytes);
  static void destroy(Storage* storage) noexcept;

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  std::size_t bytes() const noexcept { return bytes_; }
  std::uint32_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
  void raise_version() noexcept { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  explicit Storage(std::size_t bytes) : bytes_(bytes) {}

  std::atomic<std::uint32_t> version_{0};
  std::size_t bytes_;
};

}  // namespace xgrad::detail
