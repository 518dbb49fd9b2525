#include <xgrad/ops/calculus.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor points() { return tensor({0, 0.5, 1.7, 2, 3.1}, {.dtype = float64, .requires_grad = true}); }

}  // namespace

std::span<const OpInfo> calculus_ops() {
  static const OpInfo ops[] = {
      {"diff", "calculus", "x_(i+1) - x_i", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.diff(x[0])", {sample_normal({3, 4})}, [](auto& x) { return diff(x[0]); }),
             sample("torch.diff(x[0], n=2, dim=0)", {sample_normal({4, 3})},
                    [](auto& x) { return diff(x[0], 0, {.n = 2}); }),
             sample("torch.diff(x[0], n=7, dim=0)", {sample_normal({4, 3})},
                    [](auto& x) { return diff(x[0], 0, {.n = 7}); }),
             sample("torch.diff(x[0], prepend=x[1], append=x[2])",
                    {sample_normal({3, 4}), sample_normal({3, 1}, 2), sample_normal({3, 2}, 3)},
                    [](auto& x) { return diff(x[0], -1, {.prepend = x[1], .append = x[2]}); }),
             sample("torch.diff(x[0])", {sample_normal({3, 0})}, [](auto& x) { return diff(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] { diff(ones({})); }, "diff: axis -1"},
                                     {[] { diff(ones({2}), 0, {.n = -1}); }, "n is -1"}};
       }},
      {"trapezoid", "calculus", "sum of (x_(i+1) - x_i) (y_i + y_(i+1)) / 2", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.trapezoid(x[0], dx=0.3)", {sample_normal({3, 4})},
                    [](auto& x) { return trapezoid(x[0], 0.3); }),
             sample("torch.trapezoid(x[0], x[1], dim=0)", {sample_normal({5, 3}), points()},
                    [](auto& x) { return trapezoid(x[0], x[1], 0); }),
             sample("torch.trapezoid(x[0], x[1])", {sample_normal({3, 5}), sample_normal({3, 5}, 2)},
                    [](auto& x) { return trapezoid(x[0], x[1]); }),
             sample("torch.trapezoid(x[0])", {sample_normal({3, 0})}, [](auto& x) { return trapezoid(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] { trapezoid(ones({})); }, "no axis"},
                                     {[] { trapezoid(ones({4}), ones({3})); }, "x has 3 points"},
                                     {[] {
                                        trapezoid(ones({2, 4}), ones({3, 4}));
                                      },
                                      "x has shape (3, 4)"}};
       }},
      {"cumulative_trapezoid", "calculus", "trapezoid up to each point", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.cumulative_trapezoid(x[0], dx=0.3)", {sample_normal({3, 4})},
                    [](auto& x) { return cumulative_trapezoid(x[0], 0.3); }),
             sample("torch.cumulative_trapezoid(x[0], x[1], dim=0)", {sample_normal({5, 3}), points()},
                    [](auto& x) { return cumulative_trapezoid(x[0], x[1], 0); }),
             sample("torch.cumulative_trapezoid(x[0])", {sample_normal({0, 3})},
                    [](auto& x) { return cumulative_trapezoid(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] { cumulative_trapezoid(ones({4}), ones({3})); }, "x has 3 points"}};
       }},
      {"gradient", "calculus", "slopes by differences of neighbours", true,
       [] {
         return std::vector<OpSample>{
             {"torch.gradient(x[0])", {sample_normal({3, 4})}, [](auto& x) { return gradient(x[0]); }},
             {"torch.gradient(x[0], spacing=0.7, dim=1, edge_order=2)",
              {sample_normal({3, 4})},
              [](auto& x) {
                return gradient(x[0], {.spacing = {tensor(0.7, {.dtype = float64})}, .axes = 1, .edge_order = 2});
              }},
             {"torch.gradient(x[0], spacing=(x[1].detach(),), dim=1, edge_order=2)",
              {sample_normal({3, 5}), points().detach()},
              [](auto& x) { return gradient(x[0], {.spacing = {x[1]}, .axes = 1, .edge_order = 2}); }},
             {"torch.gradient(x[0], dim=1)", {sample_normal({0, 3})}, [](auto& x) {
                return gradient(x[0], {.axes = 1});
              }}};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        gradient(ones({1, 3}));
                                      },
                                      "axis 0 has 1 points"},
                                     {[] { gradient(ones({3}), {.spacing = {ones({2})}}); }, "has shape (2,)"},
                                     {[] { gradient(ones({3}), {.edge_order = 3}); }, "edge_order is 3"}};
       }},
      {"convolve", "calculus", "sum over k of a_k v_(i-k)", true,
       [] {
         return std::vector<OpSample>{
             sample("F.conv1d(x[0][None, None], x[1].flip(0)[None, None], padding=2)[0, 0]",
                    {sample_normal({6}), sample_normal({3}, 2)}, [](auto& x) { return convolve(x[0], x[1]); }),
             sample("F.conv1d(x[1][None, None], x[0].flip(0)[None, None], padding=3)[0, 0, 1:7]",
                    {sample_normal({4}), sample_normal({6}, 2)},
                    [](auto& x) { return convolve(x[0], x[1], ConvolveMode::same); }),
             sample("F.conv1d(x[0][None, None], x[1].flip(0)[None, None])[0, 0]",
                    {sample_normal({6}), sample_normal({4}, 2)},
                    [](auto& x) { return convolve(x[0], x[1], ConvolveMode::valid); }),
             sample("F.conv1d(x[0][None, None], x[1].flip(0)[None, None])[0, 0]",
                    {sample_normal({2}), sample_normal({1}, 2), zeros({0}, {.dtype = int64})},
                    [](auto& x) { return convolve(x[0], x[1]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        convolve(ones({2, 3}), ones({2}));
                                      },
                                      "convolve: shapes (2, 3) and (2,)"},
                                     {[] { convolve(ones({0}), ones({2})); }, "vectors that are not empty"}};
       }},
      {"interp", "calculus", "the piecewise linear function through (xp, fp)", true,
       [] {
         const char* const reference =
             "(lambda i: torch.where(x[0] < x[1][0], x[2][0], torch.where(x[0] > x[1][-1], x[2][-1], x[2][i] + (x[0] - "
             "x[1][i]) * (x[2][i + 1] - x[2][i]) / (x[1][i + 1] - x[1][i]))))((torch.searchsorted(x[1].detach(), "
             "x[0].detach(), right=True) - 1).clamp(0, len(x[1]) - 2))";
         return std::vector<OpSample>{
             sample(reference, {sample_uniform({3, 4}, -1, 4), points(), sample_normal({5}, 2)},
                    [](auto& x) { return interp(x[0], x[1], x[2]); }),
             sample(reference, {sample_uniform({0}, -1, 4), points(), sample_normal({5}, 2)},
                    [](auto& x) { return interp(x[0], x[1], x[2]); })};
       },
       [] {
         return std::vector<OpError>{
             {[] {
                interp(ones({2}), tensor({0, 2, 2}), ones({3}));
              },
              "xp does not increase: 2 at 1 is followed by 2"},
             {[] { interp(ones({2}), ones({3}), ones({2})); }, "xp has shape (3,) and fp (2,)"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
