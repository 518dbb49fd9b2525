#pragma once
// The order of elements in rows.
//
// Ascending, NaN comes after every number, and so first in descending order; -0 and 0 are equal. Equal elements keep
// their order, in both directions: so there is one right answer, whatever the number of threads.

#include "../array/array.hpp"

namespace xgrad::detail {

/// Which element of a sorted row is meant.
struct Rank {
  enum Kind { kth, median, nanmedian } kind;
  std::int64_t k = 0;  // of kth, from 0
};

// `x` is dense and row-major, rows of n elements one after the other; positions are counted within the row.

/// Position of every element of a row, in sorted order.
void sort_rows(const Array& x, std::int64_t n, bool descending, std::int64_t* positions);
/// Positions of the first k of these, in sorted order.
void sort_first(const Array& x, std::int64_t n, std::int64_t k, bool descending, std::int64_t* positions);
/// Position of the element of this rank in ascending order, for each row: the first NaN where a median has one, the
/// lower of the two in the middle otherwise. n > 0.
void find_ranked(const Array& x, std::int64_t n, const Rank& rank, std::int64_t* positions);

/// Position of the element of a row that occurs most often, the smallest of several: the last of them. n > 0.
void find_mode(const Array& x, std::int64_t n, std::int64_t* positions);

/// Puts `count` rows of n elements in order: the first element in which two differ decides.
void order_rows(const Array& x, std::int64_t count, std::int64_t n, std::int64_t* positions);
/// Numbers the groups of equal rows among rows of n elements in sorted order: `begins` gets the place in `positions`
/// where each group begins (up to `count` of them), `groups` for each row the number of its group. Gives the number of
/// groups. A row with a NaN is equal to none.
std::int64_t group_equal(const Array& x, std::int64_t count, std::int64_t n, const std::int64_t* positions,
                         std::int64_t* begins, std::int64_t* groups);

}  // namespace xgrad::detail
