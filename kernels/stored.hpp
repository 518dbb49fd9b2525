#pragma once
// Dense memory of elements that a kernel computes with, or of 16 bits. A kernel reads and writes a stretch of it at a
// time; one of 16 bits is converted in a buffer that stays in the cache while it is worked on.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../array/array.hpp"

namespace xgrad::detail {

/// Elements of type T, or of a dtype that is computed in T. Made of a pointer to T or of a dense array.
template <class T>
class Stored {
 public:
  Stored() = default;  // no elements
  Stored(T* data) : data_(reinterpret_cast<std::byte*>(data)) {}
  Stored(const T* data) : Stored(const_cast<T*>(data)) {}
  Stored(const Array& array) : Stored(array.dtype, array.data) {}
  Stored(DType dtype, const std::byte* data) : data_(const_cast<std::byte*>(data)) {
    if (dtype == dtype_of<T>()) return;
    check(compute_dtype(dtype) == dtype_of<T>(), "kernel: elements of ", dtype, " are not computed in ", dtype_of<T>());
    widen_ = conversion(dtype, dtype_of<T>());
    narrow_ = conversion(dtype_of<T>(), dtype);
    item_size_ = static_cast<std::int64_t>(item_size(dtype));
  }

  explicit operator bool() const { return data_ != nullptr; }
  /// Whether buffers are needed, of the length of a stretch.
  bool is_converted() const { return widen_ != nullptr; }
  /// The elements from this one on.
  Stored from(std::int64_t at) const {
    Stored rest = *this;
    rest.data_ += at * item_size_;
    return rest;
  }

  /// Elements [at, at + n): where they lie, or converted in `buffer`.
  [[gnu::always_inline]] const T* read(std::int64_t at, std::int64_t n, T* buffer) const {
    if (!widen_) [[likely]]
      return reinterpret_cast<const T*>(data_) + at;
    std::byte* const pointers[] = {reinterpret_cast<std::byte*>(buffer), data_ + at * item_size_};
    widen_(nullptr, n, pointers);
    return buffer;
  }
  /// Where elements from `at` on are written to: their place, or `buffer`, from which written() brings them there.
  [[gnu::always_inline]] T* target(std::int64_t at, T* buffer) const {
    return widen_ ? buffer : reinterpret_cast<T*>(data_) + at;
  }
  [[gnu::always_inline]] void written(std::int64_t at, std::int64_t n, T* buffer) const {
    if (!widen_) [[likely]]
      return;
    std::byte* const pointers[] = {data_ + at * item_size_, reinterpret_cast<std::byte*>(buffer)};
    narrow_(nullptr, n, pointers);
  }
  /// Asks memory for a stretch of elements of 16 bits that comes soon, or for its beginning.
  void prefetch(std::int64_t at, std::int64_t n) const {
    constexpr std::int64_t line = 64, most = 1024;  // bytes
    for (std::int64_t i = 0; i < std::min(n * item_size_, most); i += line)
      __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(data_) +
                                                       static_cast<std::uintptr_t>(at * item_size_ + i)));
  }

 private:
  std::byte* data_ = nullptr;
  std::int64_t item_size_ = sizeof(T);
  DenseLoop widen_ = nullptr, narrow_ = nullptr;
};

}  // namespace xgrad::detail
