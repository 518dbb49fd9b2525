#include <xgrad/ops/interpolate.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> interpolate_ops() {
  using Mode = InterpolateMode;
  static const OpInfo ops[] = {
      {"interpolate", "pooling", "x in another size: nearest, linear, cubic, or means", true,
       [] {
         const auto with = [](const Tensor& x, const char* arguments, const InterpolateOptions& options) {
           return sample(std::string("F.interpolate(x[0], ") + arguments + ")", {x},
                         [=](auto& in) { return interpolate(in[0], options); });
         };
         const Tensor image = sample_normal({1, 2, 3, 4}),
                      turned = sample_normal({2, 2, 3, 2}).detach().contiguous(channels_last).requires_grad_();
         return std::vector<OpSample>{
             with(sample_normal({2, 2, 5}), "7", {.size = 7}),
             with(turned, "scale_factor=(1.7, 0.6), mode='nearest-exact'",
                  {.scale_factor = {1.7, 0.6}, .mode = Mode::nearest_exact}),
             with(sample_normal({1, 2, 5}), "3, mode='linear'", {.size = 3, .mode = Mode::linear}),
             with(turned, "(2, 5), mode='bilinear', align_corners=True",
                  {.size = {2, 5}, .mode = Mode::bilinear, .align_corners = true}),
             with(image, "scale_factor=1.6, mode='bilinear'", {.scale_factor = 1.6, .mode = Mode::bilinear}),
             with(image, "scale_factor=1.6, mode='bilinear', recompute_scale_factor=True",
                  {.scale_factor = 1.6, .mode = Mode::bilinear, .recompute_scale_factor = true}),
             with(sample_normal({1, 1, 2, 2, 3}), "(3, 1, 4), mode='trilinear'",
                  {.size = {3, 1, 4}, .mode = Mode::trilinear}),
             with(image, "(5, 2), mode='bicubic'", {.size = {5, 2}, .mode = Mode::bicubic}),
             with(turned, "(2, 3), mode='bilinear', antialias=True",
                  {.size = {2, 3}, .mode = Mode::bilinear, .antialias = true}),
             with(sample_normal({1, 1, 5, 3}), "(2, 4), mode='bicubic', antialias=True",
                  {.size = {2, 4}, .mode = Mode::bicubic, .antialias = true}),
             with(image, "(2, 3), mode='area'", {.size = {2, 3}, .mode = Mode::area}),
             with(sample_normal({0, 2, 3, 3}), "5, mode='bilinear'", {.size = 5, .mode = Mode::bilinear})};
       },
       [] {
         const auto of = [](const Shape& x, const InterpolateOptions& options) {
           return [=] { interpolate(ones(x), options); };
         };
         return std::vector<OpError>{
             {of({2, 3}, {.size = 2}), "(N, C, L), (N, C, H, W) or (N, C, D, H, W) is needed"},
             {of({1, 1, 3}, {}), "give either size or scale_factor"},
             {of({1, 1, 3}, {.size = 2, .scale_factor = 2}), "give either size or scale_factor"},
             {of({1, 1, 3}, {.size = 0}), "size is (0,); it must be at least 1"},
             {of({1, 1, 3, 3}, {.size = {1, 2, 3}}), "size has 3 numbers"},
             {of({1, 1, 3}, {.scale_factor = 0.3}), "3 elements times a scale_factor of 0.3 are 0"},
             {of({1, 1, 3}, {.scale_factor = 1e30}), "no more than 2^31 - 1"},
             {of({1, 1, 3}, {.scale_factor = -2}), "a scale_factor is -2; it must be positive and finite"},
             {of({1, 1, 3, 3}, {.scale_factor = {1, 2, 3}}), "scale_factor has 3 numbers; give one, or one for each"},
             {[] {
                interpolate(ones({1, 1, 3}), {.scale_factor = {1, 2, 3, 4}});
              },
              "4 scale factors; there are at most 3"},
             {of({1, 1, 3}, {.size = 2, .mode = InterpolateMode::bilinear}),
              "this mode is for 2 spatial axes, and an input of shape (1, 1, 3) has 1"},
             {of({1, 1, 3}, {.size = 2, .align_corners = true}), "align_corners is for linear modes and bicubic"},
             {of({1, 1, 3}, {.size = 2, .antialias = true}), "antialias is for bilinear and bicubic"},
             {of({1, 1, 3}, {.size = 2, .recompute_scale_factor = true}), "recompute_scale_factor is for scale_factor"},
             {of({1, 1, 0}, {.size = 2}), "only the batch may be empty"},
             {[] {
                interpolate(ones({1, 1, 3}, {.dtype = uint8}), {.size = 2});
              },
              "input is uint8; convert it with .to(float32)"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
