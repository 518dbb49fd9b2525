#pragma once
// Memory that tensors share.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "call_site.hpp"
#include "reference.hpp"

namespace xgrad::detail {

/// The last change in place that some memory saw.
struct Change {
  const char* op = nullptr;  // null when not known
  CallSite site;
};

/// A counted, 64-byte aligned block of bytes with a version that every change in place raises.
class alignas(64) Storage : public Counted {
 public:
  /// Uninitialised memory. Throws Error when there is none.
  static Reference<Storage> make(std::size_t bytes);
  /// Memory of another owner, which is kept while the storage lives.
  static Reference<Storage> lent(std::shared_ptr<void> memory, std::size_t bytes);
  static void destroy(Storage* storage) noexcept;

  std::byte* data() noexcept {
    return lent_ ? static_cast<std::byte*>(lent_.get()) : reinterpret_cast<std::byte*>(this + 1);
  }
  std::size_t bytes() const noexcept { return bytes_; }
  std::uint32_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
  /// Notes that the elements were changed in place by the operation `op` (whose name must last), called where the
  /// thread's call site says.
  void raise_version(const char* op = nullptr) noexcept {
    note_change(op);
    version_.fetch_add(1, std::memory_order_relaxed);
  }
  /// Names the operation to which the last change belongs.
  void note_change(const char* op) noexcept { last_change_ = {op, call_site}; }
  const Change& last_change() const noexcept { return last_change_; }

 private:
  explicit Storage(std::size_t bytes) : bytes_(bytes) {}

  std::atomic<std::uint32_t> version_{0};
  std::size_t bytes_;
  Change last_change_;
  std::shared_ptr<void> lent_;  // null where the bytes are behind this header
};
static_assert(sizeof(Storage) == 64);

}  // namespace xgrad::detail
