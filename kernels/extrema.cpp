#include "extrema.hpp"

#include <algorithm>
#include <limits>

namespace xgrad::detail {

namespace {

/// The reduction to the largest element, NaN where there is one; or to the smallest, which is the largest of elements
/// in reverse order: a third of the code.
template <class T>
struct Choosing {
  using Element = T;
  using Partial = T;
  static constexpr bool centred = false;
  static constexpr T identity =
      std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  T order;  // 1 or -1 for floating elements, 0 or -1 for integers
  explicit Choosing(Extreme which)
      : order(which == Extreme::smallest    ? T(-1)
              : std::is_floating_point_v<T> ? T(1)
                                            : T(0)) {}
  /// Its own inverse.
  [[gnu::always_inline]] T reversed(T x) const {
    if constexpr (std::is_floating_point_v<T>)
      return x * order;
    else
      return x ^ order;
  }
  [[gnu::always_inline]] T lift(T x, T) const { return reversed(x); }
  [[gnu::always_inline]] static T combine(T a, T b) {
    const T better = a > b ? a : b;  // b where either is NaN
    return a != a ? a : better;
  }
};

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

/// Position of the first of n elements that is, lifted, `value`, their extreme: NaN if one is.
template <class R, class T>
[[gnu::always_inline]] inline int find_extreme(const R& reduction, const T* x, int n, T value) {
  if (value != value) return find_first(x, n, [](T element) { return element != element; });
  return find_first(
      x, n, [=](T element) __attribute__((always_inline)) { return reduction.lift(element, T{}) == value; });
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
  const int at = find_extreme(again(reduction), extremes, blocks, *value) * block;
  *to = at + find_extreme(reduction, x + at, n - at < block ? rest : block, *value);
}

/// Values, as they are lifted, and positions for rows of n elements: of their pieces, and then of these.
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
  find_in_rows(Choosing<T>(Extreme::largest), static_cast<const T*>(piece_values), rows, pieces, values, piece);
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

/// f(reduction) for elements of a type that is computed with.
template <class F>
auto with_reduction(Extreme which, DType dtype, const F& f) {
  return dispatch_compute(dtype, [&](auto zero) { return f(Choosing<decltype(zero)>(which)); });
}

}  // namespace

Array extreme_values(Extreme which, const Array& x, const ReducedShape& shape) {
  return with_reduction(which, x.dtype, [&](const auto& reduction) {
    using T = typename std::remove_cvref_t<decltype(reduction)>::Element;
    const Array out = run_reduction(reduction, x, shape);
    change_elements<T>(out, [reduction](T value) { return reduction.reversed(value); });
    return as_dtype(out, x.dtype);
  });
}

void find_extremes(Extreme which, const Array& x, const ReducedSize& size, const Array& values, std::int64_t* to) {
  if (const DType computed = compute_dtype(x.dtype); x.dtype != computed) {
    const Array found = make_array(values.shape, computed);
    find_extremes(which, as_dtype(x, computed), size, found, to);
    return overwrite(values, found);
  }
  with_reduction(which, x.dtype, [&](const auto& reduction) {
    using T = typename std::remove_cvref_t<decltype(reduction)>::Element;
    if (values.numel == 0) return;
    const T* const from = first_element<T>(x);
    T* const found = first_element<T>(values);
    const auto bring_back = [&] {
      change_elements<T>(values, [reduction](T value) { return reduction.reversed(value); });
    };
    if (size.inner == 1) {
      find_in_rows(reduction, from, size.outer, size.reduced, found, to);
      return bring_back();
    }
    reduce_axes(reduction, {size.outer, size.reduced, size.inner}, {size.outer, 1, size.inner}, from, found);
    bring_back();
    const std::int64_t grain = 16384 / (size.reduced * size.inner) + 1;
    parallel_for(size.outer, grain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        find_in_columns(from + i * size.reduced * size.inner, size.reduced, size.inner, found + i * size.inner,
                        to + i * size.inner);
    });
  });
}

}  // namespace xgrad::detail
