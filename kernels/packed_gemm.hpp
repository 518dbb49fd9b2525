#pragma once
// Matrix products by kernels of our own, for processors with wide vectors.

#include <cstdint>

namespace xgrad::detail {

/// A row-major matrix of which an operand is made, or the transpose of which.
template <class T>
struct GemmFactor {
  const T* data;
  std::int64_t ld;
  bool transposed;
};

/// Whether packed_gemm runs on this processor: it needs AVX2 or AVX-512.
bool has_packed_gemm();

/// c = alpha op(a) op(b) + beta c in the calling thread, for m, n, k of at least 1, where op(a) is (m, k), op(b) (k, n)
/// and c (m, n) with distance ldc from row to row. With `bias`, of n numbers, it is the row that is added instead of
/// beta c. With beta = 0 or a bias, c is not read. Throws nothing: a thread keeps half a megabyte or one to copy a
/// transposed a to, and without it reads a where it lies. Each element is summed up in the order of k, whatever m and n
/// are.
template <class T>
void packed_gemm(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const GemmFactor<T>& a,
                 const GemmFactor<T>& b, T beta, const T* bias, T* c, std::int64_t ldc);

}  // namespace xgrad::detail
