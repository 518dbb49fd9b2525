#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// (2, 4, 3, 2), float64 and requiring a gradient, with the channels last in memory.
Tensor images_channels_last() {
  return sample_normal({2, 4, 3, 2}).detach().contiguous(channels_last).requires_grad_();
}

}  // namespace

std::span<const OpInfo> group_norm_ops() {
  static const OpInfo ops[] = {
      {"group_norm", "normalization",
       "(x - mean) / sqrt(variance + eps) * weight + bias, for groups of channels of each example", true,
       [] {
         const Tensor w = sample_normal({4}, 2), b = sample_normal({4}, 3);
         return std::vector<OpSample>{
             sample("F.group_norm(x[0], 2, x[1], x[2])", {sample_normal({3, 4, 5}), w, b},
                    [](auto& x) { return group_norm(x[0], 2, x[1], x[2]); }),
             sample("F.group_norm(x[0], 2, x[1], x[2])", {images_channels_last(), w, b},
                    [](auto& x) { return group_norm(x[0], 2, x[1], x[2]); }),
             sample("F.group_norm(x[0], 1, x[1], None, 1e-3)", {images_channels_last(), w},
                    [](auto& x) { return group_norm(x[0], 1, x[1], {}, 1e-3); }),
             sample("F.group_norm(x[0].permute(0, 2, 1, 3), 3)", {sample_normal({2, 2, 6, 2})},
                    [](auto& x) {
                      return group_norm(permute(x[0], {0, 2, 1, 3}), 3);
                    }),
             sample("F.group_norm(x[0], 2)", {sample_normal({5, 6})}, [](auto& x) { return group_norm(x[0], 2); }),
             sample("F.group_norm(x[0], 2, x[1], x[2])", {sample_normal({0, 4, 3}), w, b},
                    [](auto& x) { return group_norm(x[0], 2, x[1], x[2]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        group_norm(ones({2, 4, 3}), 3);
                                      },
                                      "4 channels, of input (2, 4, 3), are not divisible into 3 groups"},
                                     {[] {
                                        group_norm(ones({2, 4, 3}), 0);
                                      },
                                      "into 0 groups"},
                                     {[] { group_norm(ones({4}), 2); }, "has no channel axis"},
                                     {[] {
                                        group_norm(ones({2, 4}), 2, ones({2}));
                                      },
                                      "weight has shape (2,)"},
                                     {[] {
                                        group_norm(ones({2, 4}), 2, {}, ones({4}, {.dtype = float64}));
                                      },
                                      "bias has shape (4,) and dtype float64"},
                                     {[] {
                                        group_norm(ones({2, 4}), 2, {}, {}, -1);
                                      },
                                      "eps is -1"},
                                     {[] {
                                        group_norm(ones({2, 4}, {.dtype = int64}), 2);
                                      },
                                      "input is int64"}};
       }},
      {"instance_norm", "normalization",
       "(x - mean) / sqrt(variance + eps) * weight + bias, for each channel of each example", true,
       [] {
         const Tensor mean = sample_normal({4}, 4).detach(), variance = sample_uniform({4}, 0.5, 2, 5).detach();
         const Tensor w = sample_normal({4}, 2), b = sample_normal({4}, 3);
         return std::vector<OpSample>{
             sample("F.instance_norm(x[0], None, None, x[1], x[2])", {sample_normal({3, 4, 5}), w, b},
                    [](auto& x) { return instance_norm(x[0], {}, {}, x[1], x[2]); }),
             sample("F.instance_norm(x[0])", {images_channels_last()}, [](auto& x) { return instance_norm(x[0]); }),
             sample("F.instance_norm(x[0], x[1].clone(), x[2].clone(), x[3], x[4], True, 0.1, 1e-3)",
                    {sample_normal({3, 4, 5}), mean, variance, w, b},
                    [](auto& x) { return instance_norm(x[0], x[1].clone(), x[2].clone(), x[3], x[4], {.eps = 1e-3}); }),
             sample("F.instance_norm(x[0], x[1], x[2], x[3], x[4], False)",
                    {sample_normal({3, 4, 5}), mean, variance, w, b},
                    [](auto& x) { return instance_norm(x[0], x[1], x[2], x[3], x[4], {.use_input_stats = false}); }),
             sample("F.instance_norm(x[0])", {sample_normal({0, 4, 3})}, [](auto& x) { return instance_norm(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        instance_norm(ones({2, 3, 1}));
                                      },
                                      "more than one is needed"},
                                     {[] { instance_norm(ones({3})); }, "has no channel axis"},
                                     {[] {
                                        instance_norm(ones({2, 3, 4}), ones({3}));
                                      },
                                      "go together"},
                                     {[] {
                                        instance_norm(ones({2, 3, 4}), ones({2}), ones({2}));
                                      },
                                      "running_mean has shape (2,)"},
                                     {[] {
                                        instance_norm(ones({2, 3, 4}), {}, {}, {}, {}, {.use_input_stats = false});
                                      },
                                      "without running statistics"},
                                     {[] {
                                        instance_norm(ones({2, 3, 4}, {.dtype = int64}));
                                      },
                                      "input is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
