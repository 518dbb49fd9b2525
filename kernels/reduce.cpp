#include "reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../array/array.hpp"
#include "reduced_elements.hpp"

namespace xgrad::detail {

ReductionStep innermost_step(const Shape& shape, const Shape& result) {
  Shape groups;  // alternately kept and reduced
  bool last_reduced = false;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 1) continue;
    const bool reduced = result[axis] == 1;
    if (!groups.empty() && reduced == last_reduced)
      groups[groups.size() - 1] *= shape[axis];
    else
      groups.push_back(shape[axis]);
    last_reduced = reduced;
  }
  const auto take = [&] {
    const std::int64_t size = groups.back();
    groups.erase(groups.size() - 1);
    return size;
  };
  ReductionStep step;
  if (!last_reduced && !groups.empty()) step.size.inner = take();
  if (!groups.empty()) step.size.reduced = take();

  step.outer = step.shape = step.result = groups;
  step.center_strides = Shape::filled(groups.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t axis = groups.size(), reduced = 0; axis-- > 0; reduced = 1 - reduced) {
    step.size.outer *= groups[axis];
    if (reduced) {
      step.last = false;
      step.result[axis] = 1;
    } else {
      step.center_strides[axis] = stride;
      stride *= groups[axis];
    }
  }
  step.shape.push_back(step.size.inner);
  step.result.push_back(step.size.inner);
  return step;
}

ReductionParts reduction_parts(const ReducedSize& size, std::size_t partial_size) {
  constexpr std::int64_t worth_a_thread = 32768, enough_parts = 64, row_unit = 64;
  ReductionParts parts{};
  parts.columns = std::clamp<std::int64_t>(size.inner, 1, static_cast<std::int64_t>(column_bytes / partial_size));
  parts.in_inner = (size.inner + parts.columns - 1) / parts.columns;
  const std::int64_t independent = std::max<std::int64_t>(size.outer * parts.in_inner, 1),
                     elements = size.reduced * parts.columns;
  std::int64_t cuts = std::min(elements / worth_a_thread, (enough_parts + independent - 1) / independent);
  if (independent >= enough_parts / 2) cuts = 1;
  cuts = std::max<std::int64_t>(cuts, 1);
  parts.rows = size.reduced;
  if (cuts > 1) parts.rows = ((size.reduced + cuts - 1) / cuts + row_unit - 1) / row_unit * row_unit;
  parts.rows = std::max<std::int64_t>(parts.rows, 1);
  parts.in_rows = std::max<std::int64_t>((size.reduced + parts.rows - 1) / parts.rows, 1);
  parts.grain = worth_a_thread / std::max<std::int64_t>(std::min(parts.rows, size.reduced) * parts.columns, 1);
  // The last rows of a range that do not fill a tile must be the same ones for any number of threads.
  if (size.inner == 1 && size.reduced < short_row) parts.grain = (parts.grain / row_tile + 1) * row_tile;
  return parts;
}

namespace {

/// Divides `results` sums by `divisor`. Those that are not finite are found anew, one by one.
template <class T>
void finish_sums(const Shape& shape, const Shape& result, const Stored<T>& from, std::int64_t results, double divisor,
                 T* to) {
  int beyond = 0;
  vectorized([=, &beyond] {
    constexpr T most = std::numeric_limits<T>::max();
    const T by = static_cast<T>(divisor);
    int found = 0;
    if (by == T(1)) {
      for (std::int64_t i = 0; i < results; ++i) found |= std::abs(to[i]) <= most ? 0 : 1;
    } else {
      for (std::int64_t i = 0; i < results; ++i) {
        found |= std::abs(to[i]) <= most ? 0 : 1;
        to[i] /= by;
      }
    }
    beyond = found;
  });
  if (beyond == 0 || shape.numel() == 0) [[likely]]
    return;
  parallel_for(results, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (std::abs(to[i]) <= std::numeric_limits<T>::max()) continue;
      long double sum = 0;
      for_each_reduced(shape, result, i, [&](std::int64_t at) {
        T element[1];
        sum += static_cast<long double>(*from.read(at, 1, element));
      });
      to[i] = static_cast<T>(sum / static_cast<long double>(divisor));
    }
  });
}

/// Elements that are computed as T are summed as T; int64 and bool without sign, because sums of int64 wrap around.
template <class T>
void sum_elements(DType dtype, const Shape& shape, const Shape& result, const std::byte* from, std::byte* to,
                  double divisor) {
  using Reduction = Sum<T, std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>>;
  const Stored<T> elements(dtype, from);
  auto* const sums = reinterpret_cast<typename Reduction::Partial*>(to);
  reduce_axes(Reduction{}, shape, result, elements, sums);
  if constexpr (std::is_floating_point_v<T>) finish_sums(shape, result, elements, result.numel(), divisor, sums);
}

}  // namespace

void sum_axes(DType dtype, const Shape& shape, const Shape& result, const std::byte* from, std::byte* to,
              double divisor) {
  if (dtype == bool_) return sum_elements<bool>(dtype, shape, result, from, to, divisor);
  const DType computed = compute_dtype(dtype);
  const bool is_rounded = is_floating(dtype) && dtype != computed;
  const Array sums = is_rounded ? make_array(result, computed) : Array();
  dispatch_compute(dtype, [&](auto zero) {
    sum_elements<decltype(zero)>(dtype, shape, result, from, is_rounded ? sums.data : to, divisor);
  });
  if (is_rounded) convert_elements(result.numel(), computed, sums.data, dtype, to);
}

}  // namespace xgrad::detail
