#pragma once
// Matrix products: by own kernels where the processor has wide vectors (packed_gemm.hpp), else by OpenBLAS.

#include <cstdint>
#include <type_traits>

namespace xgrad::detail {

/// The largest size of a matrix that gemm takes.
inline constexpr std::int64_t gemm_limit = 2147483647;

/// c = alpha op(a) op(b) + beta c for row-major matrices of float or double, where op(a) is (m, k), op(b) (k, n) and c
/// (m, n). op(a) is a, or the transpose of the (k, m) matrix a where `transpose_a` says so; op(b) alike. A leading
/// dimension is the distance from one row to the next as stored, at least the length of a row and at least 1. With
/// beta = 0, c is not read. An inner size of 0 gives beta c. With `bias`, of n numbers, that row is added in the place
/// of beta c.
///
/// Runs in parallel. Each element is summed up in an order that depends on m, n and k alone, so results are the same,
/// bit for bit, for any number of threads, and inside a parallel_for. Throws Error for a size or a leading dimension
/// that is negative or over gemm_limit.
template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          std::type_identity_t<T> alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
          std::type_identity_t<T> beta, T* c, std::int64_t ldc, const T* bias = nullptr);

/// gemm in the calling thread, of sizes of at least 1 that were checked; throws nothing.
template <class T>
void gemm_in_thread(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                    std::int64_t lda, const T* b, std::int64_t ldb, std::type_identity_t<T> beta, T* c,
                    std::int64_t ldc);

/// How many pieces gemm computes for these sizes, each worth a thread; 1 for small products.
std::int64_t gemm_pieces(std::int64_t m, std::int64_t n, std::int64_t k);

}  // namespace xgrad::detail
