#include "tile_gemm.hpp"

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/storage.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 has them in this header
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace xgrad::detail {

#if defined(__x86_64__)

namespace {

// Both factors are copied into tiles of 16 x 16 groups of 32 bits, two BFloat16 or four bytes that follow each other in
// k: those of a with a row of a in each row, those of b with a column of b in each column. Two tiles side by side make
// a panel, 32 rows of a or columns of b over a stretch of k. What two panels give, 32 x 32 sums, stays in registers
// over a stretch. The panel of a stays in the first-level cache while a chunk of b, in the second-level one, goes by.
constexpr std::int64_t tile_lines = 16, panel_lines = 2 * tile_lines, tile_bytes = 1024;
constexpr std::int64_t stretch_tiles = 24, chunk_stretches = 2, most_chunk_bytes = 1 << 20;

constexpr std::int64_t parts(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

template <class T>
constexpr std::int64_t group = 4 / static_cast<std::int64_t>(sizeof(T));
template <class T>
constexpr std::int64_t tile_depth = 16 * group<T>;

#define XGRAD_TILES "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2"

using Rows = __m512i[16];
typedef std::int32_t Ints [[gnu::vector_size(64)]];

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

/// The lowest `count` of `most` bits.
constexpr std::uint64_t low_bits(std::int64_t count, std::int64_t most) {
  return count >= most ? ~0ull >> (64 - most) : (1ull << count) - 1;
}

[[gnu::target(XGRAD_TILES), gnu::always_inline]] inline void store(const Rows& rows, std::byte* to) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_store_si512(to + 64 * i, rows[i]);
}

/// Copies a tile of each of the two halves of a panel, from numbers whose next line is `ld` numbers on, and whose next
/// in k is adjacent. What is beyond `lines` and `depth` is 0.
template <class T, bool turned>
[[gnu::target(XGRAD_TILES)]] void pack_along(const T* from, std::int64_t ld, std::int64_t lines, std::int64_t depth,
                                             std::byte* to) {
  const std::uint64_t some = low_bits(depth, tile_depth<T>);
  for (std::int64_t first = 0; first < panel_lines; first += tile_lines, to += tile_bytes) {
    Rows rows;
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < tile_lines; ++i) {
      const bool is_there = first + i < lines;
      const T* const line = from + (is_there ? (first + i) * ld : 0);
      if constexpr (sizeof(T) == 2)
        rows[i] = _mm512_maskz_loadu_epi16(is_there ? static_cast<__mmask32>(some) : 0, line);
      else
        rows[i] = _mm512_maskz_loadu_epi8(is_there ? some : 0, line);
    }
    if constexpr (turned) transpose(rows);
    store(rows, to);
  }
}

/// The same from numbers whose next line is adjacent, and whose next in k is `ld` numbers on.
template <bool turned>
[[gnu::target(XGRAD_TILES)]] void pack_across(const BFloat16* from, std::int64_t ld, std::int64_t lines,
                                              std::int64_t depth, std::byte* to) {
  const auto some = static_cast<__mmask32>(low_bits(lines, panel_lines));
  alignas(64) std::uint16_t order[2][32];
  for (std::uint16_t half = 0; half < 2; ++half)
    for (std::uint16_t i = 0; i < 32; ++i) order[half][i] = static_cast<std::uint16_t>(i / 2 + 16 * half + i % 2 * 32);
  const __m512i first_half = _mm512_load_si512(order[0]), second_half = _mm512_load_si512(order[1]);
  Rows left, right;
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < 16; ++i) {
    const std::int64_t p = 2 * i;
    if (p < depth) {  // the panel that follows is made of what lies beside this one
      __builtin_prefetch(from + p * ld + panel_lines, 0, 2);
      __builtin_prefetch(from + (p + 1) * ld + panel_lines, 0, 2);
    }
    const __m512i even = _mm512_maskz_loadu_epi16(p < depth ? some : 0, from + (p < depth ? p * ld : 0)),
                  odd = _mm512_maskz_loadu_epi16(p + 1 < depth ? some : 0, from + (p + 1 < depth ? (p + 1) * ld : 0));
    left[i] = _mm512_permutex2var_epi16(even, first_half, odd);
    right[i] = _mm512_permutex2var_epi16(even, second_half, odd);
  }
  if constexpr (turned) transpose(left), transpose(right);
  store(left, to);
  store(right, to + tile_bytes);
}

