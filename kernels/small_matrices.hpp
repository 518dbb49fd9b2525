#pragma once
// Small matrices side by side: element e of matrix i lies at [e * lanes + i], so that each step of an algorithm is one
// vector operation for all of them. To be called inside vectorized().

#include <cstdint>

#include "../core/instruction_set.hpp"

namespace xgrad::detail::small {

/// The largest order of a matrix, and number of right-hand sides at a time.
inline constexpr std::int64_t limit = 16;
/// How many matrices lie side by side.
inline constexpr std::int64_t lanes = 8;

/// Room for `lanes` matrices.
template <class T>
struct alignas(64) Block {
  T elements[limit * limit * lanes];
  [[gnu::always_inline]] T* at(std::int64_t element) { return elements + element * lanes; }
  [[gnu::always_inline]] const T* at(std::int64_t element) const { return elements + element * lanes; }
};

/// Where matrices lie in memory: element (i, j) of one at i * row + j * column, the next one `matrix` further.
struct Layout {
  std::int64_t row, column, matrix;
};

/// `used` matrices (rows, columns) to a block; the other lanes hold the identity.
template <class T>
[[gnu::always_inline]] inline void load(std::int64_t rows, std::int64_t columns, const T* from, Layout layout,
                                        std::int64_t used, Block<T>& to) {
  for (std::int64_t lane = 0; lane < lanes; ++lane)
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* const row = from + lane * layout.matrix + i * layout.row;
      T* const at = to.at(i * columns) + lane;
      if (lane < used)
        for (std::int64_t j = 0; j < columns; ++j) at[j * lanes] = row[j * layout.column];
      else
        for (std::int64_t j = 0; j < columns; ++j) at[j * lanes] = i == j ? T(1) : T(0);
    }
}

template <class T>
[[gnu::always_inline]] inline void store(std::int64_t rows, std::int64_t columns, const Block<T>& from, T* to,
                                         Layout layout, std::int64_t used) {
  for (std::int64_t lane = 0; lane < used; ++lane)
    for (std::int64_t i = 0; i < rows; ++i) {
      T* const row = to + lane * layout.matrix + i * layout.row;
      const T* const at = from.at(i * columns) + lane;
      for (std::int64_t j = 0; j < columns; ++j) row[j * layout.column] = at[j * lanes];
    }
}

/// b less the sum of a * c over `count` elements of both, so many elements apart.
template <class T>
[[gnu::always_inline]] inline void subtract_products(T* b, const T* a, std::int64_t a_step, const T* c,
                                                     std::int64_t c_step, std::int64_t count) {
  T sum[lanes];
  for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] = b[lane];
  for (std::int64_t k = 0; k < count; ++k)
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      sum[lane] -= a[k * a_step * lanes + lane] * c[k * c_step * lanes + lane];
  for (std::int64_t lane = 0; lane < lanes; ++lane) b[lane] = sum[lane];
}

/// Cholesky factors in the lower triangles, zeros above. `info[lane]` is the order of the first leading minor that is
/// not positive, else 0.
template <class T>
[[gnu::always_inline]] inline void cholesky(std::int64_t n, Block<T>& a, int* info) {
  for (std::int64_t j = 0; j < n; ++j) {
    T* const diagonal = a.at(j * n + j);
    subtract_products(diagonal, a.at(j * n), 1, a.at(j * n), 1, j);
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      if (!(diagonal[lane] > 0) && info[lane] == 0) info[lane] = static_cast<int>(j + 1);
    for (std::int64_t lane = 0; lane < lanes; ++lane) diagonal[lane] = __builtin_sqrt(diagonal[lane]);
    for (std::int64_t i = j + 1; i < n; ++i) {
      T* const below = a.at(i * n + j);
      subtract_products(below, a.at(i * n), 1, a.at(j * n), 1, j);
      for (std::int64_t lane = 0; lane < lanes; ++lane) below[lane] /= diagonal[lane];
      T* const above = a.at(j * n + i);
      for (std::int64_t lane = 0; lane < lanes; ++lane) above[lane] = 0;
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
[[gnu::always_inline]] inline void lu_factor(std::int64_t m, std::int64_t n, Block<T>& a, int (*pivots)[lanes],
                                             int* info) {
  for (std::int64_t j = 0; j < m && j < n; ++j) {
    T largest[lanes], divisor[lanes];
    int row[lanes];
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      largest[lane] = __builtin_fabs(a.at(j * n + j)[lane]);
      row[lane] = static_cast<int>(j);
    }
    for (std::int64_t i = j + 1; i < m; ++i)
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const T size = __builtin_fabs(a.at(i * n + j)[lane]);
        row[lane] = size > largest[lane] ? static_cast<int>(i) : row[lane];
        largest[lane] = size > largest[lane] ? size : largest[lane];
      }
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      exchange_rows(n, a, lane, j, row[lane]);
      pivots[j][lane] = row[lane];
      const T pivot = a.at(j * n + j)[lane];
      if (pivot == 0 && info[lane] == 0) info[lane] = static_cast<int>(j + 1);
      divisor[lane] = pivot == 0 ? T(1) : pivot;
    }
    for (std::int64_t i = j + 1; i < m; ++i) {
      T* const factor = a.at(i * n + j);
      T f[lanes];
      for (std::int64_t lane = 0; lane < lanes; ++lane) f[lane] = factor[lane] / divisor[lane];
      for (std::int64_t lane = 0; lane < lanes; ++lane) factor[lane] = f[lane];
      for (std::int64_t k = j + 1; k < n; ++k) subtract_products(a.at(i * n + k), f, 0, a.at(j * n + k), 0, 1);
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
    const std::int64_t i = upper ? n - 1 - step : step, first = upper ? n - 1 : 0, onward = upper ? -1 : 1;
    for (std::int64_t c = 0; c < k; ++c)
      subtract_products(b.at(i * k + c), a.at(i * row + first * column), onward * column, b.at(first * k + c),
                        onward * k, step);
    if (unit) continue;
    const T* const diagonal = a.at(i * row + i * column);
    for (std::int64_t c = 0; c < k; ++c)
      for (std::int64_t lane = 0; lane < lanes; ++lane) b.at(i * k + c)[lane] /= diagonal[lane];
  }
}

}  // namespace xgrad::detail::small
