// Elements converted from one type to another, dense memory to dense memory.

#include <cstring>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "strided.hpp"

namespace xgrad::detail {

namespace {

template <class T>
void copy(const void*, std::int64_t n, std::byte* const* pointers) {
  std::memcpy(pointers[0], pointers[1], static_cast<std::size_t>(n) * sizeof(T));
}

/// Between a type and the one that it is computed in; these pairs stand in the way of every operation.
template <class A, class B>
inline constexpr bool is_staging =
    std::is_same_v<typename ElementRow<A>::Compute, B> || std::is_same_v<typename ElementRow<B>::Compute, A>;

template <class From, class To>
void convert(const void*, std::int64_t n, std::byte* const* pointers) {
  To* const out = reinterpret_cast<To*>(pointers[0]);
  const From* const in = reinterpret_cast<const From*>(pointers[1]);
  const auto loop = [=]() __attribute__((always_inline)) {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < n; ++i) out[i] = element_cast<To>(in[i]);
  };
  if constexpr (is_staging<From, To>)
    vectorized(loop);
  else
    loop();
}

}  // namespace

DenseLoop conversion(DType from, DType to) {
  if (from == to) return dispatch_size(item_size(from), [](auto zero) -> DenseLoop { return copy<decltype(zero)>; });
  return dispatch(to, [&](auto to_zero) {
    return dispatch(from, [&](auto from_zero) -> DenseLoop {
      using From = decltype(from_zero);
      using To = decltype(to_zero);
      if constexpr (std::is_same_v<From, To>)
        return nullptr;
      else
        return convert<From, To>;
    });
  });
}

void convert_elements(std::int64_t n, DType from_dtype, const std::byte* from, DType to_dtype, std::byte* to) {
  const DenseLoop loop = conversion(from_dtype, to_dtype);
  parallel_for(n, 65536, [=](std::int64_t begin, std::int64_t end) {
    std::byte* const pointers[] = {
        to + static_cast<std::size_t>(begin) * item_size(to_dtype),
        const_cast<std::byte*>(from) + static_cast<std::size_t>(begin) * item_size(from_dtype)};
    loop(nullptr, end - begin, pointers);
  });
}

}  // namespace xgrad::detail
