#pragma once
// Which singular values count.

#include "pinv.hpp"

namespace xgrad::detail {

/// Of the singular values (..., k) of matrices (..., m, n), or the absolute values of eigenvalues: whether each counts.
Tensor counted(const Tensor& values, std::int64_t m, std::int64_t n, const linalg::RankOptions& options);
/// 1 / value where it counts, else 0.
Tensor inverse_counted(const Tensor& values, std::int64_t m, std::int64_t n, const linalg::RankOptions& options);

}  // namespace xgrad::detail
