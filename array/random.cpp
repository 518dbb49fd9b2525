// Compiled with -ffp-contract=off: a fused multiply-add would change the last bit of some numbers on some processors.
// For the same reason nothing here calls the mathematical library except for sqrt, which is exact.
#include "random.hpp"

#include <unistd.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/philox.hpp"

namespace xgrad {
namespace {

__extension__ using Uint128 = unsigned __int128;

// Blocks are computed eight at a time, so that the compiler can keep one lane of a vector for each.
constexpr int lanes = 8;
constexpr std::uint64_t words_per_tile = 2 * lanes;

struct Tile {
  alignas(64) std::uint32_t word[4][lanes];  // [word of the block][block]

  std::uint64_t word64(int half, int lane) const {
    return word[2 * half][lane] | std::uint64_t{word[2 * half + 1][lane]} << 32;
  }
};

std::array<std::uint32_t, 2> halves(std::uint64_t word) {
  return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
}

std::array<std::uint32_t, 4> block_of(const GeneratorState& state, std::uint64_t index) {
  const auto [low, high] = halves(index);
  const auto [stream_low, stream_high] = halves(state.stream);
  return philox({low, high, stream_low, stream_high}, halves(state.seed));
}

// A tile is the blocks `first` to `first + 7`; first is a multiple of 8, so only the lowest bits of the counter differ.
struct BaselineTile : Tile {
  [[gnu::always_inline]] void compute(const GeneratorState& state, std::uint64_t first) {
    const auto [low, high] = halves(first);
    const auto [stream_low, stream_high] = halves(state.stream);
    for (std::uint32_t i = 0; i < lanes; ++i) {
      const auto block = philox({low + i, high, stream_low, stream_high}, halves(state.seed));
      for (std::size_t k = 0; k < 4; ++k) word[k][i] = block[k];
    }
  }
};

#ifdef __x86_64__
// By hand, because g++ finds the instruction that multiplies 32 to 64 bits, but moves the lanes around for it (3x
// slower).
struct Avx2Tile : Tile {
  [[gnu::always_inline, gnu::target("avx2")]] void compute(const GeneratorState& state, std::uint64_t first) {
    const auto wide = [](std::uint64_t value) { return static_cast<long long>(value & 0xffffffff); };
    // Even blocks and odd blocks, each number in the lower half of a 64-bit lane; what is in the upper half is ignored.
    const __m256i base = _mm256_set1_epi64x(wide(first));
    __m256i c0[2] = {_mm256_add_epi64(base, _mm256_setr_epi64x(0, 2, 4, 6)),
                     _mm256_add_epi64(base, _mm256_setr_epi64x(1, 3, 5, 7))};
    __m256i c1[2], c2[2], c3[2];
    for (int g = 0; g < 2; ++g) {
      c1[g] = _mm256_set1_epi64x(wide(first >> 32));
      c2[g] = _mm256_set1_epi64x(wide(state.stream));
      c3[g] = _mm256_set1_epi64x(wide(state.stream >> 32));
    }
    __m256i key0 = _mm256_set1_epi64x(wide(state.seed));
    __m256i key1 = _mm256_set1_epi64x(wide(state.seed >> 32));
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      for (int g = 0; g < 2; ++g) {
        const __m256i a = _mm256_mul_epu32(_mm256_set1_epi64x(0xD2511F53), c0[g]);
        const __m256i b = _mm256_mul_epu32(_mm256_set1_epi64x(0xCD9E8D57), c2[g]);
        c0[g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), c1[g]), key0);
        c1[g] = b;
        c2[g] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), c3[g]), key1);
        c3[g] = a;
      }
      key0 = _mm256_add_epi64(key0, _mm256_set1_epi64x(0x9E3779B9));
      key1 = _mm256_add_epi64(key1, _mm256_set1_epi64x(0xBB67AE85));
    }
    const auto store =
        [](std::uint32_t * out, __m256i even, __m256i odd) __attribute__((target("avx2"), always_inline)) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out), _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
    };
    store(word[0], c0[0], c0[1]);
    store(word[1], c1[0], c1[1]);
    store(word[2], c2[0], c2[1]);
    store(word[3], c3[0], c3[1]);
  }
};
#endif

