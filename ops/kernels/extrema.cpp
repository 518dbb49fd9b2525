#include "extrema.hpp"

#include <algorithm>

namespace xgrad::detail {

namespace {

/// Position of the first of n elements for which `is` holds; it does for one. Without a branch, which would be foretold
/// wrongly.
template <class T, class F>
[[gnu::always_inline]] inline int find_first(const T* x, int n, const F& is) {
  int first = n;
  for (int k = 0; k < n; ++k) {
    const int here = is(x[k]) ? k : n;
    first = here < first ? here : first;
  }
  return first;
}

/// Position of the first of n elements that is `value`, their extreme: NaN if one is.
template <class T>
[[gnu::always_inline]] inline int find_extreme(const T* x, int n, T value) {
  if (value != value) return find_first(x, n, [](T element) { return element != element; });
  return find_first(x, n, [value](T element) { return element == value; });
}

constexpr std::int64_t longest_piece = 4096;

/// Value and position for n elements, at most longest_piece: found in blocks, of which one is then searched while it is
/// in the cache.
template <class R, class T = typename R::Element>
[[gnu::always_inline]] inline void find_in_piece(const R& reduction, const T* x, std::int64_t n, T* value,
                                                 std::int64_t* to) {
  constexpr int block = 512;
  constexpr std::int64_t ahead = 3 * stream_ahead;  // far, for nothing is asked for during the search
  const int blocks = static_cast<int>((n - 1) / block + 1), rest = static_cast<int>(n - (blocks - 1) * block);
  T extremes[longest_piece / block];
  for (int i = 0; i < blocks; ++i) {
    const T* const from = x + i * block;
    extremes[i] = reduce_row(reduction, from, i < blocks - 1 ? block : rest, T{}, {from + ahead});
    *value = i == 0 ? extremes[0] : R::combine(*value, extremes[i]);
  }
  const int at = find_extreme(extremes, blocks, *value) * block;
  *to = at + find_extreme(x + at, n - at < block ? rest : block, *value);
}

/// Values and positions for rows of n elements: of their pieces, and then of these.
template <class R, class T = typename R::Element>
void find_in_rows(const R& reduction, const T* x, std::int64_t rows, std::int64_t n, T* values, std::int64_t* to) {
  const std::int64_t pieces = (n - 1) / longest_piece + 1;
  const Scratch<T> found_values(pieces > 1 ? rows * pieces : 0);
  const Scratch<std::int64_t> found_at(pieces > 1 ? rows * pieces + rows : 0);
  T* const piece_values = pieces > 1 ? found_values.data() : values;
  std::int64_t* const piece_at = pieces > 1 ? found_at.data() : to;
  parallel_for(rows * pieces, 16384 / std::min(n, longest_piece) + 1, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i % pieces * longest_piece, left = n - first;
        find_in_piece(reduction, x + i / pieces * n + first, left < longest_piece ? left : longest_piece,
                      piece_values + i, piece_at + i);
      }
    });
  });
  if (pieces == 1) return;
  std::int64_t* const piece = found_at.data() + rows * pieces;
  find_in_rows(reduction, static_cast<const T*>(piece_values), rows, pieces, values, piece);
  for (std::int64_t row = 0; row < rows; ++row)
    to[row] = piece[row] * longest_piece + piece_at[row * pieces + piece[row]];
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
