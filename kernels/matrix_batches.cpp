#include "matrix_batches.hpp"

#include <algorithm>

#include "lapack.hpp"
#include "small_matrices.hpp"

namespace xgrad::detail {

namespace {

bool is_small(std::int64_t n) { return n <= small::limit; }

/// f(first, used) for groups of matrices that fit side by side, in parallel, where one costs about so many operations.
template <class F>
void for_each_group(std::int64_t count, double operations, const F& f) {
  using small::lanes;
  const auto grain = static_cast<std::int64_t>(50000 / (operations * static_cast<double>(lanes) + 1)) + 1;
  parallel_for((count + lanes - 1) / lanes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t group = begin; group < end; ++group) f(group * lanes, std::min(lanes, count - group * lanes));
  });
}

double cube(std::int64_t n) {
  const auto size = static_cast<double>(n);
  return size * size * size;
}

}  // namespace

template <class T>
void cholesky(std::int64_t count, std::int64_t n, T* a, int* info) {
  if (is_small(n))
    return for_each_group(count, cube(n) / 3, [=](std::int64_t first, std::int64_t used) {
      T* const group = a + first * n * n;
      int* const results = info + first;
      vectorized([=] {
        const small::Layout layout{n, 1, n * n};
        small::Block<T> block;
        int found[small::lanes] = {};
        small::load(n, n, group, layout, used, block);
        small::cholesky(n, block, found);
        small::store(n, n, block, group, layout, used);
        for (std::int64_t lane = 0; lane < used; ++lane) results[lane] = found[lane];
      });
    });
  for_each_matrix(count, cube(n) / 3, [=](std::int64_t i) {
    T* const matrix = a + i * n * n;
    info[i] = lapack::cholesky(n, matrix);
    for (std::int64_t row = 0; row < n; ++row) std::fill(matrix + row * n + row + 1, matrix + (row + 1) * n, T(0));
  });
}

template <class T>
void lu_factor(std::int64_t count, std::int64_t m, std::int64_t n, T* a, int* pivots, int* info) {
  const std::int64_t k = std::min(m, n);
  if (is_small(m) && is_small(n))
    return for_each_group(count, cube(k), [=](std::int64_t first, std::int64_t used) {
      T* const group = a + first * m * n;
      int *const exchanges = pivots + first * k, *const results = info + first;
      vectorized([=] {
        const small::Layout layout{n, 1, m * n};
        small::Block<T> block;
        int rows[small::limit][small::lanes], found[small::lanes] = {};
        small::load(m, n, group, layout, used, block);
        small::lu_factor(m, n, block, rows, found);
        small::store(m, n, block, group, layout, used);
        for (std::int64_t lane = 0; lane < used; ++lane) {
          results[lane] = found[lane];
          for (std::int64_t i = 0; i < k; ++i) exchanges[lane * k + i] = rows[i][lane];
        }
      });
    });
  for_each_matrix(count, cube(k),
                  [=](std::int64_t i) { info[i] = lapack::lu_factor(m, n, a + i * m * n, pivots + i * k); });
}

template <class T>
void lu_solve(std::int64_t count, bool transposed, std::int64_t n, std::int64_t k, const T* lu, const int* pivots,
              T* b) {
  const double operations = 2 * static_cast<double>(n * n) * static_cast<double>(k);
  if (is_small(n))
    return for_each_group(count, operations, [=](std::int64_t first, std::int64_t used) {
      const T* const group = lu + first * n * n;
      const int* const exchanges = pivots + first * n;
      T* const right = b + first * n * k;
      vectorized([=] {
        small::Block<T> factors, block;
        small::load(n, n, group, {n, 1, n * n}, used, factors);
        const std::int64_t row = transposed ? 1 : n, column = transposed ? n : 1;
        for (std::int64_t begin = 0; begin < k; begin += small::limit) {
          const std::int64_t some = k - begin < small::limit ? k - begin : small::limit;
          const small::Layout layout{k, 1, n * k};
          small::load(n, some, right + begin, layout, used, block);
          if (!transposed)
            for (std::int64_t lane = 0; lane < used; ++lane)
              for (std::int64_t i = 0; i < n; ++i) small::exchange_rows(some, block, lane, i, exchanges[lane * n + i]);
          small::solve_triangular(false, !transposed, n, some, factors, row, column, block);
          small::solve_triangular(true, transposed, n, some, factors, row, column, block);
          if (transposed)
            for (std::int64_t lane = 0; lane < used; ++lane)
              for (std::int64_t i = n; i-- > 0;) small::exchange_rows(some, block, lane, i, exchanges[lane * n + i]);
          small::store(n, some, block, right + begin, layout, used);
        }
      });
    });
  for_each_matrix(count, operations, [=](std::int64_t i) {
    lapack::lu_solve(transposed, n, k, lu + i * n * n, pivots + i * n, b + i * n * k);
  });
}

template <class T>
void solve_triangular(std::int64_t count, const Triangular& kind, bool left, std::int64_t m, std::int64_t n, const T* a,
                      T* b) {
  const std::int64_t order = left ? m : n, sides = left ? n : m;
  const double operations = static_cast<double>(order * order) * static_cast<double>(sides);
  if (is_small(order))
    return for_each_group(count, operations, [=](std::int64_t first, std::int64_t used) {
      const T* const group = a + first * order * order;
      T* const right = b + first * m * n;
      vectorized([=] {
        // x op(a) = b is solved as the transpose of op(a) times the transpose of x.
        const bool transposed = kind.transposed != !left;
        const std::int64_t row = transposed ? 1 : order, column = transposed ? order : 1;
        const std::int64_t along = left ? n : 1, across = left ? 1 : n;
        small::Block<T> matrix, block;
        small::load(order, order, group, {order, 1, order * order}, used, matrix);
        for (std::int64_t begin = 0; begin < sides; begin += small::limit) {
          const std::int64_t some = sides - begin < small::limit ? sides - begin : small::limit;
          const small::Layout layout{along, across, m * n};
          small::load(order, some, right + begin * across, layout, used, block);
          small::solve_triangular(kind.upper != transposed, kind.unit, order, some, matrix, row, column, block);
          small::store(order, some, block, right + begin * across, layout, used);
        }
      });
    });
  for_each_matrix(count, operations, [=](std::int64_t i) {
    lapack::solve_triangular(left, kind.upper, kind.transposed, kind.unit, m, n, a + i * order * order, b + i * m * n);
  });
}

#define XGRAD_INSTANTIATE(T)                                                                        \
  template void cholesky(std::int64_t, std::int64_t, T*, int*);                                     \
  template void lu_factor(std::int64_t, std::int64_t, std::int64_t, T*, int*, int*);                \
  template void lu_solve(std::int64_t, bool, std::int64_t, std::int64_t, const T*, const int*, T*); \
  template void solve_triangular(std::int64_t, const Triangular&, bool, std::int64_t, std::int64_t, const T*, T*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
