#pragma once
// Where values lie among sorted ones, and how many lie where.
//
// Positions and counts have no gradient. Results do not depend on the number of threads.

#include <optional>
#include <utility>

#include "../autograd/operand.hpp"

namespace xgrad {

struct SearchOptions {
  bool right = false;
};
/// For each value where it would be inserted to keep the sequence in order: before what equals it, or with `right`
/// after it; int64. The last axis of `sorted` ascends (this is not checked). It is a vector, and `values` have any
/// shape, or all axes but the last are the same in both. NaN comes after every number.
Tensor searchsorted(const Tensor& sorted, Operand values, const SearchOptions& options = {});
/// searchsorted(boundaries, values) of a vector of boundaries: the number of the bin in which each value lies.
Tensor bucketize(Operand values, const Tensor& boundaries, const SearchOptions& options = {});

struct HistogramOptions {
  std::optional<std::pair<double, double>> range = {};  // from the least to the largest element where none is given
  Tensor weight = {};    // what each element counts, of the shape and dtype of x; 1 where there is none
  bool density = false;  // counts divided by their sum and by the widths of the bins
};
struct Histogram {
  Tensor counts, edges;
};
/// How many elements lie in each of `bins` bins of equal width, and their bins + 1 edges, in the dtype of x. A bin has
/// its lower edge, the last both. What lies outside is not counted, nor is NaN. Throws Error for integers, for a range
/// that is empty or not finite, and where x gives none.
Histogram histogram(Operand x, std::int64_t bins = 100, const HistogramOptions& options = {});
/// The same in the bins between edges, a vector that ascends.
Histogram histogram(Operand x, const Tensor& edges, const HistogramOptions& options = {});

/// How often each of the numbers 0, 1, ... up to the largest occurs in a vector of integers, int64, or the sums of
/// their weights. The result has at least min_length elements. Gradients flow to the weights. Throws Error for a
/// negative number.
Tensor bincount(Operand x, std::int64_t min_length = 0);
Tensor bincount(Operand x, Operand weights, std::int64_t min_length = 0);

}  // namespace xgrad
