#pragma once
// What metrics make of predictions and targets. All throw Error in the name of `op`.

#include <cstdint>
#include <span>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::train::detail {

/// Numbers in float64, one row a sample: (N,) and (N, 1) have one a row, (N, ...) the product of the other sizes.
struct Rows {
  Tensor values;
  std::int64_t count = 0, width = 1;

  std::span<const double> operator[](std::int64_t row) const {
    return values.span<const double>().subspan(static_cast<std::size_t>(row * width), static_cast<std::size_t>(width));
  }
};
/// Throws Error for a tensor without a first axis.
Rows rows(const char* op, const Tensor& prediction);

/// Class numbers, of shape (N,) or (N, 1), of any dtype. Throws Error for another shape, a number of them other than
/// `samples`, and one that is not in 0, ..., classes - 1.
std::vector<std::int64_t> class_numbers(const char* op, const Tensor& target, std::int64_t samples,
                                        std::int64_t classes);

/// The log of the probability of each target class by scores (N, C), or, where `width` is 1, of class 1 by (N,):
/// log_softmax (log_sigmoid) of logits; the log of probabilities, which are kept an epsilon of the dtype away from 0
/// and 1, as in scikit-learn.
std::vector<double> target_log_probabilities(const char* op, const Tensor& prediction, const Tensor& target,
                                             bool from_logits);

}  // namespace xgrad::train::detail