// Natural logarithm of 0 < x <= 1, x normal: x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2), and the series of
// fdlibm.
[[gnu::always_inline]] inline float log_of(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) + (0x3f800000 - 0x3f3504f3);
  const auto k = static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 127);
  const float f = std::bit_cast<float>((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;
  const float s = f / (2.0f + f);
  const float z = s * s;
  const float w = z * z;
  const float r = z * (0.66666662693f + w * 0.28498786688f) + w * (0.40000972152f + w * 0.24279078841f);
  const float half_square = 0.5f * f * f;
  return s * (half_square + r) + k * 9.0580006145e-06f - half_square + f + k * 6.9313812256e-01f;
}

[[gnu::always_inline]] inline double log_of(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  // The exponent as a double, without an integer conversion, which AVX2 does not have: 2^52 + exponent, less 2^52 +
  // 1023.
  const double k = std::bit_cast<double>((bits >> 52) | 0x4330000000000000) - 4503599627371519.0;
  const double f = std::bit_cast<double>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double w = z * z;
  const double r =
      z * (6.666666666666735130e-01 +
           w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))) +
      w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double half_square = 0.5 * f * f;
  return s * (half_square + r) + k * 1.90821492927058770002e-10 - half_square + f + k * 6.93147180369123816490e-01;
}

// Random bits as the uniform numbers that Box and Muller's method wants: u in (0, 1], and an angle as a quadrant (in
// the two low bits) and the rest x in [-pi/4, pi/4).
[[gnu::always_inline]] inline float open_unit(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word >> 1)) * 0x1p-31f + 0x1p-32f;
}
[[gnu::always_inline]] inline double open_unit(std::uint64_t word) {
  return 2.0 - std::bit_cast<double>((word >> 12) | 0x3ff0000000000000);
}
[[gnu::always_inline]] inline float rest_of_angle(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word & 0x3fffffff) - 0x20000000) * 1.46291807926716e-09f;
}
[[gnu::always_inline]] inline double rest_of_angle(std::uint64_t word) {
  return (std::bit_cast<double>(((word & 0x3fffffffffffffff) >> 10) | 0x3ff0000000000000) - 1.5) *
         1.57079632679489661923;
}

