#pragma once
// Numbers that follow a rule, beside those of create.hpp.

#include "create.hpp"

namespace xgrad {

/// `count` numbers from base^begin to base^end, both included, with evenly spaced exponents, computed in float64.
Tensor logspace(double begin, double end, std::int64_t count, double base = 10, const TensorOptions& options = {});
/// The positions, row by row, of the elements of a (rows, columns) matrix that tril() keeps: (2, count), int64, rows
/// above columns. index(x, {at[0], at[1]}) are these elements. Throws Error for negative sizes.
Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0);
/// The same for triu().
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0);

}  // namespace xgrad
