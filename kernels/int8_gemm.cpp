#include "int8_gemm.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "../core/storage.hpp"
#include "tile_gemm.hpp"

namespace xgrad::detail {
namespace {

constexpr std::int64_t lanes = 32;

/// The scale of a row.
float scale_of(std::int64_t k, const float* x) {
  float scale = 0;
  vectorized([=, &scale] {
    float largest[lanes] = {}, none[lanes] = {};  // none: 0, or NaN beside NaN and infinity
    const auto take = [&](std::int64_t lane, float value) __attribute__((always_inline)) {
      const float size = std::abs(value);
      largest[lane] = size > largest[lane] ? size : largest[lane];
      none[lane] += value * 0;
    };
    std::int64_t p = 0;
    for (; p + lanes <= k; p += lanes)
      for (std::int64_t lane = 0; lane < lanes; ++lane) take(lane, x[p + lane]);
    for (; p < k; ++p) take(0, x[p]);
    float most = 0, nothing = 0;
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      most = largest[lane] > most ? largest[lane] : most;
      nothing += none[lane];
    }
    scale = (most > 0 ? most / 127 : 1) + nothing;
  });
  return scale;
}

/// Sums of products of `rows` rows of a and `columns` rows of b.
template <int rows, int columns, class T>
[[gnu::always_inline]] inline void dots(std::int64_t k, const T* a, const T* b, std::int32_t (&sums)[rows][columns]) {
  // The compiler makes multiply-add instructions of pairs of this.
  for (std::int64_t p = 0; p < k; ++p)
#pragma GCC unroll 4
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 4
      for (int column = 0; column < columns; ++column)
        sums[row][column] += static_cast<std::int32_t>(a[row * k + p]) * b[column * k + p];
}

/// What a part of y is made of.
template <class T>
struct Part {
  std::int64_t rows, columns, k;
  const T *a, *b;  // rows of k numbers, one after the other
  const float *a_scales, *b_scales, *bias;
  float* y;
  std::int64_t ldy;
};

template <int rows, int columns, class T>
[[gnu::always_inline]] inline void tile(const Part<T>& part, std::int64_t row, std::int64_t column) {
  std::int32_t sums[rows][columns] = {};
  dots<rows, columns>(part.k, part.a + row * part.k, part.b + column * part.k, sums);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const std::int64_t j = column + c;
      const float value = static_cast<float>(sums[r][c]) * (part.a_scales[row + r] * part.b_scales[j]);
      part.y[(row + r) * part.ldy + j] = part.bias ? value + part.bias[j] : value;
    }
}

template <class T>
void compute(const Part<T>& part) {
  vectorized([part] {
    constexpr int high = 2, wide = 4;
    std::int64_t row = 0;
    for (; row + high <= part.rows; row += high) {
      std::int64_t column = 0;
      for (; column + wide <= part.columns; column += wide) tile<high, wide>(part, row, column);
      for (; column < part.columns; ++column) tile<high, 1>(part, row, column);
    }
    for (; row < part.rows; ++row) {
      std::int64_t column = 0;
      for (; column + wide <= part.columns; column += wide) tile<1, wide>(part, row, column);
      for (; column < part.columns; ++column) tile<1, 1>(part, row, column);
    }
  });
}

/// Sums become numbers: the rows of c from `row` on, and the columns from `column` on, of rows of 32 sums.
void scale_sums(const Part<std::int8_t>& part, std::int64_t row, std::int64_t column, std::int64_t rows,
                std::int64_t columns, const std::int32_t* sums) {
  const float *const a_scales = part.a_scales + row, *const b_scales = part.b_scales + column,
                     *const bias = part.bias ? part.bias + column : nullptr;
  float* const y = part.y + row * part.ldy + column;
  const std::int64_t ldy = part.ldy;
  vectorized([=] {
    for (std::int64_t r = 0; r < rows; ++r) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t c = 0; c < columns; ++c) {
        const float value = static_cast<float>(sums[r * 32 + c]) * (a_scales[r] * b_scales[c]);
        y[r * ldy + c] = bias ? value + bias[c] : value;
      }
    }
  });
}

