#include "tile_packing.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#if !defined(__clang__)  // g++ 12 has them in this header
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>

namespace xgrad::detail {
namespace {

using Rows = __m512i[16];

[[gnu::target(XGRAD_TILES), gnu::always_inline]] inline void transpose(Rows& rows) {
  Rows pairs;
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    pairs[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
    pairs[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      rows[4 * i + 2 * half] = _mm512_unpacklo_epi64(pairs[4 * i + half], pairs[4 * i + half + 2]);
      rows[4 * i + 2 * half + 1] = _mm512_unpackhi_epi64(pairs[4 * i + half], pairs[4 * i + half + 2]);
    }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    pairs[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
    pairs[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xdd);
    pairs[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
    pairs[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    rows[i] = _mm512_shuffle_i32x4(pairs[i], pairs[i + 8], 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(pairs[i], pairs[i + 8], 0xdd);
  }
}

[[gnu::target(XGRAD_TILES), gnu::always_inline]] inline void store(const Rows& rows, std::byte* to) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_store_si512(to + 64 * i, rows[i]);
}

/// Up to 64 bytes of neighbours, from one run or several: the numbers of a piece lie `offset` bytes on, at the places
/// that they have in the vector.
struct Pieces {
  struct Piece {
    std::int64_t offset;
    std::uint64_t bytes;
  } piece[32];
  int count = 0;

  template <class T>
  Pieces(const TileFactor<T>& from, std::int64_t first, std::int64_t numbers) {
    constexpr auto size = static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t done = 0, some; done < numbers; done += some) {
      const std::int64_t at = first + done, run = from.runs ? at / from.run_length : 0;
      some = from.runs ? std::min(from.run_length - at % from.run_length, numbers - done) : numbers;
      const std::int64_t begins = from.runs ? from.runs[run] + at % from.run_length : at;
      const std::uint64_t mask = some * size == 64 ? ~0ull : (1ull << some * size) - 1;
      piece[count++] = {(begins - done) * size, mask << done * size};
    }
  }
};

template <bool whole>
[[gnu::target(XGRAD_TILES), gnu::always_inline]] inline __m512i load(const Pieces& pieces, const std::byte* from) {
  if (!from) return _mm512_setzero_si512();
  const auto piece = [&](int i) __attribute__((always_inline, target(XGRAD_TILES))) {
    return _mm512_maskz_loadu_epi8(pieces.piece[i].bytes, from + pieces.piece[i].offset);
  };
  __m512i all = piece(0);
  if constexpr (!whole)
    for (int i = 1; i < pieces.count; ++i) all = _mm512_or_si512(all, piece(i));
  return all;
}

/// A tile of each half of a panel, from 32 lines.
template <bool turned, bool whole>
[[gnu::target(XGRAD_TILES)]] void pack_along(const Pieces& pieces, const std::byte* const* lines, std::byte* to) {
  for (int half = 0; half < 2; ++half, lines += tile_lines, to += tile_bytes) {
    Rows rows;
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) rows[i] = load<whole>(pieces, lines[i]);
    if constexpr (turned) transpose(rows);
    store(rows, to);
  }
}

/// The same from 32 positions in k.
template <bool turned, bool whole>
[[gnu::target(XGRAD_TILES)]] void pack_across(const Pieces& pieces, const std::byte* const* positions, std::byte* to) {
  alignas(64) std::uint16_t order[2][32];
  for (std::uint16_t half = 0; half < 2; ++half)
    for (std::uint16_t i = 0; i < 32; ++i) order[half][i] = static_cast<std::uint16_t>(i / 2 + 16 * half + i % 2 * 32);
  const __m512i first_half = _mm512_load_si512(order[0]), second_half = _mm512_load_si512(order[1]);
  Rows left, right;
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    // The panel that follows is made of what lies beside this one.
    if (positions[2 * i]) __builtin_prefetch(positions[2 * i] + pieces.piece[0].offset + 64, 0, 2);
    if (positions[2 * i + 1]) __builtin_prefetch(positions[2 * i + 1] + pieces.piece[0].offset + 64, 0, 2);
    const __m512i even = load<whole>(pieces, positions[2 * i]), odd = load<whole>(pieces, positions[2 * i + 1]);
    left[i] = _mm512_permutex2var_epi16(even, first_half, odd);
    right[i] = _mm512_permutex2var_epi16(even, second_half, odd);
  }
  if constexpr (turned) transpose(left), transpose(right);
  store(left, to);
  store(right, to + tile_bytes);
}

}  // namespace

template <class T>
void pack_panel(const TileFactor<T>& from, bool of_b, std::int64_t first_line, std::int64_t lines, std::int64_t begin,
                std::int64_t depth, std::byte* to) {
  const std::byte* far[32];
  const auto locate = [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < 32; ++i)
      far[i] = i < count ? reinterpret_cast<const std::byte*>(
                               from.data + (from.places ? from.places[first + i] : (first + i) * from.ld))
                         : nullptr;
  };
  if (from.along) {
    locate(first_line, lines);
    for (std::int64_t p = 0; p < depth; p += tile_depth<T>, to += 2 * tile_bytes) {
      const Pieces pieces(from, begin + p, std::min(depth - p, tile_depth<T>));
      const auto pack = pieces.count == 1 ? (of_b ? pack_along<true, true> : pack_along<false, true>)
                                          : (of_b ? pack_along<true, false> : pack_along<false, false>);
      pack(pieces, far, to);
    }
    return;
  }
  const Pieces pieces(from, first_line, lines);
  const auto pack = pieces.count == 1 ? (of_b ? pack_across<false, true> : pack_across<true, true>)
                                      : (of_b ? pack_across<false, false> : pack_across<true, false>);
  for (std::int64_t p = 0; p < depth; p += tile_depth<T>, to += 2 * tile_bytes) {
    locate(begin + p, std::min(depth - p, tile_depth<T>));
    pack(pieces, far, to);
  }
}

template void pack_panel(const TileFactor<BFloat16>&, bool, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                         std::byte*);
template void pack_panel(const TileFactor<std::int8_t>&, bool, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                         std::byte*);

}  // namespace xgrad::detail
#endif
