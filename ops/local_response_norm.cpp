#include "local_response_norm.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/reduction.hpp"
#include "../kernels/window_sums.hpp"
#include "arithmetic.hpp"
#include "math.hpp"

namespace xgrad {

namespace {

/// Sums over windows of channels.
struct ChannelSums {
  static constexpr const char* name = "channel_sums";
  static constexpr bool linear = true;
  std::int64_t before, after;
  Tensor forward(const Tensor& x) const {
    const detail::MaybeOwned in = detail::packed(x);
    const Tensor out = detail::empty_like(in, x.dtype());
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::window_sums(detail::size_along(in->array(), 1), before, after, detail::first_element<T>(*in),
                          detail::first_element<T>(out));
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const { return apply(ChannelSums{after, before}, grad); }
};

}  // namespace

Tensor local_response_norm(Operand x, std::int64_t size, const LocalResponseNormOptions& options) {
  check(size > 0, "local_response_norm: size is ", size, "; it must be at least 1");
  check(x->dim() >= 3, "local_response_norm: input of shape ", x->shape(),
        "; (N, C, ...) of at least three axes is needed");
  check(is_floating(x->dtype()), "local_response_norm: input is ", x->dtype(), "; convert it with .to(float32)");
  const detail::MaybeOwned in = detail::widened(*x);
  const Tensor sums = apply(ChannelSums{size / 2, (size - 1) / 2}, square(*in));
  return detail::narrowed(*in * pow(options.k + options.alpha / static_cast<double>(size) * sums, -options.beta),
                          x->dtype());
}

}  // namespace xgrad