void compute_by_tiles(const Part<std::int8_t>& part) {
  const auto take = [](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows,
                       std::int64_t columns, const std::int32_t* sums) {
    scale_sums(*static_cast<const Part<std::int8_t>*>(context), row, column, rows, columns, sums);
  };
  tile_gemm<std::int8_t>(part.rows, part.columns, part.k, {part.a, true, part.k}, {part.b, true, part.k},
                         {take, &part});
}

void widen(std::int64_t count, const std::int8_t* from, std::int16_t* to) {
  vectorized([=] {
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
  });
}

}  // namespace

void quantize_rows(std::int64_t rows, std::int64_t k, const float* x, std::int8_t* values, float* scales) {
  parallel_for(rows, 16384 / std::max<std::int64_t>(k, 1) + 1, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* const in = x + row * k;
      std::int8_t* const out = values + row * k;
      const float scale = scales[row] = scale_of(k, in), inverse = 1 / scale;
      vectorized([=] {
        // Of a number that 1.5 2^23 was added to, the last bits are the number rounded.
        constexpr float magic = 0x1.8p23f;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t p = 0; p < k; ++p)
          out[p] = static_cast<std::int8_t>(std::bit_cast<std::int32_t>(in[p] * inverse + magic));
      });
    }
  });
}

void int8_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const std::int8_t* a, const float* a_scales,
               const std::int8_t* b, const float* b_scales, const float* bias, float* y) {
  if (m == 0 || n == 0) return;
  if (has_tile_gemm<std::int8_t>() && k > 0 && m > 1) {
    const bool by_rows = m > n;
    const std::int64_t lines = by_rows ? m : n, others = by_rows ? n : m;
    const std::int64_t part = std::max<std::int64_t>((lines / num_threads() + 31) / 32 * 32, 32);
    parallel_for(
        (lines + part - 1) / part, (1 << 23) / (part * others * (k + 1)) + 1,
        [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t first = begin * part; first < std::min(end * part, lines); first += part) {
            const std::int64_t some = std::min(part, lines - first), row = by_rows ? first : 0,
                               column = by_rows ? 0 : first;
            compute_by_tiles({by_rows ? some : m, by_rows ? n : some, k, a + row * k, b + column * k, a_scales + row,
                              b_scales + column, bias ? bias + column : nullptr, y + row * n + column, n});
          }
        });
    return;
  }
  if (m < 4) {  // what is read once or twice is not widened into memory first
    parallel_for(n, (1 << 17) / (k + 1) + 4, [=](std::int64_t begin, std::int64_t end) {
      compute(Part<std::int8_t>{m, end - begin, k, a, b + begin * k, a_scales, b_scales + begin,
                                bias ? bias + begin : nullptr, y + begin, n});
    });
    return;
  }
  // Parts whose factors, widened, fill half of the second-level cache at most.
  const std::int64_t rows = std::min<std::int64_t>(m, 32),
                     columns = std::min(n, std::clamp<std::int64_t>((1 << 16) / (k + 1) / 4 * 4, 4, 128));
  const std::int64_t across = (n + columns - 1) / columns;
  parallel_for(across, (1 << 20) / (columns * m * (k + 1)) + 1, [=](std::int64_t begin, std::int64_t end) {
    const auto memory = Storage::make(static_cast<std::size_t>((rows + columns) * k + 1) * sizeof(std::int16_t));
    std::int16_t *const wide_a = reinterpret_cast<std::int16_t*>(memory->data()), *const wide_b = wide_a + rows * k;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = i * columns, some_columns = std::min(columns, n - column);
      widen(some_columns * k, b + column * k, wide_b);
      for (std::int64_t row = 0; row < m; row += rows) {
        const std::int64_t some_rows = std::min(rows, m - row);
        widen(some_rows * k, a + row * k, wide_a);
        compute(Part<std::int16_t>{some_rows, some_columns, k, wide_a, wide_b, a_scales + row, b_scales + column,
                                   bias ? bias + column : nullptr, y + row * n + column, n});
      }
    }
  });
}

}  // namespace xgrad::detail
