#pragma once
// What operations with tensors of indices have in common.

#include "../autograd/tensor.hpp"

namespace xgrad::detail {

/// The indices as dense memory. Throws Error in the name of `op`, with position and value, for one that is not within
/// axis `axis` of `shape`, and for a dtype other than int64.
Tensor checked_index(const char* op, const Tensor& index, const Shape& shape, std::size_t axis);

/// a + b; integers wrap around.
template <class T>
T plus(T a, T b) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return static_cast<T>(a + b);
}

}  // namespace xgrad::detail
