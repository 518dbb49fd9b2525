#include <xgrad/ops/grid_sample.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> grid_sample_ops() {
  using Mode = GridSampleMode;
  using Padding = GridSamplePadding;
  static const OpInfo ops[] = {
      {"grid_sample", "pooling", "images read at points between their elements", true,
       [] {
         const auto with = [](const Tensor& x, const Tensor& grid, const char* arguments,
                              const GridSampleOptions& options) {
           return sample(std::string("F.grid_sample(x[0], x[1], ") + arguments + ")", {x, grid},
                         [=](auto& in) { return grid_sample(in[0], in[1], options); });
         };
         const Tensor x = sample_normal({2, 2, 3, 4}), grid = sample_uniform({2, 3, 2, 2}, -1.6, 1.6, 2),
                      turned = sample_normal({2, 3, 2, 3}).detach().contiguous(channels_last).requires_grad_();
         return std::vector<OpSample>{
             with(x, grid, "align_corners=False", {}),
             with(turned, grid, "padding_mode='border', align_corners=True",
                  {.padding_mode = Padding::border, .align_corners = true}),
             with(x, grid, "padding_mode='reflection', align_corners=False", {.padding_mode = Padding::reflection}),
             with(x, grid, "'nearest', align_corners=False", {.mode = Mode::nearest}),
             with(x, grid, "'bicubic', align_corners=False", {.mode = Mode::bicubic}),
             with(turned, grid, "'bicubic', 'reflection', align_corners=True",
                  {.mode = Mode::bicubic, .padding_mode = Padding::reflection, .align_corners = true}),
             with(sample_normal({1, 2, 2, 3, 2}), sample_uniform({1, 2, 1, 3, 3}, -1.4, 1.4), "align_corners=False",
                  {}),
             with(sample_normal({1, 1, 2, 3, 2}), sample_uniform({1, 2, 1, 2, 3}, -1.4, 1.4),
                  "'nearest', 'border', align_corners=True",
                  {.mode = Mode::nearest, .padding_mode = Padding::border, .align_corners = true}),
             with(x, sample_normal({2, 0, 2, 2}), "align_corners=False", {})};
       },
       [] {
         const auto of = [](const Shape& x, const Shape& grid, const GridSampleOptions& options = {}) {
           return [=] { grid_sample(ones(x), zeros(grid), options); };
         };
         return std::vector<OpError>{
             {of({1, 2, 3}, {1, 2, 2}), "(N, C, H, W) or (N, C, D, H, W) is needed"},
             {of({1, 2, 3, 3}, {2, 2, 2, 2}), "grid has shape (2, 2, 2, 2) for an input of shape (1, 2, 3, 3)"},
             {of({1, 2, 3, 3}, {1, 2, 2, 3}), "(N, H', W', 2) of the same N is needed"},
             {of({1, 2, 0, 3}, {1, 2, 2, 2}), "only the batch may be empty"},
             {of({1, 1, 2, 2, 2}, {1, 2, 2, 2, 3}, {.mode = GridSampleMode::bicubic}), "bicubic is for images"},
             {[] {
                grid_sample(ones({1, 1, 2, 2}), zeros({1, 1, 1, 2}, {.dtype = float64}));
              },
              "grid is float64, input float32; convert it with .to(float32)"},
             {[] {
                grid_sample(ones({1, 1, 2, 2}, {.dtype = int64}), zeros({1, 1, 1, 2}));
              },
              "input is int64"}};
       }},
      {"affine_grid", "pooling", "theta (x, y, 1)^T for each place of an image", true,
       [] {
         const auto with = [](const Shape& theta, const char* arguments, const Shape& size, bool align_corners) {
           return sample(std::string("F.affine_grid(x[0], ") + arguments + ")", {sample_normal(theta)},
                         [=](auto& in) { return affine_grid(in[0], size, {.align_corners = align_corners}); });
         };
         std::vector<OpSample> samples{with({2, 2, 3}, "[2, 1, 2, 3], align_corners=False", {2, 1, 2, 3}, false),
                                       with({1, 2, 3}, "[1, 3, 3, 4], align_corners=True", {1, 3, 3, 4}, true),
                                       with({1, 3, 4}, "[1, 1, 2, 1, 3], align_corners=False", {1, 1, 2, 1, 3}, false)};
         // PyTorch has none for an empty batch.
         samples.push_back(sample("x[0].new_zeros(0, 2, 2, 2) * x[0].sum()", {sample_normal({0, 2, 3})}, [](auto& in) {
           return affine_grid(in[0], {0, 1, 2, 2});
         }));
         return samples;
       },
       [] {
         const auto of = [](const Shape& theta, const Shape& size) { return [=] { affine_grid(ones(theta), size); }; };
         return std::vector<OpError>{{of({2, 2, 3}, {2, 1, 3}), "is neither (N, C, H, W) nor (N, C, D, H, W)"},
                                     {of({1, 2, 3}, {2, 1, 3, 3}), "it must have shape (2, 2, 3)"},
                                     {of({1, 2, 3}, {1, 1, 0, 3}), "size (1, 1, 0, 3) must be positive"},
                                     {[] {
                                        affine_grid(ones({1, 2, 3}, {.dtype = int64}), {1, 1, 2, 2});
                                      },
                                      "theta is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
