#pragma once
// Elements in order.
//
// NaN counts as larger than every number, -0 and 0 as equal. Equal elements keep their order, so that values and
// positions are the same for any number of threads. Positions are int64 and have no gradient; values have that of the
// elements which they are. Axes may be counted from the back. A tensor without axes counts as one of a single element.

#include <optional>

#include "extrema.hpp"

namespace xgrad {

struct SortOptions {
  bool descending = false;
};
/// The elements along an axis in ascending order, or in descending one, and where they were. Stable.
ValuesAndIndices sort(Operand x, std::int64_t axis = -1, const SortOptions& options = {});
/// Where the elements along an axis are in sorted order: the indices of sort().
Tensor argsort(Operand x, std::int64_t axis = -1, const SortOptions& options = {});

struct TopkOptions {
  bool largest = true;
};
/// The k largest elements along an axis, the largest first, or the k smallest, the smallest first, and where they were:
/// of equal elements those that come first. Throws Error where k is negative or more than the size of the axis.
ValuesAndIndices topk(Operand x, std::int64_t k, std::int64_t axis = -1, const TopkOptions& options = {});
/// The k-th smallest element along an axis, counted from 1, and where it was. Throws Error for a k that is not there.
ValuesAndIndices kthvalue(Operand x, std::int64_t k, std::int64_t axis = -1, const ReduceOptions& options = {});

/// The median of all elements: the lower one of the two in the middle where their number is even; NaN if one is, and
/// where there are none. Throws Error for no integers.
Tensor median(Operand x);
/// The same along an axis, and where it was; of a NaN the first.
ValuesAndIndices median(Operand x, Axis axis, const ReduceOptions& options = {});
/// The median of the elements that are not NaN; NaN where all are, or there are none.
Tensor nanmedian(Operand x);
ValuesAndIndices nanmedian(Operand x, Axis axis, const ReduceOptions& options = {});

/// The value along an axis that occurs most often, the smallest of several, and where it was last. Every NaN is a value
/// of its own. Throws Error for an axis without elements.
ValuesAndIndices mode(Operand x, std::int64_t axis = -1, const ReduceOptions& options = {});

/// What a quantile is between two elements: on the line between them, the lower, the higher, their mean, or the nearer
/// one (at the middle the one at an even place).
enum class Interpolation { linear, lower, higher, midpoint, nearest };
struct QuantileOptions {
  std::optional<std::int64_t> axis = {};  // none: of all elements
  bool keepdim = false;
  Interpolation interpolation = Interpolation::linear;
};
/// The value below which a fraction q of the elements lies: of n elements in order that at place q (n - 1), counted
/// from 0; NaN if one is. `q`, a number or a vector of them from 0 to 1, is a constant; the result has its axis in
/// front. Throws Error for elements that are not floating, for none, and for a q beyond these bounds.
Tensor quantile(Operand x, const Tensor& q, const QuantileOptions& options = {});
Tensor quantile(Operand x, double q, const QuantileOptions& options = {});
/// The same of the elements that are not NaN; NaN where all are.
Tensor nanquantile(Operand x, const Tensor& q, const QuantileOptions& options = {});
Tensor nanquantile(Operand x, double q, const QuantileOptions& options = {});

struct UniqueValues {
  Tensor values;   // each once, ascending
  Tensor inverse;  // where in `values` each element of x is, of the shape of x
  Tensor counts;   // how often each value occurs
};
/// The different elements of x. Every NaN is one of its own. Of equal elements the first gets the gradient.
UniqueValues unique(Operand x);
/// The different parts of x along an axis, such as the rows of a matrix: the first element in which two of them differ
/// decides on their order. `inverse` has a place for each index of the axis.
UniqueValues unique(Operand x, Axis axis);

}  // namespace xgrad
