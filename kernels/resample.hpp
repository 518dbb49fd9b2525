#pragma once
// An axis resampled: each element of the result is a weighted sum of neighbours along the axis, with weights that are
// the same everywhere else. All that interpolation does is of this form, and so are its derivatives.

#include <cstdint>
#include <vector>

namespace xgrad::detail {

/// A sparse matrix (outputs, inputs): row i has weights[begin[i]], ..., weights[begin[i + 1] - 1] for the inputs from
/// first[i] on.
struct Resampling {
  std::int64_t inputs = 0;
  std::vector<std::int64_t> first, begin = {0};
  std::vector<double> weights;

  std::int64_t outputs() const { return static_cast<std::int64_t>(first.size()); }
  bool is_identity() const;
};
Resampling transposed(const Resampling& matrix);

/// to (outer, outputs, inner) from `from` (outer, inputs, inner), both dense.
template <class T>
void resample(const Resampling& matrix, std::int64_t outer, std::int64_t inner, const T* from, T* to);

}  // namespace xgrad::detail
