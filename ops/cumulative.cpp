#include "cumulative.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/reduction.hpp"
#include "../kernels/running_sum.hpp"

namespace xgrad {

namespace {

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
      detail::running_sum(size, in.data<T>(), reverse, out.data<T>());
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
