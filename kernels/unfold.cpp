#include "unfold.hpp"

#include <algorithm>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"

namespace xgrad::detail {
namespace {

/// The positions, from `begin` to before `end`, at which tap `tap` of an axis reads inside the image.
struct Inside {
  Inside(const UnfoldSize& size, std::size_t axis, std::int64_t tap) {
    const std::int64_t stride = size.stride[axis], first = tap * size.dilation[axis] - size.padding[axis];
    begin = std::min(size.positions[axis], first < 0 ? (-first + stride - 1) / stride : 0);
    end = std::max(begin, std::min(size.positions[axis],
                                   first < size.size[axis] ? (size.size[axis] - 1 - first) / stride + 1 : 0));
    offset = first;
  }
  std::int64_t begin, end, offset;  // position o reads at o * stride + offset
};

/// f(rows, columns, first) for the taps of one channel of one image, where `first` is that of the columns.
template <class F>
void for_each_tap(const UnfoldSize& size, const F& f) {
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < size.kernel[0]; ++i)
    for (std::int64_t j = 0; j < size.kernel[1]; ++j) {
      f(Inside(size, 0, i), Inside(size, 1, j), first);
      first += size.positions[0] * size.positions[1];
    }
}

/// f(plane) for each channel of each image, in parallel.
template <class F>
void for_each_channel(const UnfoldSize& size, const F& f) {
  const std::int64_t work = size.kernel[0] * size.kernel[1] * size.positions[0] * size.positions[1];
  parallel_for(size.batch * size.channels, 16384 / std::max<std::int64_t>(work, 1) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t plane = begin; plane < end; ++plane) f(plane);
               });
}

std::int64_t column_elements(const UnfoldSize& size) {
  return size.kernel[0] * size.kernel[1] * size.positions[0] * size.positions[1];
}

}  // namespace

template <class T>
void unfold(const UnfoldSize& size, const T* images, const std::array<std::int64_t, 4>& steps, T* columns) {
  const std::int64_t elements = column_elements(size), height = size.positions[0], width = size.positions[1];
  for_each_channel(size, [&](std::int64_t plane) {
    const T* const from = images + plane / size.channels * steps[0] + plane % size.channels * steps[1];
    T* const to = columns + plane * elements;
    for_each_tap(size, [&](const Inside& rows, const Inside& places, std::int64_t first) {
      const std::int64_t step = size.stride[1] * steps[3];
      vectorized([=, down = size.stride[0] * steps[2], across = places.offset * steps[3], row_step = steps[2]] {
        for (std::int64_t o = 0; o < height; ++o) {
          T* const row = to + first + o * width;
          const bool inside = o >= rows.begin && o < rows.end;
          const std::int64_t begin = inside ? places.begin : width, end = inside ? places.end : width;
          for (std::int64_t p = 0; p < begin; ++p) row[p] = T(0);
          for (std::int64_t p = end; p < width; ++p) row[p] = T(0);
          if (begin >= end) continue;
          const T* const at = from + o * down + rows.offset * row_step + across;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t p = begin; p < end; ++p) row[p] = at[p * step];
        }
      });
    });
  });
}

template <class T>
void fold(const UnfoldSize& size, const T* columns, T* images) {
  const std::int64_t elements = column_elements(size), width = size.positions[1], places = size.size[0] * size.size[1];
  for_each_channel(size, [&](std::int64_t plane) {
    const T* const from = columns + plane * elements;
    T* const to = images + plane * places;
    std::fill_n(to, places, T(0));
    for_each_tap(size, [&](const Inside& rows, const Inside& across, std::int64_t first) {
      vectorized([=, down = size.stride[0], step = size.stride[1], row_length = size.size[1]] {
        for (std::int64_t o = rows.begin; o < rows.end; ++o) {
          const T* const row = from + first + o * width;
          T* const at = to + (o * down + rows.offset) * row_length + across.offset;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t p = across.begin; p < across.end; ++p) at[p * step] += row[p];
        }
      });
    });
  });
}

template void unfold(const UnfoldSize&, const float*, const std::array<std::int64_t, 4>&, float*);
template void unfold(const UnfoldSize&, const double*, const std::array<std::int64_t, 4>&, double*);
template void fold(const UnfoldSize&, const float*, float*);
template void fold(const UnfoldSize&, const double*, double*);

}  // namespace xgrad::detail
