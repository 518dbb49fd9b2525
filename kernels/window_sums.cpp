#include "window_sums.hpp"

#include <algorithm>

namespace xgrad::detail {

template <class T>
void window_sums(const ReducedSize& size, std::int64_t before, std::int64_t after, const T* from, T* to) {
  const std::int64_t plane = size.reduced * size.inner;
  parallel_for(size.outer, 16384 / std::max<std::int64_t>(plane, 1) + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t outer = begin; outer < end; ++outer) {
        const T* const x = from + outer * plane;
        T* const sums = to + outer * plane;
        for (std::int64_t i = 0; i < plane; ++i) sums[i] = 0;
        for (std::int64_t shift = -before; shift <= after; ++shift) {
          const std::int64_t off = shift * size.inner, first = off < 0 ? -off : 0, last = off > 0 ? plane - off : plane;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = first; i < last; ++i) sums[i] += x[i + off];
        }
      }
    });
  });
}

template void window_sums(const ReducedSize&, std::int64_t, std::int64_t, const float*, float*);
template void window_sums(const ReducedSize&, std::int64_t, std::int64_t, const double*, double*);

}  // namespace xgrad::detail
