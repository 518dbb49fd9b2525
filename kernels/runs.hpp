#pragma once
// Runs of neighbouring elements in dense memory, picked by the places at which they begin, and written or added at
// such.
//
// What is read are runs of `length`, one for each of `count` places, which may overlap. Runs that are written are equal
// or do not overlap. Elements that meet in one place are taken in the order of the runs, so that results are the same
// for any number of threads. Places are not checked.

#include "../array/array.hpp"

namespace xgrad::detail {

struct Runs {
  const std::int64_t* begins;
  std::int64_t count, length;
};

/// to = the runs of `from`, one after the other.
void copy_runs(const Runs& runs, const Array& from, const Array& to);
/// The runs of `to` = those of `from`, one after the other; of equal runs the last one stays.
void write_runs(const Runs& runs, const Array& from, const Array& to);

enum class Combine { add, multiply, smallest, largest };
/// Combines the elements of the runs of `to` with those of `from`, one after the other: both of one dtype that is
/// computed with. Integers wrap around; NaN is both the smallest and the largest.
void combine_runs(Combine how, const Runs& runs, const Array& from, const Array& to);

/// Whether a run is the last of those that begin where it does; `size` is the number of elements of the memory.
void find_last_runs(const Runs& runs, std::int64_t size, bool* last);

/// Places in dense memory of the elements that an index along an axis picks, for each of its elements: those of
/// out[i, j] = x[i, index[i, j]] for axis 1.
void places_along(const Shape& index_shape, const std::int64_t* index, const Shape& strides, std::size_t axis,
                  std::int64_t* places);
/// Adds stride * index to each of n places, where a negative index counts from `size`. Gives the number of the first
/// index that is not there, or n.
std::int64_t add_index(std::int64_t n, const std::int64_t* index, std::int64_t size, std::int64_t stride,
                       std::int64_t* places);

}  // namespace xgrad::detail
