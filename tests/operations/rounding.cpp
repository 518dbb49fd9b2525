#include <xgrad/ops/rounding.hpp>

#include "elementwise_samples.hpp"
#include "reduce_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> rounding_ops() {
  static const OpInfo ops[] = {
      {"ceil", "math", "the smallest integer not below x", false,
       [] { return unary_samples("torch.ceil(x[0])", [](auto& x) { return ceil(x); }); },
       [] { return unary_errors([](auto& x) { return ceil(x); }); }},
      {"trunc", "math", "x without what follows the point", false,
       [] { return unary_samples("torch.trunc(x[0])", [](auto& x) { return trunc(x); }); },
       [] { return unary_errors([](auto& x) { return trunc(x); }); }},
      {"round", "math", "the nearest integer, or multiple of a power of ten", false,
       [] {
         return unary_samples("torch.round(x[0])", [](auto& x) { return round(x); }) +
                unary_samples("torch.round(x[0], decimals=-1)", [](auto& x) { return round(x, -1); }, {-90, 90}) +
                std::vector<OpSample>{
                    sample("torch.round(x[0], decimals=2)", {sample_uniform({3, 4}, -2, 2)},
                           [](auto& x) { return round(x[0], 2); }),
                    sample("torch.round(x[0])", {tensor({-1.5, -0.5, 0.5, 1.5, 2.5}, {.dtype = float64})},
                           [](auto& x) { return round(x[0]); })};
       },
       [] {
         return unary_errors([](auto& x) { return round(x); }) +
                std::vector<OpError>{{[] { round(ones({2}), 400); }, "decimals is 400"},
                                     {[] { round(ones({2}, {.dtype = int64}), -1); }, "decimals is -1"}};
       }},
      {"frac", "math", "x - trunc(x)", true,
       [] { return unary_samples("torch.frac(x[0])", [](auto& x) { return frac(x); }); },
       [] { return unary_errors([](auto& x) { return frac(x); }); }},
      {"nan_to_num", "math", "x with numbers in place of NaN and infinities", true,
       [] { return unary_samples("torch.nan_to_num(x[0])", [](auto& x) { return nan_to_num(x); }); },
       [] { return unary_errors([](auto& x) { return nan_to_num(x); }); }},
      {"nansum", "reductions", "sum of what is not NaN", true,
       [] {
         return reduction_samples(
             "torch.nansum(x[0], {dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return nansum(x, axes, {.keepdim = keepdim}); });
       },
       [] {
         return reduction_errors(
             [](auto& x, auto& axes, bool keepdim) { return nansum(x, axes, {.keepdim = keepdim}); });
       }},
      {"nanmean", "reductions", "mean of what is not NaN", true,
       [] {
         return reduction_samples(
             "torch.nanmean(x[0], {dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return nanmean(x, axes, {.keepdim = keepdim}); },
             {.of_nothing = false});
       },
       [] {
         return reduction_errors(
             [](auto& x, auto& axes, bool keepdim) { return nanmean(x, axes, {.keepdim = keepdim}); });
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
