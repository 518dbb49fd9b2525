#include <xgrad/xgrad.hpp>

#include "reduce_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> product_ops() {
  static const OpInfo ops[] = {
      {"prod", "reductions", "product of x", true,
       [] {
         return reduction_samples(
             "__import__('functools').reduce(lambda t, d: t.prod(d, keepdim={keepdim}), "
             "sorted((d % x[0].dim() for d in {dim}), reverse=True), x[0])",
             [](auto& x, auto& axes, bool keepdim) { return prod(x, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return prod(x, axes); }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