/// Copies `depth` numbers of up to 32 lines into a panel; lines are rows of op(a), or columns of op(b).
template <class T, bool of_b>
void pack_panel(const GemmFactor<T>& from, std::int64_t first_line, std::int64_t lines, std::int64_t begin,
                std::int64_t depth, std::byte* to) {
  const bool along = from.transposed == of_b;
  for (std::int64_t p = 0; p < depth; p += tile_depth<T>, to += 2 * tile_bytes) {
    const std::int64_t some = std::min(depth - p, tile_depth<T>);
    if (along)
      pack_along<T, of_b>(from.data + first_line * from.ld + begin + p, from.ld, lines, some, to);
    else if constexpr (sizeof(T) == 2)
      pack_across<!of_b>(from.data + (begin + p) * from.ld + first_line, from.ld, lines, some, to);
  }
}

/// to = from + what `tiles` pairs of tiles of two panels give, for as many tiles high and wide as there are; from may
/// be null for 0.
template <class Sum>
using Multiply = void (*)(const std::byte* a, const std::byte* b, std::int64_t tiles, const Sum* from, Sum* to);

/// What an instruction set has: the products by height - 1 and width - 1, and what goes before and after them.
template <class T>
struct Instructions {
  Multiply<TileSum<T>> multiply[2][2];
  void (*begin)();
  void (*end)();
};

#define XGRAD_AMX XGRAD_TILES ",amx-tile,amx-bf16,amx-int8"

// Registers 0 to 3 hold sums, 4 and 5 tiles of a, 6 and 7 those of b; their numbers are part of the instructions. Tiles
// of b are loaded past the first-level cache, where they would take the place of those of a.
template <class T, int high, int wide>
[[gnu::target(XGRAD_AMX), gnu::noinline]] void multiply_amx(const std::byte* a, const std::byte* b, std::int64_t tiles,
                                                            const TileSum<T>* from, TileSum<T>* to) {
  constexpr std::int64_t stride = panel_lines * 4, down = tile_lines * panel_lines;
  __asm__ volatile("" ::: "memory");  // the instructions do not tell the compiler what they read
  if (from) {
    _tile_loadd(0, from, stride);
    if constexpr (wide == 2) _tile_loadd(1, from + 16, stride);
    if constexpr (high == 2) _tile_loadd(2, from + down, stride);
    if constexpr (high == 2 && wide == 2) _tile_loadd(3, from + down + 16, stride);
  } else {
    _tile_zero(0);
    if constexpr (wide == 2) _tile_zero(1);
    if constexpr (high == 2) _tile_zero(2);
    if constexpr (high == 2 && wide == 2) _tile_zero(3);
  }
  for (std::int64_t i = 0; i < tiles; ++i, a += 2 * tile_bytes, b += 2 * tile_bytes) {
    _tile_stream_loadd(6, b, 64);
    if constexpr (wide == 2) _tile_stream_loadd(7, b + tile_bytes, 64);
    _tile_loadd(4, a, 64);
    if constexpr (std::is_same_v<T, BFloat16>) {
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (wide == 2) _tile_dpbf16ps(1, 4, 7);
    } else {
      _tile_dpbssd(0, 4, 6);
      if constexpr (wide == 2) _tile_dpbssd(1, 4, 7);
    }
    if constexpr (high == 2) {
      _tile_loadd(5, a + tile_bytes, 64);
      if constexpr (std::is_same_v<T, BFloat16>) {
        _tile_dpbf16ps(2, 5, 6);
        if constexpr (wide == 2) _tile_dpbf16ps(3, 5, 7);
      } else {
        _tile_dpbssd(2, 5, 6);
        if constexpr (wide == 2) _tile_dpbssd(3, 5, 7);
      }
    }
  }
  _tile_stored(0, to, stride);
  if constexpr (wide == 2) _tile_stored(1, to + 16, stride);
  if constexpr (high == 2) _tile_stored(2, to + down, stride);
  if constexpr (high == 2 && wide == 2) _tile_stored(3, to + down + 16, stride);
  __asm__ volatile("" ::: "memory");
}

[[gnu::target(XGRAD_AMX), gnu::noinline]] void begin_amx() {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static constexpr Configuration configuration;
  _tile_loadconfig(&configuration);
}

[[gnu::target(XGRAD_AMX), gnu::noinline]] void end_amx() { _tile_release(); }

#define XGRAD_DOT XGRAD_TILES ",avx512bf16,avx512vnni"

