#include "tile_gemm.hpp"

#include <algorithm>
#include <cstring>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "tile_packing.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#if !defined(__clang__)  // g++ 12 has them in this header
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace xgrad::detail {
namespace {

constexpr std::int64_t stretch_tiles = 20;

std::int64_t parts(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

}  // namespace

template <class T>
TileStretches<T>::TileStretches(std::int64_t k)
    : all(k), count(parts(parts(k, tile_depth<T>), stretch_tiles)), tiles(parts(parts(k, tile_depth<T>), count)) {}

#if defined(__x86_64__)

namespace {

// What two panels give, 32 x 32 sums, stays in registers over a stretch of k. The panel of a stays in the first-level
// cache while a chunk of b, in the second-level one, goes by.
constexpr std::int64_t chunk_stretches = 2, most_chunk_bytes = 1 << 20;

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

#define XGRAD_VNNI XGRAD_TILES ",avx512vnni"

// Of BFloat16, AVX512-BF16 has such products, too; on a Xeon of the fourth generation they took 1.3 of the time of
// float32 multiply-adds of numbers that were widened before.
template <int high, int wide>
[[gnu::target(XGRAD_VNNI), gnu::noinline]] void multiply_vnni(const std::byte* a, const std::byte* b,
                                                              std::int64_t tiles, const std::int32_t* from,
                                                              std::int32_t* to) {
  constexpr int rows = 8;
  const __m512i ones = _mm512_set1_epi8(1), sign = _mm512_set1_epi8(-128);
  for (std::int64_t row = 0; row < high * tile_lines; row += rows) {
    __m512i sums[rows][wide], sums_of_b[wide];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w)
        sums[r][w] = from ? _mm512_loadu_si512(from + (row + r) * panel_lines + 16 * w) : _mm512_setzero_si512();
    for (int w = 0; w < wide; ++w) sums_of_b[w] = _mm512_setzero_si512();
    for (std::int64_t i = 0; i < tiles; ++i)
      for (int p = 0; p < 16; ++p) {
        const std::byte* const at = a + row * 64 + i * 2 * tile_bytes + p * 4;
        __m512i columns[wide];
#pragma GCC unroll 2
        for (int w = 0; w < wide; ++w) {
          columns[w] = _mm512_load_si512(b + i * 2 * tile_bytes + w * tile_bytes + p * 64);
          sums_of_b[w] = _mm512_dpbusd_epi32(sums_of_b[w], ones, columns[w]);
        }
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
          std::int32_t group_of_a;
          std::memcpy(&group_of_a, at + r * 64, sizeof group_of_a);
          // The first factor is without a sign: 128 more, which is taken off at the end.
          const __m512i number = _mm512_xor_si512(_mm512_set1_epi32(group_of_a), sign);
#pragma GCC unroll 2
          for (int w = 0; w < wide; ++w) sums[r][w] = _mm512_dpbusd_epi32(sums[r][w], number, columns[w]);
        }
      }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w)
        _mm512_storeu_si512(to + (row + r) * panel_lines + 16 * w,
                            _mm512_sub_epi32(sums[r][w], _mm512_slli_epi32(sums_of_b[w], 7)));
  }
}

template <class T>
constexpr Instructions<T> amx = {
    {{multiply_amx<T, 1, 1>, multiply_amx<T, 1, 2>}, {multiply_amx<T, 2, 1>, multiply_amx<T, 2, 2>}},
    begin_amx,
    end_amx};
constexpr Instructions<std::int8_t> vnni = {
    {{multiply_vnni<1, 1>, multiply_vnni<1, 2>}, {multiply_vnni<2, 1>, multiply_vnni<2, 2>}}, [] {}, [] {}};

