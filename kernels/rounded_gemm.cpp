#include "rounded_gemm.hpp"

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "reduce.hpp"

namespace xgrad::detail {
namespace {

/// A (rows, columns) matrix, rounded.
void round_matrix(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t ld, BFloat16* to) {
  parallel_for(rows, 65536 / columns + 1, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) round_to_tiles(columns, from + row * ld, to + row * columns);
  });
}

TilePanels<BFloat16> panels_of(bool transpose, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb) {
  const std::int64_t rows = transpose ? n : k, columns = transpose ? k : n;
  const Scratch<BFloat16> rounded(rows * columns);
  round_matrix(rows, columns, b, ldb, rounded.data());
  return {n, k, {.data = rounded.data(), .along = transpose, .ld = columns}};
}

struct Part {
  float beta, *c;
  std::int64_t ldc;
  const float* bias;
};

void take(const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
          const float* sums) {
  const Part& part = *static_cast<const Part*>(context);
  float* const c = part.c + row * part.ldc + column;
  const float* const bias = part.bias ? part.bias + column : nullptr;
  const std::int64_t ldc = part.ldc;
  const bool adds = part.beta != 0;
  vectorized([=] {
    for (std::int64_t i = 0; i < rows; ++i) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t j = 0; j < columns; ++j) {
        const float sum = sums[i * panel_lines + j];
        c[i * ldc + j] = bias ? sum + bias[j] : adds ? sum + c[i * ldc + j] : sum;
      }
    }
  });
}

}  // namespace

RoundedFactor::RoundedFactor(bool transpose, std::int64_t k, std::int64_t n, const float* b, std::int64_t ldb)
    : k_(k), panels_(panels_of(transpose, k, n, b, ldb)) {}

void RoundedFactor::multiply(bool transpose, std::int64_t m, const float* a, std::int64_t lda, float beta, float* c,
                             std::int64_t ldc, const float* bias) const {
  if (m == 0) return;
  const std::int64_t columns = transpose ? m : k_;
  const Scratch<BFloat16> rounded(m * k_);
  round_matrix(transpose ? k_ : m, columns, a, lda, rounded.data());
  parallel_for((m + panel_lines - 1) / panel_lines, (1 << 16) / k_ + 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t row = begin * panel_lines, rows = std::min(end * panel_lines, m) - row;
    const Part part{beta, c + row * ldc, ldc, bias};
    panels_.multiply(rows,
                     {.data = rounded.data() + row * (transpose ? 1 : columns), .along = !transpose, .ld = columns},
                     {take, &part});
  });
}

}  // namespace xgrad::detail
