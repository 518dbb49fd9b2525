#include <xgrad/ops/position.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// The rotation of x (..., L, width) by `angles` (..., L, width / 2) in PyTorch.
std::string turned(const std::string& by, bool interleaved, const std::string& x = "x[0]") {
  const std::string body =
      interleaved ? "torch.stack([a[..., ::2] * t.cos() - a[..., 1::2] * t.sin(), a[..., 1::2] * t.cos() + "
                    "a[..., ::2] * t.sin()], -1).flatten(-2)"
                  : "torch.cat([a.chunk(2, -1)[0] * t.cos() - a.chunk(2, -1)[1] * t.sin(), "
                    "a.chunk(2, -1)[1] * t.cos() + a.chunk(2, -1)[0] * t.sin()], -1)";
  return "(lambda a, t: " + body + ")(" + x + ", " + by + ")";
}

std::string angles(const std::string& places, int width) {
  const std::string half = std::to_string(width / 2), all = std::to_string(width);
  return "(" + places + ")[..., None].double() * 10000.0 ** (-2 * torch.arange(" + half + ").double() / " + all + ")";
}

}  // namespace

std::span<const OpInfo> position_ops() {
  static const OpInfo ops[] = {
      {"rope", "sequences", "pairs of elements turned by angles that grow with the place", true,
       [] {
         return std::vector<OpSample>{
             sample(turned(angles("torch.arange(3)", 4), false), {sample_normal({2, 3, 4})},
                    [](auto& x) { return rope(x[0]); }),
             sample(turned(angles("torch.arange(3) + 2", 6), true), {sample_normal({3, 6})},
                    [](auto& x) { return rope(x[0], {.interleaved = true, .offset = 2}); }),
             sample(turned(angles("x[1][:, None]", 2), false),
                    {transpose(sample_normal({2, 3, 2, 2}).detach(), 1, 2).requires_grad_(),
                     tensor({{5, 0, 2}, {1, 1, 9}})},
                    [](auto& x) { return rope(x[0], {.positions = unsqueeze(x[1], 1)}); }),
             sample(
                 "torch.cat([" + turned(angles("torch.arange(2)", 2), false, "x[0][..., :2]") + ", x[0][..., 2:]], -1)",
                 {sample_normal({2, 3})}, [](auto& x) { return rope(x[0], {.width = 2}); }),
             sample("x[0] + 0", {sample_normal({0, 3, 4})}, [](auto& x) { return rope(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        rope(ones({2, 3}));
                                      },
                                      "rope: a width of 3 for x (2, 3)"},
                                     {[] { rope(ones({4})); }, "rope: x has shape (4,)"},
                                     {[] {
                                        rope(zeros({2, 4}, {.dtype = int64}));
                                      },
                                      "rope: x is int64"},
                                     {[] {
                                        rope(ones({2, 4}), {.positions = tensor({1, 2, 3})});
                                      },
                                      "(3,) and (2,) do not broadcast"},
                                     {[] {
                                        rope(ones({2, 4}), {.frequencies = ones({3})});
                                      },
                                      "frequencies have shape (3,)"}};
       }},
      {"alibi_mask", "sequences", "-slope |distance of the places|", false,
       [] {
         return std::vector<OpSample>{
             sample("-torch.tensor([2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8]).double()[:, None, None] * (torch.arange(2)[:, "
                    "None] + 1 - "
                    "torch.arange(3)).abs()",
                    {zeros({0}, {.dtype = int64})}, [](auto&) { return alibi_mask(4, 2, 3, 1, {.dtype = float64}); })};
       },
       [] {
         return std::vector<OpError>{{[] { alibi_mask(-1, 2, 3); }, "alibi_mask: -1 heads"}};
       }},
      {"sinusoidal_positions", "sequences", "sines and cosines of the place", false,
       [] {
         return std::vector<OpSample>{
             sample("(lambda t: torch.stack([t.sin(), t.cos()], -1).flatten(-2))(" + angles("torch.arange(3)", 4) + ")",
                    {zeros({0}, {.dtype = int64})},
                    [](auto&) { return sinusoidal_positions(3, 4, 10000, {.dtype = float64}); })};
       },
       [] {
         return std::vector<OpError>{
             {[] { sinusoidal_positions(2, 2, 10000, {.dtype = int64}); }, "sinusoidal_positions: dtype is int64"},
             {[] { sinusoidal_positions(2, 2, 0); }, "base is 0"}};
       }}};
  return ops;
}

}  // namespace xgrad::detail
