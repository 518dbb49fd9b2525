#include "cumulative.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/reduction.hpp"

namespace xgrad {

namespace {

template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

/// Totals along rows of n neighbours; from their ends with `reverse`. Rows by turns, for each addition waits for the
/// one before it in its row.
template <int rows, class T>
void add_up_rows(const T* from, std::int64_t n, bool reverse, T* to) {
  Total<T> total[rows] = {};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = reverse ? n - 1 - i : i;
    for (int row = 0; row < rows; ++row) {
      total[row] += static_cast<Total<T>>(from[row * n + at]);
      to[row * n + at] = static_cast<T>(total[row]);
    }
  }
}

/// Totals along the middle axis; from its end with `reverse`.
template <class T>
void add_up(const T* from, const detail::ReducedSize& size, bool reverse, T* to) {
  if (size.inner == 1)
    return parallel_for(size.outer, 16384 / size.reduced + 1, [=](std::int64_t begin, std::int64_t end) {
      std::int64_t row = begin;
      for (; row + 8 <= end; row += 8)
        add_up_rows<8>(from + row * size.reduced, size.reduced, reverse, to + row * size.reduced);
      for (; row < end; ++row)
        add_up_rows<1>(from + row * size.reduced, size.reduced, reverse, to + row * size.reduced);
    });
  constexpr std::int64_t together = 256;
  const std::int64_t groups = (size.inner + together - 1) / together,
                     grain = 16384 / std::max<std::int64_t>(size.reduced * std::min(size.inner, together), 1) + 1;
  parallel_for(size.outer * groups, grain, [=](std::int64_t begin, std::int64_t end) {
    vectorized([=] {
      for (std::int64_t group = begin; group < end; ++group) {
        const std::int64_t column = group % groups * together,
                           first = group / groups * size.reduced * size.inner + column,
                           width = size.inner - column < together ? size.inner - column : together;
        Total<T> total[together] = {};
        for (std::int64_t row = 0; row < size.reduced; ++row) {
          const std::int64_t at = first + (reverse ? size.reduced - 1 - row : row) * size.inner;
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < width; ++i) {
            total[i] += static_cast<Total<T>>(from[at + i]);
            to[at + i] = static_cast<T>(total[i]);
          }
        }
      }
    });
  });
}

struct Cumsum {
  static constexpr const char* name = "cumsum";
  static constexpr bool linear = true;
  std::size_t axis;
  bool reverse = false;
  Tensor forward(const Tensor& x) {
    const Tensor in = detail::dense(x);
    Tensor out = detail::empty(x.shape(), x.dtype());
    if (x.numel() == 0) return out;
    const detail::ReducedSize size = detail::size_along(x.shape(), axis);
    detail::dispatch_compute(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      add_up(in.data<T>(), size, reverse, out.data<T>());
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(Cumsum{axis, !reverse}, grad); }
};

}  // namespace

Tensor cumsum(Operand x, std::int64_t axis, const CumsumOptions& options) {
  const std::size_t along = normalize_axis("cumsum", axis, x->dim());
  const Tensor in = x->to(options.dtype.value_or(x->dtype()));
  Tensor totals = apply(Cumsum{along}, detail::widened(in));
  return options.dtype || is_floating(in.dtype()) ? detail::narrowed(std::move(totals), in.dtype()) : totals;
}

}  // namespace xgrad
