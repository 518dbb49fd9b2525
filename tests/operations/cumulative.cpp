#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> cumulative_ops() {
  static const OpInfo ops[] = {
      {"cumsum", "reductions", "y_i = x_0 + ... + x_i", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.cumsum(x[0], 1)", {sample_normal({2, 3, 4})}, [](auto& x) { return cumsum(x[0], 1); }),
             sample("torch.cumsum(x[0], -1)", {sample_normal({2, 3, 4})}, [](auto& x) { return cumsum(x[0], -1); }),
             sample("torch.cumsum(x[0], 0)", {view(sample_normal({3, 2}), {2, 3}, {1, 2}).requires_grad_()},
                    [](auto& x) { return cumsum(x[0], 0); }),
             sample("torch.cumsum(x[0], 0)", {sample_normal({0, 3})}, [](auto& x) { return cumsum(x[0], 0); }),
             sample("torch.cumsum(x[0], 0)", {sample_normal({3, 0})}, [](auto& x) { return cumsum(x[0], 0); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        cumsum(ones({2, 3}), 2);
                                      },
                                      "cumsum: axis 2 is out of range for a tensor with 2 axes"},
                                     {[] { cumsum(Tensor(), 0); }, "undefined"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
