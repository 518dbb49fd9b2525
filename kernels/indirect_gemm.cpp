#include "indirect_gemm.hpp"

#include <algorithm>
#include <cstring>

#include "vectors.hpp"

namespace xgrad::detail {
namespace {

/// `rows` x `vectors` vectors of c, which stay in registers over all of k. Rows beyond the last are computed again from
/// it, and dropped.
template <class T, int bytes, int rows, int vectors>
[[gnu::always_inline]] inline void tile(const IndirectGemm<T>& product, std::int64_t first) {
  typedef T Vector [[gnu::vector_size(bytes)]];
  constexpr std::int64_t width = bytes / static_cast<int>(sizeof(T)), panel = vectors * width;
  const T* a[rows];
#pragma GCC unroll 16
  for (int row = 0; row < rows; ++row) a[row] = product.a + product.a_rows[std::min(first + row, product.m - 1)];
  Vector sums[rows][vectors] = {};
  const T* b = product.b;
  const std::int64_t* column = product.a_columns;
  for (const T* const end = b + product.k * panel; b != end; b += panel, ++column) {
    const std::int64_t at = *column;
    Vector row_of_b[vectors];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; ++i) std::memcpy(&row_of_b[i], b + i * width, sizeof row_of_b[i]);
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row) {
      const T number = a[row][at];
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i) sums[row][i] += number * row_of_b[i];
    }
  }

  T* const c = product.c;
  const std::int64_t *const c_rows = product.c_rows + first, n = product.n;
  const T* const bias = product.bias;
  if (n == panel && first + rows <= product.m) {
    Vector added[vectors] = {};
    if (bias) std::memcpy(added, bias, sizeof added);
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row) {
      T* const to = c + c_rows[row];
#pragma GCC unroll 4
      for (int i = 0; i < vectors; ++i) {
        Vector value = sums[row][i] + added[i];
        if (product.adds) {
          Vector before;
          std::memcpy(&before, to + i * width, sizeof before);
          value += before;
        }
        std::memcpy(to + i * width, &value, sizeof value);
      }
    }
    return;
  }
  T values[rows * panel];
  std::memcpy(values, sums, sizeof values);
  for (std::int64_t row = 0; row < std::min<std::int64_t>(rows, product.m - first); ++row)
    for (std::int64_t j = 0; j < n; ++j) {
      T& to = c[c_rows[row] + j];
      const T value = values[row * panel + j] + (bias ? bias[j] : T(0));
      to = product.adds ? to + value : value;
    }
}

/// All of c: tiles so high that sums, a row of b and a number of a fill the registers, or, where they are narrow, that
/// enough sums are under way at once.
template <class T, int bytes, bool wide>
[[gnu::always_inline]] inline void tiles(const IndirectGemm<T>& product) {
  constexpr int rows = bytes == 64 ? 12 : bytes == 32 ? (wide ? 6 : 8) : 4;
  for (std::int64_t first = 0; first < product.m; first += rows) tile<T, bytes, rows, wide ? 2 : 1>(product, first);
}

}  // namespace

template <class T>
std::int64_t most_columns() {
  return 2 * vector_bytes() / static_cast<std::int64_t>(sizeof(T));
}

template <class T>
std::int64_t panel_width(std::int64_t n) {
  const std::int64_t most = most_columns<T>();
  return n > most / 2 ? most : most / 2;
}

template <class T>
void indirect_gemm(const IndirectGemm<T>& product) {
  if (panel_width<T>(product.n) == most_columns<T>())
    run_with_vectors([product](auto bytes) { tiles<T, decltype(bytes)::value, true>(product); });
  else
    run_with_vectors([product](auto bytes) { tiles<T, decltype(bytes)::value, false>(product); });
}

template std::int64_t most_columns<float>();
template std::int64_t most_columns<double>();
template std::int64_t panel_width<float>(std::int64_t);
template std::int64_t panel_width<double>(std::int64_t);
template void indirect_gemm(const IndirectGemm<float>&);
template void indirect_gemm(const IndirectGemm<double>&);

}  // namespace xgrad::detail