template <class T, int high, int wide>
[[gnu::target(XGRAD_DOT), gnu::noinline]] void multiply_dot(const std::byte* a, const std::byte* b, std::int64_t tiles,
                                                            const TileSum<T>* from, TileSum<T>* to) {
  constexpr int rows = 8;
  constexpr bool bytes = std::is_same_v<T, std::int8_t>;
  for (std::int64_t row = 0; row < high * tile_lines; row += rows) {
    __m512i sums[rows][wide], sums_of_b[wide];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w)
        sums[r][w] = from ? _mm512_loadu_si512(from + (row + r) * panel_lines + 16 * w) : _mm512_setzero_si512();
    for (int w = 0; w < wide; ++w) sums_of_b[w] = _mm512_setzero_si512();
    const std::byte* numbers = a + row * 64;
    for (std::int64_t i = 0; i < tiles; ++i)
      for (int p = 0; p < 16; ++p) {
        const std::byte* const at = numbers + i * 2 * tile_bytes + p * 4;
        __m512i columns[wide];
#pragma GCC unroll 2
        for (int w = 0; w < wide; ++w) columns[w] = _mm512_load_si512(b + i * 2 * tile_bytes + w * tile_bytes + p * 64);
        if constexpr (bytes)
          for (int w = 0; w < wide; ++w)
            sums_of_b[w] = _mm512_dpbusd_epi32(sums_of_b[w], _mm512_set1_epi8(1), columns[w]);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
          __m512i number = _mm512_set1_epi32(*reinterpret_cast<const std::int32_t*>(at + r * 64));
          // One of the two factors is without a sign: 128 more, which is taken off at the end.
          if constexpr (bytes) number = _mm512_xor_si512(number, _mm512_set1_epi8(-128));
#pragma GCC unroll 2
          for (int w = 0; w < wide; ++w) {
            if constexpr (bytes)
              sums[r][w] = _mm512_dpbusd_epi32(sums[r][w], number, columns[w]);
            else
              sums[r][w] = reinterpret_cast<__m512i>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sums[r][w]),
                                                                      reinterpret_cast<__m512bh>(number),
                                                                      reinterpret_cast<__m512bh>(columns[w])));
          }
        }
      }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w) {
        if constexpr (bytes)
          sums[r][w] = reinterpret_cast<__m512i>(reinterpret_cast<Ints>(sums[r][w]) -
                                                 (reinterpret_cast<Ints>(sums_of_b[w]) << 7));
        _mm512_storeu_si512(to + (row + r) * panel_lines + 16 * w, sums[r][w]);
      }
  }
}

template <class T>
constexpr Instructions<T> amx = {
    {{multiply_amx<T, 1, 1>, multiply_amx<T, 1, 2>}, {multiply_amx<T, 2, 1>, multiply_amx<T, 2, 2>}},
    begin_amx,
    end_amx};
template <class T>
constexpr Instructions<T> dot = {
    {{multiply_dot<T, 1, 1>, multiply_dot<T, 1, 2>}, {multiply_dot<T, 2, 1>, multiply_dot<T, 2, 2>}}, [] {}, [] {}};

template <class T>
const Instructions<T>* choose() {
  if (simd_level() == SimdLevel::amx) return &amx<T>;
  const bool has_dot =
      std::is_same_v<T, BFloat16> ? __builtin_cpu_supports("avx512bf16") : __builtin_cpu_supports("avx512vnni");
  return simd_level() == SimdLevel::avx512 && has_dot ? &dot<T> : nullptr;
}

template <class T>
const Instructions<T>* instructions() {
  static const Instructions<T>* const chosen = choose<T>();
  return chosen;
}

/// While it lives, this thread may multiply.
struct Session {
  explicit Session(void (*begin)(), void (*finish)()) : end(finish) { begin(); }
  ~Session() { end(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  void (*end)();
};

}  // namespace

template <class T>
bool has_tile_gemm() {
  return instructions<T>() != nullptr;
}

[[gnu::target(XGRAD_DOT)]] void round_tiles(std::int64_t rows, std::int64_t columns, const float* sums,
                                            const BFloat16* bias, BFloat16* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < columns; i += 16) {
    const auto some = static_cast<__mmask16>(low_bits(columns - i, 16));
    __m512 added = _mm512_setzero_ps();
    if (bias)
      added =
          _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, bias + i)), 16));
    for (std::int64_t row = 0; row < rows; ++row) {
      __m512 sum = _mm512_loadu_ps(sums + row * panel_lines + i);
      if (bias) sum = _mm512_add_ps(sum, added);
      _mm256_mask_storeu_epi16(c + row * ldc + i, some, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum)));
    }
  }
}

