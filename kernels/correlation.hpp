#pragma once
// What convolution and the gradient of its input have in common: at each place a sum over taps and channels.

#include <algorithm>
#include <vector>

#include "../array/transpose.hpp"
#include "indirect_gemm.hpp"
#include "patches.hpp"

namespace xgrad::detail {

/// At each output, for each of `columns` channels, the sum of x * weight over taps and `inner` channels.
template <class T>
struct Correlation {
  std::int64_t batch, groups, inner, columns;
  Extents read, written, kernel;
  const Window& window;
  const T* weight;
  std::int64_t inner_step, column_step;  // from the weights of a channel to those of the next

  std::int64_t depth() const { return window.taps() * inner; }
  std::int64_t elements() const { return kernel[0] * kernel[1] * kernel[2]; }
  std::int64_t panels() const { return (columns + most_columns<T>() - 1) / most_columns<T>(); }
  std::int64_t columns_of(std::int64_t panel) const {
    return std::min(columns - panel * most_columns<T>(), most_columns<T>());
  }
  std::int64_t padded_columns() const {  // of all panels of a group
    const std::int64_t whole = (panels() - 1) * most_columns<T>();
    return whole + panel_width<T>(columns - whole);
  }

  /// f(inner channel, weights) for all inner channels of a group, with the weights of the panel's columns, (elements of
  /// the kernel, width of the panel).
  template <class F>
  void for_each_channel(std::int64_t group, std::int64_t panel, const F& f) const {
    const std::int64_t n = columns_of(panel), width = panel_width<T>(n), each = elements();
    const T* const from = weight + group * columns * inner * each + panel * most_columns<T>() * column_step;
    // So many channels at a time as are read in one piece.
    const std::int64_t some = inner_step == each ? 16 : 1;
    std::vector<T> turned(static_cast<std::size_t>(some * each * width));
    for (std::int64_t i = 0; i < inner; i += some) {
      const std::int64_t now = std::min(some, inner - i);
      transpose_copy(sizeof(T), n, now * each, reinterpret_cast<const std::byte*>(from + i * inner_step), column_step,
                     reinterpret_cast<std::byte*>(turned.data()), width);
      for (std::int64_t one = 0; one < now; ++one)
        f(i + one, static_cast<const T*>(turned.data() + one * each * width));
    }
  }
};

}  // namespace xgrad::detail
