#pragma once
// Products of float matrices whose elements are rounded to BFloat16, and whose sums are not: by matrix instructions.

#include <cstdint>

#include "tile_gemm.hpp"

namespace xgrad::detail {

/// The right factor op(b), (k, n), of products that are as gemm()'s but for the rounding; k and n are at least 1. Only
/// where has_tile_gemm<BFloat16>(). Run in parallel, with the same bits for any number of threads; throw Error where
/// there is no memory.
class RoundedFactor {
 public:
  RoundedFactor(bool transpose, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb);

  /// c = op(a) op(b) + beta c for beta 0 or 1, or, with `bias` of n numbers, that row instead of beta c.
  void multiply(bool transpose, std::int64_t m, const float* a, std::int64_t lda, float beta, float* c,
                std::int64_t ldc, const float* bias = nullptr) const;

 private:
  std::int64_t k_;
  TilePanels<BFloat16> panels_;
};

}  // namespace xgrad::detail
