#include "extrema.hpp"

#include <algorithm>

namespace xgrad::detail {

namespace {

/// Position of the first of n elements for which `is` holds; it does for one. It asks for the second half of the n that
/// follow.
template <class T, class F>
[[gnu::always_inline]] inline std::int64_t find_first(const T* x, std::int64_t n, const F& is) {
  constexpr int block = 64;
  std::int64_t begin = 0;
  for (; begin + block <= n; begin += block) {
    unsigned found = 0;
    for (std::int64_t k = 0; k < block / 2; k += stream_step) prefetch(x + n + (n + begin) / 2 + k);
    for (int k = 0; k < block; ++k) found |= is(x[begin + k]);
    if (found != 0) break;
  }
  const T* const from = x + begin;
  const int left = static_cast<int>(std::min<std::int64_t>(n - begin, block));
  int first = left;
  for (int k = 0; k < left; ++k) {
    const int here = is(from[k]) ? k : left;
    first = here < first ? here : first;
  }
  return begin + first;
}

/// Position of the first of n elements that is `value`, their extreme: NaN if one is.
template <class T>
[[gnu::always_inline]] inline std::int64_t find_extreme(const T* x, std::int64_t n, T value) {
  if (value != value) return find_first(x, n, [](T element) { return element != element; });
  return find_first(x, n, [value](T element) { return element == value; });
}

/// Values and positions for rows of n elements: of pieces that stay in the cache from one search to the other, and then
/// of these.
template <class R, class T = typename R::Element>
void find_in_rows(const R& reduction, const T* x, std::int64_t rows, std::int64_t n, T* values, std::int64_t* to) {
  constexpr std::int64_t most = 4096;
  const std::int64_t pieces = (n - 1) / most + 1;
  const Scratch<T> found_values(pieces > 1 ? rows * pieces : 0);
  const Scratch<std::int64_t> found_at(pieces > 1 ? rows * pieces + rows : 0);
  T* const piece_values = pieces > 1 ? found_values.data() : values;
  std::int64_t* const piece_at = pieces > 1 ? found_at.data() : to;
  parallel_for(rows * pieces, 16384 / std::min(n, most) + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i % pieces * most, size = n - first < most ? n - first : most;
        const T* const from = x + i / pieces * n + first;
        reduce_block(reduction, from, size, 1, 1, from, piece_values + i, {from + size, 2});
        piece_at[i] = find_extreme(from, size, piece_values[i]);
      }
    });
  });
  if (pieces == 1) return;
  std::int64_t* const piece = found_at.data() + rows * pieces;
  find_in_rows(reduction, static_cast<const T*>(piece_values), rows, pieces, values, piece);
  for (std::int64_t row = 0; row < rows; ++row) to[row] = piece[row] * most + piece_at[row * pieces + piece[row]];
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

/// f(reduction) for elements of this type.
template <class F>
auto with_reduction(Extreme which, DType dtype, const F& f) {
  return dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    return which == Extreme::largest ? f(Choosing<T, Extreme::largest>{}) : f(Choosing<T, Extreme::smallest>{});
  });
}

}  // namespace

Tensor extreme_values(Extreme which, const Tensor& x, const ReducedShape& shape) {
  return with_reduction(which, x.dtype(), [&](const auto& reduction) { return run_reduction(reduction, x, shape); });
}

void find_extremes(Extreme which, const Tensor& x, const ReducedSize& size, const Tensor& values, std::int64_t* to) {
  with_reduction(which, x.dtype(), [&](const auto& reduction) {
    using T = typename std::remove_cvref_t<decltype(reduction)>::Element;
    if (values.numel() == 0) return;
    const T* const from = x.data<T>();
    T* const found = values.data<T>();
    if (size.inner == 1) return find_in_rows(reduction, from, size.outer, size.reduced, found, to);
    reduce_axes(reduction, {size.outer, size.reduced, size.inner}, {size.outer, 1, size.inner}, from, found);
    const std::int64_t grain = 16384 / (size.reduced * size.inner) + 1;
    parallel_for(size.outer, grain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        find_in_columns(from + i * size.reduced * size.inner, size.reduced, size.inner, found + i * size.inner,
                        to + i * size.inner);
    });
  });
}

}  // namespace xgrad::detail
