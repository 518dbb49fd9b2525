#pragma once
// Products of matrices of bytes, summed up exactly.

#include <cstdint>

namespace xgrad::detail {

/// The largest inner size of int8_gemm: so many products of two numbers from -127 to 127 fit into 32 bits.
inline constexpr std::int64_t int8_gemm_limit = 131072;

/// Rows of k floats as bytes: row i is about values * scales[i], where scales[i] is the largest size in it by 127, and
/// each value is rounded to the nearest, to even at ties. The scale of a row of zeros is 1, that of a row that has NaN
/// or infinity NaN.
void quantize_rows(std::int64_t rows, std::int64_t k, const float* x, std::int8_t* values, float* scales);

/// y = a b^T with the scales of both, y[i, j] = a_scales[i] b_scales[j] sum over p of a[i, p] b[j, p], for row-major
/// (m, k), (n, k) and (m, n) matrices, values from -127 to 127 and k up to int8_gemm_limit; with `bias`, of n numbers,
/// that row is added. Sums are exact, so results are the same for any number of threads. Throws Error where there is no
/// memory.
void int8_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const std::int8_t* a, const float* a_scales,
               const std::int8_t* b, const float* b_scales, const float* bias, float* y);

}  // namespace xgrad::detail