template <class T>
const Instructions<T>* choose() {
  if (simd_level() == SimdLevel::amx) return &amx<T>;
  if constexpr (std::is_same_v<T, std::int8_t>)
    if (simd_level() == SimdLevel::avx512 && __builtin_cpu_supports("avx512vnni")) return &vnni;
  return nullptr;
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

[[gnu::target(XGRAD_TILES ",avx512bf16")]] void round_tiles(std::int64_t rows, std::int64_t columns, const float* sums,
                                                            const BFloat16* bias, BFloat16* c,
                                                            const std::int64_t* c_rows) {
  for (std::int64_t i = 0; i < columns; i += 16) {
    const auto some = static_cast<__mmask16>((1u << std::min<std::int64_t>(columns - i, 16)) - 1);
    __m512 added = _mm512_setzero_ps();
    if (bias)
      added =
          _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, bias + i)), 16));
    for (std::int64_t row = 0; row < rows; ++row) {
      __m512 sum = _mm512_loadu_ps(sums + row * panel_lines + i);
      if (bias) sum = _mm512_add_ps(sum, added);
      _mm256_mask_storeu_epi16(c + c_rows[row] + i, some, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum)));
    }
  }
}

[[gnu::target(XGRAD_TILES ",avx512bf16")]] void round_to_tiles(std::int64_t count, const float* from, BFloat16* to) {
  for (std::int64_t i = 0; i < count; i += 16) {
    const auto some = static_cast<__mmask16>((1u << std::min<std::int64_t>(count - i, 16)) - 1);
    _mm256_mask_storeu_epi16(to + i, some,
                             reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, from + i))));
  }
}

namespace {

/// A chunk of b, packed: stretches from `first` to `last` of some columns, as panels of which each stretch has
/// `panels`.
template <class T>
struct Chunk {
  std::int64_t first, last, column, columns, panels;
  const std::byte* data;
};

/// What a chunk adds to the sums. Those of a stretch wait for the next one in `waiting`, in blocks of 32 x 32: for a
/// panel of a, or, if the next one belongs to another chunk, for all.
template <class T>
void multiply_chunk(std::int64_t m, const TileStretches<T>& stretches, const TileFactor<T>& a, const Chunk<T>& chunk,
                    std::byte* panel_of_a, TileSum<T>* waiting, bool all_wait, const TileConsumer<T>& consumer) {
  const Instructions<T>& best = *instructions<T>();
  alignas(64) TileSum<T> complete[panel_lines * panel_lines];
  for (std::int64_t row = 0; row < m; row += panel_lines) {
    const std::int64_t rows = std::min(panel_lines, m - row);
    TileSum<T>* const partial = waiting + (all_wait ? row * chunk.panels * panel_lines : 0);
    for (std::int64_t s = chunk.first; s < chunk.last; ++s) {
      const bool completes = s + 1 == stretches.count;
      const std::byte* panel_of_b = chunk.data + (s - chunk.first) * chunk.panels * stretches.panel_bytes();
      pack_panel(a, false, row, rows, stretches.begin(s), stretches.depth(s), panel_of_a);
      for (std::int64_t j = 0; j < chunk.columns; j += panel_lines, panel_of_b += stretches.panel_bytes()) {
        const std::int64_t wide = std::min(panel_lines, chunk.columns - j);
        TileSum<T>* const block = partial + j * panel_lines;
        best.multiply[rows > tile_lines][wide > tile_lines](panel_of_a, panel_of_b,
                                                            parts(stretches.depth(s), tile_depth<T>),
                                                            s == 0 ? nullptr : block, completes ? complete : block);
        if (completes) consumer.take(consumer.context, row, chunk.column + j, rows, wide, complete);
      }
    }
  }
}

}  // namespace

