#pragma once
// Matrix products whose left factor lies scattered in memory: what convolutions are made of.

#include <cstdint>

namespace xgrad::detail {

/// c = a b, an (m, n) matrix of float or double. Element (i, p) of a is a[a_rows[i] + a_columns[p]], element (i, j) of
/// c is c[c_rows[i] + j].
template <class T>
struct IndirectGemm {
  std::int64_t m, n, k;
  const T* a;
  const std::int64_t *a_rows, *a_columns;  // m and k numbers
  const T* b;                              // a panel: k rows of panel_width(n) numbers, 0 beyond n
  T* c;
  const std::int64_t* c_rows;  // m numbers
  const T* bias = nullptr;     // n numbers, added to each row; null for none
  bool adds = false;           // to what c holds; else c is not read
};

/// The most columns of a product: two vectors.
template <class T>
std::int64_t most_columns();

/// How wide a panel of n columns is: one vector or two.
template <class T>
std::int64_t panel_width(std::int64_t n);

/// Runs in the calling thread, for n up to most_columns(); throws nothing. Each element is summed up in the order of k.
template <class T>
void indirect_gemm(const IndirectGemm<T>& product);

}  // namespace xgrad::detail
