#pragma once
// Matrix products of 16-bit floating numbers, summed up in float.

#include <cstdint>

#include "../array/float16.hpp"

namespace xgrad::detail {

/// c = op(a) op(b) for row-major matrices of BFloat16 or Float16, laid out as gemm() takes them; with `bias`, of n
/// numbers, that row is added. Each element is summed up as float, in an order that depends on k alone, and rounded
/// once, to the nearest, to even at ties: results are the same, bit for bit, for any number of threads. An inner size
/// of 0 gives the bias, or 0. Throws Error for the sizes that gemm() refuses, and where there is no memory.
template <class T>
void half_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
               std::int64_t lda, const T* b, std::int64_t ldb, T* c, std::int64_t ldc, const T* bias = nullptr);

}  // namespace xgrad::detail
