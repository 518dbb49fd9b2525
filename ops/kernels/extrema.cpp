#include "extrema.hpp"

namespace xgrad::detail {

namespace {

template <class T>
void find_in_rows(const T* x, std::int64_t n, const T* values, std::int64_t* to, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t block = 64;
  vectorized([=] {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* const from = x + row * n;
      const T value = values[row];
      std::int64_t i = 0;
      for (; i + block <= n; i += block) {
        unsigned found = 0;
        for (std::int64_t k = 0; k < block; ++k) found |= (from[i + k] == value) | (from[i + k] != from[i + k]);
        if (found != 0) break;
      }
      while (i < n - 1 && from[i] != value && from[i] == from[i]) ++i;
      to[row] = i;
    }
  });
}

template <class T>
void find_in_columns(const T* x, std::int64_t rows, std::int64_t inner, const T* values, std::int64_t* to) {
  vectorized([=] {
    for (std::int64_t i = 0; i < inner; ++i) to[i] = 0;
    for (std::int64_t row = rows; row-- > 0;) {
      const T* const from = x + row * inner;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < inner; ++i) to[i] = ((from[i] == values[i]) | (from[i] != from[i])) ? row : to[i];
    }
  });
}

}  // namespace

Tensor extreme_values(Extreme which, const Tensor& x, const ReducedShape& shape) {
  return dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return which == Extreme::largest ? run_reduction(Choosing<T, Extreme::largest>{}, x, shape)
                                     : run_reduction(Choosing<T, Extreme::smallest>{}, x, shape);
  });
}

void find_values(const Tensor& x, const ReducedSize& size, const Tensor& values, std::int64_t* to) {
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *const from = x.data<T>(), *const wanted = values.data<T>();
    const std::int64_t grain = 16384 / std::max<std::int64_t>(size.reduced * size.inner, 1) + 1;
    parallel_for(size.outer, grain, [=](std::int64_t begin, std::int64_t end) {
      if (size.inner == 1) return find_in_rows(from, size.reduced, wanted, to, begin, end);
      for (std::int64_t i = begin; i < end; ++i)
        find_in_columns(from + i * size.reduced * size.inner, size.reduced, size.inner, wanted + i * size.inner,
                        to + i * size.inner);
    });
  });
}

}  // namespace xgrad::detail
