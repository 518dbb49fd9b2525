#include <xgrad/xgrad.hpp>

#include "elementwise_samples.hpp"
#include "reduce_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> norm_ops() {
  static const OpInfo ops[] = {
      {"logsumexp", "reductions", "log of the sum of exp(x)", true,
       [] {
         return reduction_samples(
             "torch.logsumexp(x[0], dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return logsumexp(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return logsumexp(x, axes); }); }},
      {"norm", "reductions", "(sum of |x|^p)^(1/p)", true,
       [] {
         return reduction_samples(
                    "torch.linalg.vector_norm(x[0], 2, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 2, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 1, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 1, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 3.5, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 3.5, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], 0.5, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, 0.5, axes, {.keepdim = keepdim}); }) +
                reduction_samples(
                    "torch.linalg.vector_norm(x[0], -1, dim={dim}, keepdim={keepdim})",
                    [](auto& x, auto& axes, bool keepdim) { return norm(x, -1, axes, {.keepdim = keepdim}); },
                    {.of_nothing = false}) +
                reduction_samples("torch.linalg.vector_norm(x[0], float('inf'), dim={dim}, keepdim={keepdim})",
                                  [](auto& x, auto& axes, bool keepdim) {
                                    return norm(x, std::numeric_limits<double>::infinity(), axes, {.keepdim = keepdim});
                                  },
                                  {.of_nothing = false});
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return norm(x, 2, axes); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
