#pragma once
// Matrix products by instructions that multiply groups of small numbers and add each group's products to one sum.

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "../array/float16.hpp"
#include "../core/storage.hpp"
#include "tile_packing.hpp"

namespace xgrad::detail {

/// What products of T, BFloat16 or std::int8_t, are summed up as.
template <class T>
using TileSum = std::conditional_t<std::is_same_v<T, std::int8_t>, std::int32_t, float>;

/// Takes sums when they are complete: the (rows, columns) part of c that begins at (row, column), at most 32 by 32,
/// from rows of 32 sums.
template <class T>
struct TileConsumer {
  void (*take)(const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
               const TileSum<T>* sums);
  const void* context;
};

/// Whether tile_gemm runs on this processor: by AMX at the level `amx`, and, of bytes, by AVX512-VNNI at `avx512`.
template <class T>
bool has_tile_gemm();

/// op(a) op(b), where op(a) has m lines, op(b) n, and m, n, k are at least 1, in the calling thread. Sums of bytes,
/// from -127 to 127, are exact. Those of BFloat16 are rounded to float in an order that depends on k alone, and
/// subnormal numbers count as 0 there, as these instructions have it. Throws Error where there is no memory for a copy
/// of parts of a and b, a few megabytes at most and, for k over 1280, m by 400 sums.
template <class T>
void tile_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const TileFactor<T>& a, const TileFactor<T>& b,
               const TileConsumer<T>& consumer);

/// How k is cut: the sums of a stretch stay in registers.
template <class T>
struct TileStretches {
  explicit TileStretches(std::int64_t k);
  std::int64_t all, count, tiles;  // tiles of a stretch; the last may have fewer

  std::int64_t begin(std::int64_t stretch) const { return stretch * tiles * tile_depth<T>; }
  std::int64_t depth(std::int64_t stretch) const { return std::min(tiles * tile_depth<T>, all - begin(stretch)); }
  std::int64_t panel_bytes() const { return tiles * 2 * tile_bytes; }
};

/// A factor op(b) as products take it, for several of them.
template <class T>
class TilePanels {
 public:
  /// Of n lines. Runs in parallel.
  TilePanels(std::int64_t n, std::int64_t k, const TileFactor<T>& b);
  /// As tile_gemm() does.
  void multiply(std::int64_t m, const TileFactor<T>& a, const TileConsumer<T>& consumer) const;

 private:
  std::int64_t n_;
  TileStretches<T> stretches_;
  std::int64_t panels_;
  Reference<Storage> memory_;
};

/// What a consumer does with sums of BFloat16, with bias of `columns` numbers or none: c = sums + bias, rounded to the
/// nearest, to even at ties, and to 0 where that is subnormal; row i of c begins at c_rows[i]. Only where
/// has_tile_gemm<BFloat16>().
void round_tiles(std::int64_t rows, std::int64_t columns, const float* sums, const BFloat16* bias, BFloat16* c,
                 const std::int64_t* c_rows);

/// Numbers as factors: rounded as round_tiles() does.
void round_to_tiles(std::int64_t count, const float* from, BFloat16* to);

}  // namespace xgrad::detail