template <class T>
void tile_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmFactor<T>& a, const GemmFactor<T>& b,
               const TileConsumer<T>& consumer) {
  using Sum = TileSum<T>;
  const Instructions<T>& best = *instructions<T>();
  const std::int64_t all_tiles = parts(k, tile_depth<T>), stretches = parts(all_tiles, stretch_tiles),
                     tiles = parts(all_tiles, stretches), depth = tiles * tile_depth<T>,
                     panel_bytes = tiles * 2 * tile_bytes;
  const std::int64_t some_stretches = std::min(stretches, chunk_stretches),
                     panels = std::min(parts(n, panel_lines), most_chunk_bytes / (some_stretches * panel_bytes)),
                     chunk_columns = panels * panel_lines;
  // Sums of a stretch wait for the next one: those of 32 rows, or, if that belongs to the next chunk, of all rows.
  const std::int64_t waiting_rows = stretches == 1                 ? 0
                                    : stretches <= chunk_stretches ? panel_lines
                                                                   : parts(m, panel_lines) * panel_lines;
  const std::int64_t chunk_bytes = panels * some_stretches * panel_bytes;
  const Reference<Storage> memory =
      Storage::make(static_cast<std::size_t>(panel_bytes + chunk_bytes + waiting_rows * chunk_columns * 4));
  std::byte *const panel_of_a = memory->data(), *const chunk = panel_of_a + panel_bytes;
  Sum* const waiting = reinterpret_cast<Sum*>(chunk + chunk_bytes);
  // What is complete is handed over when the next product has begun, which takes a while.
  struct {
    std::int64_t row, column, rows, columns;
    alignas(64) Sum sums[panel_lines * panel_lines];
  } complete[2];
  std::int64_t completed = 0;
  const auto hand_over = [&](std::int64_t i) {
    const auto& part = complete[i % 2];
    consumer.take(consumer.context, part.row, part.column, part.rows, part.columns, part.sums);
  };
  const auto panel_of_b = [=](std::int64_t stretch, std::int64_t column) {
    return chunk + (stretch % some_stretches * panels + column / panel_lines) * panel_bytes;
  };
  const Session session(best.begin, best.end);

  for (std::int64_t column = 0; column < n; column += chunk_columns) {
    const std::int64_t columns = std::min(chunk_columns, n - column);
    for (std::int64_t first = 0; first < stretches; first += some_stretches) {
      const std::int64_t last = std::min(first + some_stretches, stretches);
      for (std::int64_t s = first; s < last; ++s)
        for (std::int64_t j = 0; j < columns; j += panel_lines)
          pack_panel<T, true>(b, column + j, std::min(panel_lines, columns - j), s * depth,
                              std::min(depth, k - s * depth), panel_of_b(s, j));
      for (std::int64_t row = 0; row < m; row += panel_lines) {
        const std::int64_t rows = std::min(panel_lines, m - row);
        Sum* const partial = waiting + (waiting_rows > panel_lines ? row * chunk_columns : 0);
        for (std::int64_t s = first; s < last; ++s) {
          const std::int64_t some = std::min(depth, k - s * depth);
          const bool completes = s + 1 == stretches;
          pack_panel<T, false>(a, row, rows, s * depth, some, panel_of_a);
          for (std::int64_t j = 0; j < columns; j += panel_lines) {
            const std::int64_t wide = std::min(panel_lines, columns - j);
            auto& part = complete[completed % 2];
            best.multiply[rows > tile_lines][wide > tile_lines](
                panel_of_a, panel_of_b(s, j), parts(some, tile_depth<T>), s == 0 ? nullptr : partial + j * panel_lines,
                completes ? part.sums : partial + j * panel_lines);
            if (!completes) continue;
            part.row = row, part.column = column + j, part.rows = rows, part.columns = wide;
            if (completed++ > 0) hand_over(completed);
          }
        }
      }
    }
  }
  hand_over(completed - 1);
}

#else

template <class T>
bool has_tile_gemm() {
  return false;
}

void round_tiles(std::int64_t, std::int64_t, const float*, const BFloat16*, BFloat16*, std::int64_t) {}

template <class T>
void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const GemmFactor<T>&, const GemmFactor<T>&,
               const TileConsumer<T>&) {}

#endif

template bool has_tile_gemm<BFloat16>();
template bool has_tile_gemm<std::int8_t>();
template void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const GemmFactor<BFloat16>&,
                        const GemmFactor<BFloat16>&, const TileConsumer<BFloat16>&);
template void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const GemmFactor<std::int8_t>&,
                        const GemmFactor<std::int8_t>&, const TileConsumer<std::int8_t>&);

}  // namespace xgrad::detail
