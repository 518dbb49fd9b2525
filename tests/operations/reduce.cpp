#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "reduce_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> reduce_ops() {
  static const OpInfo ops[] = {
      {"sum", "reductions", "sum of x", true,
       [] {
         return reduction_samples("torch.sum(x[0], dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return sum(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return sum(x, axes); }); }},
      {"mean", "reductions", "sum of x / n", true,
       [] {
         return reduction_samples(
             "torch.mean(x[0], dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return mean(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return mean(x, axes); }); }},
      {"var", "reductions", "sum of (x - mean(x))^2 / (n - correction)", true,
       [] {
         return reduction_samples("torch.var(x[0], dim={dim}, unbiased=True, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) { return var(x, axes, {.keepdim = keepdim}); },
                                  {.of_one = false}) +
                reduction_samples("torch.var(x[0], dim={dim}, unbiased=False, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) {
                                    return var(x, axes, {.correction = 0, .keepdim = keepdim});
                                  });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return var(x, axes); }); }},
      {"stddev", "reductions", "sqrt(var(x))", true,
       [] {
         return reduction_samples(
             "torch.std(x[0], dim={dim}, unbiased=True, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return stddev(x, axes, {.keepdim = keepdim}); },
             {.of_one = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return stddev(x, axes); }); }},
      {"count_nonzero", "reductions", "number of elements other than 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] != 0, dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return count_nonzero(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return count_nonzero(x, axes); }); }},
      {"all", "reductions", "whether no element is 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] <= -1, dim={dim}, keepdim={keepdim}) == 0",
             [](auto& x, auto& axes, bool keepdim) { return all(x > -1, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return all(x, axes); }); }},
      {"any", "reductions", "whether an element is not 0", false,
       [] {
         return reduction_samples(
             "torch.sum(x[0] > 1, dim={dim}, keepdim={keepdim}) > 0",
             [](auto& x, auto& axes, bool keepdim) { return any(x > 1, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return any(x, axes); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
