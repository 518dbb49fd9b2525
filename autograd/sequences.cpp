#include "sequences.hpp"

#include <cmath>

namespace xgrad {

namespace {

/// The columns that a triangle has in a row.
struct Columns {
  Columns(bool lower, std::int64_t row, std::int64_t columns, std::int64_t offset)
      : begin(lower ? 0 : std::clamp<std::int64_t>(row + offset, 0, columns)),
        end(lower ? std::clamp<std::int64_t>(row + offset + 1, 0, columns) : columns) {}
  std::int64_t begin, end;
};

Tensor triangle(const char* op, bool lower, std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  check(rows >= 0 && columns >= 0, op, ": a matrix of shape (", rows, ", ", columns, "); sizes cannot be negative");
  Shape{rows, columns}.numel();
  offset = std::clamp<std::int64_t>(offset, -rows, columns);
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const Columns of(lower, row, columns, offset);
    count += of.end - of.begin;
  }
  const Tensor at = detail::empty({2, count}, int64);
  std::int64_t *row_at = at.data<std::int64_t>(), *column_at = row_at + count;
  for (std::int64_t row = 0; row < rows; ++row) {
    const Columns of(lower, row, columns, offset);
    for (std::int64_t column = of.begin; column < of.end; ++column) *row_at++ = row, *column_at++ = column;
  }
  return at;
}

}  // namespace

Tensor logspace(double begin, double end, std::int64_t count, double base, const TensorOptions& options) {
  const Tensor numbers = linspace(begin, end, count, {.dtype = float64});
  for (double& number : numbers.span<double>()) number = std::pow(base, number);
  TensorOptions wanted = options;
  wanted.dtype = options.dtype.value_or(float32);
  return detail::with_options("logspace", numbers, wanted);
}

Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  return triangle("tril_indices", true, rows, columns, offset);
}
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  return triangle("triu_indices", false, rows, columns, offset);
}

}  // namespace xgrad
