#pragma once
// Small matrices side by side: element e of matrix i lies at [e * lanes + i], so that each step of an algorithm is one
// vector operation for all of them. To be called inside vectorized().

#include <cstdint>

#include "../core/instruction_set.hpp"

namespace xgrad::detail::small {

/// The largest order of a matrix, and number of right-hand sides at a time.
inline constexpr std::int64_t limit = 16;
/// How many matrices lie side by side.
template <class T>
inline constexpr std::int64_t lanes = 64 / sizeof(T);

/// Room for `lanes` matrices.
template <class T>
struct alignas(64) Block {
  T elements[limit * limit * lanes<T>];
  [[gnu::always_inline]] T* at(std::int64_t element) { return elements + element * lanes<T>; }
  [[gnu::always_inline]] const T* at(std::int64_t element) const { return elements + element * lanes<T>; }
};

/// Where matrices lie in memory: element (i, j) of one at i * row + j * column, the next one `matrix` further.
struct Layout {
  std::int64_t row, column, matrix;
};

/// `used` matrices (rows, columns) to a block; the other lanes hold the identity.
template <class T>
[[gnu::always_inline]] inline void load(std::int64_t rows, std::int64_t columns, const T* from, Layout layout,
                                        std::int64_t used, Block<T>& to) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      T* const at = to.at(i * columns + j);
      const T* const element = from + i * layout.row + j * layout.column;
      if (used == lanes<T>)
        for (std::int64_t lane = 0; lane < lanes<T>; ++lane) at[lane] = element[lane * layout.matrix];
      else
        for (std::int64_t lane = 0; lane < lanes<T>; ++lane)
          at[lane] = lane < used ? element[lane * layout.matrix] : i == j ? T(1) : T(0);
    }
}

template <class T>
[[gnu::always_inline]] inline void store(std::int64_t rows, std::int64_t columns, const Block<T>& from, T* to,
                                         Layout layout, std::int64_t used) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      const T* const at = from.at(i * columns + j);
      T* const element = to + i * layout.row + j * layout.column;
      for (std::int64_t lane = 0; lane < used; ++lane) element[lane * layout.matrix] = at[lane];
    }
}

/// b -= a * c, in every lane.
template <class T>
[[gnu::always_inline]] inline void subtract_product(T* b, const T* a, const T* c) {
  XGRAD_INDEPENDENT_ITERATIONS
  for (std::int64_t lane = 0; lane < lanes<T>; ++lane) b[lane] -= a[lane] * c[lane];
}

/// Cholesky factors in the lower triangles, zeros above. `info[lane]` is the order of the first leading minor that is
/// not positive, else 0.
template <class T>
[[gnu::always_inline]] inline void cholesky(std::int64_t n, Block<T>& a, int* info) {
  for (std::int64_t j = 0; j < n; ++j) {
    T* const diagonal = a.at(j * n + j);
    for (std::int64_t k = 0; k < j; ++k) subtract_product(diagonal, a.at(j * n + k), a.at(j * n + k));
    for (std::int64_t lane = 0; lane < lanes<T>; ++lane)
      if (!(diagonal[lane] > 0) && info[lane] == 0) info[lane] = static_cast<int>(j + 1);
    for (std::int64_t lane = 0; lane < lanes<T>; ++lane) diagonal[lane] = __builtin_sqrt(diagonal[lane]);
    for (std::int64_t i = j + 1; i < n; ++i) {
      T* const below = a.at(i * n + j);
      for (std::int64_t k = 0; k < j; ++k) subtract_product(below, a.at(i * n + k), a.at(j * n + k));
      for (std::int64_t lane = 0; lane < lanes<T>; ++lane) below[lane] /= diagonal[lane];
      T* const above = a.at(j * n + i);
      for (std::int64_t lane = 0; lane < lanes<T>; ++lane) above[lane] = 0;
    }
  }
}

template <class T>
[[gnu::always_inline]] inline void exchange_rows(std::int64_t columns, Block<T>& a, std::int64_t lane, std::int64_t i,
                                                 std::int64_t j) {
  if (i == j) return;
  for (std::int64_t column = 0; column < columns; ++column) {
    T& x = a.at(i * columns + column)[lane];
    T& y = a.at(j * columns + column)[lane];
    const T before = x;
    x = y;
    y = before;
  }
}

/// L and U in place, with the exchanges of rows as they were made, lane by lane; `info[lane]` is the number of the
/// first pivot that is 0, counted from 1, else 0.
template <class T>
[[gnu::always_inline]] inline void lu_factor(std::int64_t m, std::int64_t n, Block<T>& a, int (*pivots)[lanes<T>],
                                             int* info) {
  for (std::int64_t j = 0; j < m && j < n; ++j) {
    T largest[lanes<T>], divisor[lanes<T>];
    int row[lanes<T>];
    for (std::int64_t lane = 0; lane < lanes<T>; ++lane) {
      largest[lane] = __builtin_fabs(a.at(j * n + j)[lane]);
      row[lane] = static_cast<int>(j);
    }
    for (std::int64_t i = j + 1; i < m; ++i)
      for (std::int64_t lane = 0; lane < lanes<T>; ++lane) {
        const T size = __builtin_fabs(a.at(i * n + j)[lane]);
        row[lane] = size > largest[lane] ? static_cast<int>(i) : row[lane];
        largest[lane] = size > largest[lane] ? size : largest[lane];
      }
    for (std::int64_t lane = 0; lane < lanes<T>; ++lane) {
      exchange_rows(n, a, lane, j, row[lane]);
      pivots[j][lane] = row[lane];
      const T pivot = a.at(j * n + j)[lane];
      if (pivot == 0 && info[lane] == 0) info[lane] = static_cast<int>(j + 1);
      divisor[lane] = pivot == 0 ? T(1) : pivot;
    }
    for (std::int64_t i = j + 1; i < m; ++i) {
      T* const factor = a.at(i * n + j);
      for (std::int64_t lane = 0; lane < lanes<T>; ++lane) factor[lane] /= divisor[lane];
      for (std::int64_t k = j + 1; k < n; ++k) subtract_product(a.at(i * n + k), factor, a.at(j * n + k));
    }
  }
}

/// Replaces b (n, k) by the solution for the triangular matrices whose element (i, j) is element i * row + j * column
/// of a block: rows from the first on, or from the last with `upper`.
template <class T>
[[gnu::always_inline]] inline void solve_triangular(bool upper, bool unit, std::int64_t n, std::int64_t k,
                                                    const Block<T>& a, std::int64_t row, std::int64_t column,
                                                    Block<T>& b) {
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = upper ? n - 1 - step : step;
    for (std::int64_t before = 0; before < step; ++before) {
      const std::int64_t j = upper ? n - 1 - before : before;
      for (std::int64_t c = 0; c < k; ++c)
        subtract_product(b.at(i * k + c), a.at(i * row + j * column), b.at(j * k + c));
    }
    if (unit) continue;
    const T* const diagonal = a.at(i * row + i * column);
    for (std::int64_t c = 0; c < k; ++c)
      for (std::int64_t lane = 0; lane < lanes<T>; ++lane) b.at(i * k + c)[lane] /= diagonal[lane];
  }
}

}  // namespace xgrad::detail::small
