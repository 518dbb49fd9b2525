#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> local_response_norm_ops() {
  static const OpInfo ops[] = {
      {"local_response_norm", "normalization", "x / (k + alpha / size * sum of x^2 over neighbouring channels)^beta",
       true,
       [] {
         return std::vector<OpSample>{
             sample("F.local_response_norm(x[0], 3, 0.5)", {sample_normal({2, 5, 4})},
                    [](auto& x) { return local_response_norm(x[0], 3, {.alpha = 0.5}); }),
             sample("F.local_response_norm(x[0], 4, 0.5, 0.5, 2.0)",
                    {sample_normal({2, 5, 2, 3}).detach().contiguous(channels_last).requires_grad_()},
                    [](auto& x) { return local_response_norm(x[0], 4, {.alpha = 0.5, .beta = 0.5, .k = 2}); }),
             sample("F.local_response_norm(x[0], 9, 0.5)", {sample_normal({2, 2, 3})},
                    [](auto& x) { return local_response_norm(x[0], 9, {.alpha = 0.5}); }),
             sample("F.local_response_norm(x[0], 1)", {sample_normal({2, 3, 1})},
                    [](auto& x) { return local_response_norm(x[0], 1); }),
             sample("x[0] * 1", {sample_normal({0, 3, 2})}, [](auto& x) { return local_response_norm(x[0], 2); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        local_response_norm(ones({2, 3, 4}), 0);
                                      },
                                      "size is 0"},
                                     {[] {
                                        local_response_norm(ones({2, 3}), 2);
                                      },
                                      "input of shape (2, 3)"},
                                     {[] {
                                        local_response_norm(ones({2, 3, 4}, {.dtype = int64}), 2);
                                      },
                                      "input is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
