#pragma once
// Tiles: how matrix instructions take their factors.

#include <cstddef>
#include <cstdint>

#include "../array/float16.hpp"

namespace xgrad::detail {

/// A factor of a product: lines, the rows of op(a) or the columns of op(b), of k numbers each. Of two neighbours in the
/// one direction the second is adjacent in memory, or follows it in a run; in the other direction neighbours lie `ld`
/// numbers apart, or wherever `places` say.
template <class T>
struct TileFactor {
  const T* data;
  bool along;  // adjacent are neighbours in k, else neighbouring lines; bytes are always along
  std::int64_t ld = 0;
  const std::int64_t* places = nullptr;  // of each line, or of each position in k
  const std::int64_t* runs = nullptr;    // where each `run_length` adjacent numbers begin; null for one run
  std::int64_t run_length = 1;
};

// Groups of 32 bits, two BFloat16 or four bytes that follow each other in k, are copied into tiles of 16 x 16: those of
// a with a line in each row, those of b with a line in each column. Two tiles side by side make a panel, of 32 lines.
inline constexpr std::int64_t tile_lines = 16, panel_lines = 2 * tile_lines, tile_bytes = 1024;

/// How many numbers of k a tile has.
template <class T>
inline constexpr std::int64_t tile_depth = 64 / static_cast<std::int64_t>(sizeof(T));

#if defined(__x86_64__)
#define XGRAD_TILES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"

/// Copies `depth` numbers of k, from `begin` on, of up to 32 lines into a panel, for each tile_depth two tiles; what is
/// beyond the lines and the depth is 0. The memory is aligned to 64 bytes.
template <class T>
void pack_panel(const TileFactor<T>& from, bool of_b, std::int64_t first_line, std::int64_t lines, std::int64_t begin,
                std::int64_t depth, std::byte* to);
#endif

}  // namespace xgrad::detail