// Minimax polynomials on [-pi/4, pi/4] (Cephes, fdlibm).
[[gnu::always_inline]] inline float sin_of(float x) {
  const float z = x * x;
  return x + x * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
}
[[gnu::always_inline]] inline float cos_of(float x) {
  const float z = x * x;
  return 1.0f - 0.5f * z + z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
}
[[gnu::always_inline]] inline double sin_of(double x) {
  const double z = x * x;
  return x + x * z *
                 (-1.66666666666666324348e-01 +
                  z * (8.33333333332248946124e-03 +
                       z * (-1.98412698298579493134e-04 +
                            z * (2.75573137070700676789e-06 +
                                 z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
}
[[gnu::always_inline]] inline double cos_of(double x) {
  const double z = x * x;
  return 1.0 - 0.5 * z +
         z * z *
             (4.16666666666666019037e-02 +
              z * (-1.38888888888741095749e-03 +
                   z * (2.48015872894767294178e-05 +
                        z * (-2.75573143513906633035e-07 +
                             z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
}

// Two independent standard normal numbers from two random words.
template <class T, class Word>
[[gnu::always_inline]] inline void box_muller(Word a, Word b, T& first, T& second) {
  constexpr int bits = 8 * sizeof(Word);
  const T radius = std::sqrt(T{-2} * log_of(open_unit(a)));
  const T x = rest_of_angle(b);
  const Word quadrant = b >> (bits - 2);
  const Word sine = std::bit_cast<Word>(sin_of(x));
  const Word cosine = std::bit_cast<Word>(cos_of(x));
  const Word swap = Word{0} - (quadrant & 1);
  const Word across = (cosine & ~swap) | (sine & swap);
  const Word up = (sine & ~swap) | (cosine & swap);
  first = radius * std::bit_cast<T>(across ^ (((quadrant + 1) & 2) << (bits - 2)));
  second = radius * std::bit_cast<T>(up ^ ((quadrant & 2) << (bits - 2)));
}

// Kernels turn a tile into `size` numbers.

template <class T>
struct Uniform;

template <>
struct Uniform<float> {
  static constexpr int size = 4 * lanes;
  float low, scale, most;
  [[gnu::always_inline]] void operator()(const Tile& tile, float* __restrict out) const {
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < lanes; ++i) {
        const auto integer = static_cast<std::int32_t>(tile.word[k][i] >> 8);
        const float value = low + scale * (static_cast<float>(integer) * 0x1p-24f);
        out[k * lanes + i] = value < most ? value : most;
      }
  }
};

template <>
struct Uniform<double> {
  static constexpr int size = 2 * lanes;
  double low, scale, most;
  [[gnu::always_inline]] void operator()(const Tile& tile, double* __restrict out) const {
    for (int k = 0; k < 2; ++k)
      for (int i = 0; i < lanes; ++i) {
        const auto upper = static_cast<std::int32_t>(tile.word[2 * k + 1][i] >> 5);
        const auto lower = static_cast<std::int32_t>(tile.word[2 * k][i] >> 6);
        const double unit = (static_cast<double>(upper) * 0x1p26 + static_cast<double>(lower)) * 0x1p-53;
        const double value = low + scale * unit;
        out[k * lanes + i] = value < most ? value : most;
      }
  }
};

template <class T>
struct Normal;

template <>
struct Normal<float> {
  static constexpr int size = 4 * lanes;
  float mean, std;
  [[gnu::always_inline]] void operator()(const Tile& tile, float* __restrict out) const {
    for (int k = 0; k < 4; k += 2)
      for (int i = 0; i < lanes; ++i) {
        float first, second;
        box_muller(tile.word[k][i], tile.word[k + 1][i], first, second);
        out[k * lanes + i] = mean + std * first;
        out[(k + 1) * lanes + i] = mean + std * second;
      }
  }
};

template <>
struct Normal<double> {
  static constexpr int size = 2 * lanes;
  double mean, std;
  [[gnu::always_inline]] void operator()(const Tile& tile, double* __restrict out) const {
    for (int i = 0; i < lanes; ++i) {
      double first, second;
      box_muller(tile.word64(0, i), tile.word64(1, i), first, second);
      out[i] = mean + std * first;
      out[lanes + i] = mean + std * second;
    }
  }
};

template <class T>
struct Bernoulli {
  static constexpr int size = 4 * lanes;
  std::uint32_t last;  // the largest word that means true
  [[gnu::always_inline]] void operator()(const Tile& tile, T* __restrict out) const {
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < lanes; ++i) out[k * lanes + i] = tile.word[k][i] <= last ? T{1} : T{0};
  }
};

// Lemire's method: the upper half of word * bound is below bound, and unbiased if words whose lower half is small are
// rejected. Then the block is encrypted once more, so that each number keeps a block of its own.
struct Integers {
  static constexpr int size = 2 * lanes;
  std::int64_t low;
  std::uint64_t bound;
  std::uint64_t rejected;  // this many values of the lower half
  std::array<std::uint32_t, 2> key;

  [[gnu::always_inline]] void operator()(const Tile& tile, std::int64_t* __restrict out) const {
    for (int k = 0; k < 2; ++k)
      for (int i = 0; i < lanes; ++i) {
        Uint128 product = Uint128{tile.word64(k, i)} * bound;
        if (static_cast<std::uint64_t>(product) < rejected) [[unlikely]]
          product = draw_again(tile, k, i);
        out[k * lanes + i] =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + static_cast<std::uint64_t>(product >> 64));
      }
  }

  [[gnu::noinline]] Uint128 draw_again(const Tile& tile, int half, int lane) const {
    std::array<std::uint32_t, 4> block = {tile.word[0][lane], tile.word[1][lane], tile.word[2][lane],
                                          tile.word[3][lane]};
    for (;;) {
      block = philox(block, key);
      const auto at = static_cast<std::size_t>(2 * half);
      const Uint128 product = Uint128{block[at] | std::uint64_t{block[at + 1]} << 32} * bound;
      if (static_cast<std::uint64_t>(product) >= rejected) return product;
    }
  }
};

template <class Kernel, class T>
[[gnu::noinline]] void fill_tiles_baseline(const Kernel& kernel, const GeneratorState& state, std::uint64_t block,
                                           std::int64_t tiles, T* out) {
  BaselineTile tile;
  for (std::int64_t t = 0; t < tiles; ++t) {
    tile.compute(state, block + static_cast<std::uint64_t>(t) * lanes);
    kernel(tile, out + t * Kernel::size);
  }
}

#ifdef __x86_64__
template <class Kernel, class T>
[[gnu::noinline, gnu::target("avx2")]] void fill_tiles_avx2(const Kernel& kernel, const GeneratorState& state,
                                                            std::uint64_t block, std::int64_t tiles, T* out) {
  Avx2Tile tile;
  for (std::int64_t t = 0; t < tiles; ++t) {
    tile.compute(state, block + static_cast<std::uint64_t>(t) * lanes);
    kernel(tile, out + t * Kernel::size);
  }
}
#endif

template <class Kernel, class T>
void fill_tiles_chosen(const Kernel& kernel, const GeneratorState& state, std::uint64_t block, std::int64_t tiles,
                       T* out) {
#ifdef __x86_64__
  if (simd_level() >= SimdLevel::avx2) return fill_tiles_avx2(kernel, state, block, tiles, out);
#endif
  fill_tiles_baseline(kernel, state, block, tiles, out);
}

template <class T>
Uniform<T> uniform_kernel(double low, double high) {
  check(low <= high, "uniform: low ", low, " is not at most high ", high);
  const T from = static_cast<T>(low);
  const T to = static_cast<T>(high);
  check(std::isfinite(to - from), "uniform: the width of [", low, ", ", high, ") is not finite");
  return {from, to - from, std::nextafter(to, from)};
}

constinit std::atomic<std::uint64_t> process_seed{0};
constinit std::atomic<std::uint64_t> last_stream{0};

constinit thread_local std::optional<Generator> own_generator;

// What is kept of a thread's draws. Whatever runs after its end, such as the destructors of other objects of the
// thread, finds `ended`, and nothing is kept any more.
constinit thread_local bool ended = false;
struct Draws {
  std::vector<detail::Draw> list;
  GeneratorState after;  // the last of them
  ~Draws() { ended = true; }
};
thread_local Draws draws;

template <class T>
void note(const Generator* generator, T* out, std::int64_t n, bool is_normal, double a, double b,
          const GeneratorState& from) {
  constexpr std::size_t most = 4096;
  if (n <= 0 || ended || !own_generator || generator != &*own_generator) return;
  if (draws.after != from || draws.list.size() == most) draws.list.clear();
  try {
    draws.list.push_back({out, n, std::is_same_v<T, double>, is_normal, a, b, from});
  } catch (const std::bad_alloc&) {
    draws.list.clear();
  }
  draws.after = generator->state();
}

}  // namespace

template <class Kernel, class T>
void Generator::fill(const Kernel& kernel, T* out, std::int64_t n) {
  if (n <= 0) return;
  constexpr std::int64_t size = Kernel::size;
  constexpr std::int64_t grain = 512;
  const std::uint64_t first_tile = (state_.position + words_per_tile - 1) / words_per_tile;
  const std::int64_t whole = n / size;
  const std::int64_t rest = n % size;
  const auto block_at = [&](std::int64_t tile) { return (first_tile + static_cast<std::uint64_t>(tile)) * lanes; };
  parallel_for(whole, grain, [&](std::int64_t begin, std::int64_t end) {
    fill_tiles_chosen(kernel, state_, block_at(begin), end - begin, out + begin * size);
  });
  if (rest != 0) {
    T last[size];
    fill_tiles_chosen(kernel, state_, block_at(whole), 1, last);
    std::copy_n(last, rest, out + whole * size);
  }
  state_.position = (first_tile + static_cast<std::uint64_t>(whole) + (rest != 0)) * words_per_tile;
}

std::uint64_t Generator::next() {
  const bool second = state_.position % 2 != 0;
  if (second && second_state_ == state_) {
    ++state_.position;
    return second_word_;
  }
  const auto block = block_of(state_, state_.position / 2);
  ++state_.position;
  const std::uint64_t upper = block[2] | std::uint64_t{block[3]} << 32;
  if (second) return upper;
  second_word_ = upper;
  second_state_ = state_;
  return block[0] | std::uint64_t{block[1]} << 32;
}

void Generator::uniform(float* out, std::int64_t n, double low, double high) {
  const GeneratorState from = state_;
  fill(uniform_kernel<float>(low, high), out, n);
  note(this, out, n, false, low, high, from);
}

void Generator::uniform(double* out, std::int64_t n, double low, double high) {
  const GeneratorState from = state_;
  fill(uniform_kernel<double>(low, high), out, n);
  note(this, out, n, false, low, high, from);
}

void Generator::normal(float* out, std::int64_t n, double mean, double std) {
  check(std >= 0, "normal: std ", std, " is negative or not a number");
  const GeneratorState from = state_;
  fill(Normal<float>{static_cast<float>(mean), static_cast<float>(std)}, out, n);
  note(this, out, n, true, mean, std, from);
}

void Generator::normal(double* out, std::int64_t n, double mean, double std) {
  check(std >= 0, "normal: std ", std, " is negative or not a number");
  const GeneratorState from = state_;
  fill(Normal<double>{mean, std}, out, n);
  note(this, out, n, true, mean, std, from);
}

namespace {

// The largest word that means true, and whether any does.
std::pair<std::uint32_t, bool> bernoulli_words(double p) {
  check(p >= 0 && p <= 1, "bernoulli: probability ", p, " is not between 0 and 1");
  const auto count = static_cast<std::uint64_t>(p * 0x1p32 + 0.5);
  return {static_cast<std::uint32_t>(count - 1), count != 0};
}

}  // namespace

void Generator::bernoulli(bool* out, std::int64_t n, double p) {
  const auto [last, any] = bernoulli_words(p);
  fill(Bernoulli<bool>{last}, out, n);
  if (!any && n > 0) std::fill_n(out, n, false);
}

void Generator::bernoulli(float* out, std::int64_t n, double p) {
  const auto [last, any] = bernoulli_words(p);
  fill(Bernoulli<float>{last}, out, n);
  if (!any && n > 0) std::fill_n(out, n, 0.0f);
}

void Generator::integers(std::int64_t* out, std::int64_t n, std::int64_t low, std::int64_t high) {
  check(low < high, "integers: low ", low, " is not below high ", high);
  const std::uint64_t bound = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  fill(Integers{low, bound, (0 - bound) % bound, halves(state_.seed)}, out, n);
}

std::uint64_t Generator::below(std::uint64_t bound) {
  for (;;) {
    const Uint128 product = Uint128{next()} * bound;
    const auto lower = static_cast<std::uint64_t>(product);
    if (lower >= bound || lower >= (0 - bound) % bound) return static_cast<std::uint64_t>(product >> 64);
  }
}

void Generator::permutation(std::int64_t* out, std::int64_t n) {
  if (n <= 0) return;
  std::iota(out, out + n, std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(out[i], out[below(static_cast<std::uint64_t>(i) + 1)]);
}

Generator& default_generator() {
  if (!own_generator) own_generator.emplace(process_seed.load(), getpid() == gettid() ? 0 : ++last_stream);
  return *own_generator;
}

void manual_seed(std::uint64_t seed) {
  process_seed.store(seed);
  last_stream.store(0);
  own_generator.emplace(seed);
}

namespace {

// draw(generator, out) of the right type.
void repeat(Generator& generator, const detail::Draw& draw, void* out) {
  const auto fill = [&](auto* to) {
    if (draw.is_normal)
      generator.normal(to, draw.n, draw.a, draw.b);
    else
      generator.uniform(to, draw.n, draw.a, draw.b);
  };
  if (draw.is_double)
    fill(static_cast<double*>(out));
  else
    fill(static_cast<float*>(out));
}

}  // namespace

std::span<const detail::Draw> detail::last_draws() {
  if (ended || !own_generator || draws.after != own_generator->state()) return {};
  return draws.list;
}

bool detail::holds(const Draw& draw) {
  const std::size_t bytes = static_cast<std::size_t>(draw.n) * (draw.is_double ? sizeof(double) : sizeof(float));
  std::vector<double> numbers((bytes + sizeof(double) - 1) / sizeof(double));
  Generator generator;
  generator.set_state(draw.from);
  repeat(generator, draw, numbers.data());
  return std::memcmp(numbers.data(), draw.out, bytes) == 0;
}

void detail::draw_again(std::span<const Draw> again) {
  const std::vector<Draw> all(again.begin(), again.end());
  draws.list.resize(draws.list.size() - all.size());
  Generator& generator = default_generator();
  const auto first = std::min_element(all.begin(), all.end(),
                                      [](const Draw& x, const Draw& y) { return x.from.position < y.from.position; });
  generator.set_state(first->from);
  draws.after = first->from;
  for (const Draw& draw : all) repeat(generator, draw, draw.out);
}

}  // namespace xgrad