template <class T>
void tile_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const TileFactor<T>& a, const TileFactor<T>& b,
               const TileConsumer<T>& consumer) {
  if (m <= panel_lines && n > panel_lines && b.along) {
    // Few rows are computed as the columns of the transposed product: b, which is large then, needs not be transposed.
    const auto take_turned = [](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows,
                                std::int64_t columns, const TileSum<T>* sums) {
      alignas(64) TileSum<T> turned[panel_lines * panel_lines];
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) turned[c * panel_lines + r] = sums[r * panel_lines + c];
      const auto& to = *static_cast<const TileConsumer<T>*>(context);
      to.take(to.context, column, row, columns, rows, turned);
    };
    return tile_gemm<T>(n, m, k, b, a, {take_turned, &consumer});
  }
  const Instructions<T>& best = *instructions<T>();
  const TileStretches<T> stretches(k);
  const std::int64_t some = std::min(stretches.count, chunk_stretches), panel_bytes = stretches.panel_bytes(),
                     panels = std::min(parts(n, panel_lines), most_chunk_bytes / (some * panel_bytes)),
                     chunk_bytes = panels * some * panel_bytes;
  const bool all_wait = stretches.count > chunk_stretches;
  const std::int64_t waiting_rows = stretches.count == 1 ? 0
                                    : all_wait           ? parts(m, panel_lines) * panel_lines
                                                         : panel_lines;
  const Reference<Storage> memory =
      Storage::make(static_cast<std::size_t>(panel_bytes + chunk_bytes + waiting_rows * panels * panel_lines * 4));
  std::byte *const panel_of_a = memory->data(), *const packed = panel_of_a + panel_bytes;
  const Session session(best.begin, best.end);
  for (std::int64_t column = 0; column < n; column += panels * panel_lines)
    for (std::int64_t first = 0; first < stretches.count; first += some) {
      const Chunk<T> chunk{first,  std::min(first + some, stretches.count),
                           column, std::min(panels * panel_lines, n - column),
                           panels, packed};
      for (std::int64_t s = first; s < chunk.last; ++s)
        for (std::int64_t j = 0; j < chunk.columns; j += panel_lines)
          pack_panel(b, true, column + j, std::min(panel_lines, chunk.columns - j), stretches.begin(s),
                     stretches.depth(s), packed + ((s - first) * panels + j / panel_lines) * panel_bytes);
      multiply_chunk(m, stretches, a, chunk, panel_of_a, reinterpret_cast<TileSum<T>*>(packed + chunk_bytes), all_wait,
                     consumer);
    }
}

template <class T>
TilePanels<T>::TilePanels(std::int64_t n, std::int64_t k, const TileFactor<T>& b)
    : n_(n), stretches_(k), panels_(parts(n, panel_lines)) {
  memory_ = Storage::make(static_cast<std::size_t>(stretches_.count * panels_ * stretches_.panel_bytes()));
  parallel_for(stretches_.count * panels_, 16384 / stretches_.panel_bytes() + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t s = i / panels_, column = i % panels_ * panel_lines;
                   pack_panel(b, true, column, std::min(panel_lines, n - column), stretches_.begin(s),
                              stretches_.depth(s), memory_->data() + i * stretches_.panel_bytes());
                 }
               });
}

template <class T>
void TilePanels<T>::multiply(std::int64_t m, const TileFactor<T>& a, const TileConsumer<T>& consumer) const {
  const Instructions<T>& best = *instructions<T>();
  const std::int64_t waiting = stretches_.count == 1 ? 0 : panel_lines * panels_ * panel_lines * 4;
  const Reference<Storage> memory = Storage::make(static_cast<std::size_t>(stretches_.panel_bytes() + waiting));
  const Session session(best.begin, best.end);
  multiply_chunk<T>(m, stretches_, a, {0, stretches_.count, 0, n_, panels_, memory_->data()}, memory->data(),
                    reinterpret_cast<TileSum<T>*>(memory->data() + stretches_.panel_bytes()), false, consumer);
}

#else

template <class T>
bool has_tile_gemm() {
  return false;
}

void round_tiles(std::int64_t, std::int64_t, const float*, const BFloat16*, BFloat16*, const std::int64_t*) {}
void round_to_tiles(std::int64_t, const float*, BFloat16*) {}

template <class T>
void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const TileFactor<T>&, const TileFactor<T>&,
               const TileConsumer<T>&) {}

template <class T>
TilePanels<T>::TilePanels(std::int64_t n, std::int64_t k, const TileFactor<T>&) : n_(n), stretches_(k), panels_(0) {}

template <class T>
void TilePanels<T>::multiply(std::int64_t, const TileFactor<T>&, const TileConsumer<T>&) const {}

#endif

template bool has_tile_gemm<BFloat16>();
template bool has_tile_gemm<std::int8_t>();
template void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const TileFactor<BFloat16>&,
                        const TileFactor<BFloat16>&, const TileConsumer<BFloat16>&);
template void tile_gemm(std::int64_t, std::int64_t, std::int64_t, const TileFactor<std::int8_t>&,
                        const TileFactor<std::int8_t>&, const TileConsumer<std::int8_t>&);

template class TilePanels<BFloat16>;

}  // namespace xgrad::detail
