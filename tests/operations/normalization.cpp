#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> normalization_ops() {
  static const OpInfo ops[] = {
      {"batch_norm", "normalization", "(x - mean) / sqrt(variance + eps) * weight + bias, for each channel", true,
       [] {
         const Tensor mean = sample_normal({3}, 4).detach(), variance = sample_uniform({3}, 0.5, 2, 5).detach();
         const BatchNormOptions training{.training = true};
         return std::vector<OpSample>{
             sample("F.batch_norm(x[0], None, None, x[1], x[2], True)",
                    {sample_normal({5, 3}), sample_normal({3}, 2), sample_normal({3}, 3)},
                    [=](auto& x) { return batch_norm(x[0], {}, {}, x[1], x[2], training); }),
             sample("F.batch_norm(x[0], None, None, x[1], x[2], True)",
                    {sample_normal({2, 3, 2, 2}), sample_normal({3}, 2), sample_normal({3}, 3)},
                    [=](auto& x) { return batch_norm(x[0], {}, {}, x[1], x[2], training); }),
             sample("F.batch_norm(x[0], None, None, x[1], x[2], True)",
                    {sample_normal({2, 3, 2, 4}).detach().contiguous(channels_last).requires_grad_(),
                     sample_normal({3}, 2), sample_normal({3}, 3)},
                    [=](auto& x) { return batch_norm(x[0], {}, {}, x[1], x[2], training); }),
             sample("F.batch_norm(x[0], None, None, x[1], x[2], True)",
                    {sample_normal({2, 3, 2, 1, 2, 1}), sample_normal({3}, 2), sample_normal({3}, 3)},
                    [=](auto& x) { return batch_norm(x[0], {}, {}, x[1], x[2], training); }),
             sample("F.batch_norm(x[0], x[1].clone(), x[2].clone(), None, None, True, 0.1, 1e-3)",
                    {sample_normal({2, 3, 4}), mean, variance},
                    [](auto& x) {
                      return batch_norm(x[0], x[1].clone(), x[2].clone(), {}, {}, {.training = true, .eps = 1e-3});
                    }),
             sample("F.batch_norm(x[0].transpose(0, 1), None, None, None, None, True)", {sample_normal({3, 4})},
                    [=](auto& x) { return batch_norm(transpose(x[0], 0, 1), {}, {}, {}, {}, training); }),
             sample("F.batch_norm(x[0], x[1], x[2], x[3], x[4])",
                    {sample_normal({4, 3, 2}), mean, variance, sample_normal({3}, 2), sample_normal({3}, 3)},
                    [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3], x[4]); }),
             sample("F.batch_norm(x[0], x[1], x[2], x[3])",
                    {sample_normal({0, 3}), mean, variance, sample_normal({3}, 2)},
                    [](auto& x) { return batch_norm(x[0], x[1], x[2], x[3]); })};
       },
       [] {
         const BatchNormOptions training{.training = true};
         return std::vector<OpError>{{[=] {
                                        batch_norm(ones({1, 3}), {}, {}, {}, {}, training);
                                      },
                                      "more than one value a channel"},
                                     {[=] {
                                        batch_norm(ones({0, 3}), {}, {}, {}, {}, training);
                                      },
                                      "more than one value a channel"},
                                     {[=] { batch_norm(ones({3}), {}, {}, {}, {}, training); }, "has no channel axis"},
                                     {[=] {
                                        batch_norm(ones({4, 3}), {}, {}, ones({4}), {}, training);
                                      },
                                      "weight has shape (4,)"},
                                     {[=] {
                                        batch_norm(ones({4, 3}), {}, {}, {}, ones({3}, {.dtype = float64}), training);
                                      },
                                      "bias has shape (3,)"},
                                     {[] {
                                        batch_norm(ones({4, 3}), {}, {});
                                      },
                                      "without running statistics"},
                                     {[] {
                                        batch_norm(ones({4, 3}), ones({3}), {});
                                      },
                                      "go together"},
                                     {[=] {
                                        batch_norm(ones({4, 3}, {.dtype = int64}), {}, {}, {}, {}, training);
                                      },
                                      "input is int64"}};
       }},
      {"batch_norm_relu", "normalization", "relu(batch_norm(x, ...) + residual)", true,
       [] {
         const Tensor mean = sample_normal({3}, 4).detach(), variance = sample_uniform({3}, 0.5, 2, 5).detach();
         const BatchNormOptions training{.training = true};
         return std::vector<OpSample>{
             sample("F.relu(F.batch_norm(x[0], None, None, x[1], x[2], True))",
                    {sample_normal({5, 3}), sample_normal({3}, 2), sample_normal({3}, 3)},
                    [=](auto& x) { return batch_norm_relu(x[0], {}, {}, x[1], x[2], {}, training); }),
             sample("F.relu(F.batch_norm(x[0], None, None, x[1], x[2], True) + x[3])",
                    {sample_normal({2, 3, 2, 4}), sample_normal({3}, 2), sample_normal({3}, 3),
                     sample_normal({2, 3, 2, 4}, 6)},
                    [=](auto& x) { return batch_norm_relu(x[0], {}, {}, x[1], x[2], x[3], training); }),
             sample("F.relu(F.batch_norm(x[0], None, None, x[1], x[2], True) + x[3])",
                    {sample_normal({2, 3, 2, 9}), sample_normal({3}, 2), sample_normal({3}, 3),
                     sample_normal({2, 3, 2, 9}, 6).detach().contiguous(channels_last).requires_grad_()},
                    [=](auto& x) { return batch_norm_relu(x[0], {}, {}, x[1], x[2], x[3], training); }),
             sample("F.relu(F.batch_norm(x[0], x[1], x[2], x[3], x[4]) + x[5])",
                    {sample_normal({4, 3, 2}), mean, variance, sample_normal({3}, 2), sample_normal({3}, 3),
                     sample_normal({4, 3, 2}, 6)},
                    [](auto& x) { return batch_norm_relu(x[0], x[1], x[2], x[3], x[4], x[5]); }),
             sample("F.relu(F.batch_norm(x[0], x[1], x[2], x[3]))",
                    {sample_normal({0, 3}), mean, variance, sample_normal({3}, 2)},
                    [](auto& x) { return batch_norm_relu(x[0], x[1], x[2], x[3]); })};
       },
       [] {
         const BatchNormOptions training{.training = true};
         return std::vector<OpError>{{[=] {
                                        batch_norm_relu(ones({1, 3}), {}, {}, {}, {}, {}, training);
                                      },
                                      "more than one value a channel"},
                                     {[=] {
                                        batch_norm_relu(ones({4, 3}), {}, {}, {}, {}, ones({4, 1}), training);
                                      },
                                      "residual has shape (4, 1)"}};
       }},
      {"dropout", "normalization", "0 with probability p, else x / (1 - p), in training; x otherwise", true,
       [] {
         return std::vector<OpSample>{
             sample("F.dropout(x[0], 0.3, False)", {sample_normal({3, 4})},
                    [](auto& x) { return dropout(x[0], 0.3, false); }),
             sample("F.dropout(x[0], 1.0, True)", {sample_normal({3, 4})}, [](auto& x) { return dropout(x[0], 1); }),
             sample("F.dropout(x[0], 0.3, True)", {sample_normal({0, 4})}, [](auto& x) { return dropout(x[0], 0.3); })};
       },
       [] {
         return std::vector<OpError>{{[] { dropout(ones({3}), 1.5); }, "dropout: p is 1.5"},
                                     {[] { dropout(ones({3}), -0.1); }, "dropout: p is -0.1"},
                                     {[] { dropout(ones({3}, {.dtype = int64})); }, "input is int64"}};
       }},
      {"dropout1d", "normalization", "0 with probability p for whole channels, else x / (1 - p), in training", true,
       [] {
         return std::vector<OpSample>{
             sample("F.dropout1d(x[0], 0.3, False)", {sample_normal({2, 3, 4})},
                    [](auto& x) { return dropout1d(x[0], 0.3, false); }),
             sample("F.dropout1d(x[0], 1.0, True)", {sample_normal({2, 3, 4})},
                    [](auto& x) { return dropout1d(x[0], 1); }),
             sample("x[0] * 1", {sample_normal({0, 3, 4})}, [](auto& x) { return dropout1d(x[0], 0.3); })};
       },
       [] {
         return std::vector<OpError>{{[] { dropout1d(ones({3})); }, "(N, C, L) is needed"},
                                     {[] {
                                        dropout1d(ones({2, 3, 4}), 1.5);
                                      },
                                      "dropout1d: p is 1.5"},
                                     {[] {
                                        dropout1d(ones({2, 3, 4}, {.dtype = int64}));
                                      },
                                      "input is int64"}};
       }},
      {"dropout2d", "normalization", "0 with probability p for whole channels, else x / (1 - p), in training", true,
       [] {
         return std::vector<OpSample>{
             sample("F.dropout2d(x[0], 0.3, False)", {sample_normal({2, 3, 4, 2})},
                    [](auto& x) { return dropout2d(x[0], 0.3, false); }),
             sample("F.dropout2d(x[0], 1.0, True)", {sample_normal({2, 3, 4, 2})},
                    [](auto& x) { return dropout2d(x[0], 1); }),
             sample("x[0] * 1", {sample_normal({0, 3, 4, 2})}, [](auto& x) { return dropout2d(x[0], 0.3); })};
       },
       [] {
         return std::vector<OpError>{{[] { dropout2d(ones({3})); }, "(N, C, H, W) is needed"},
                                     {[] {
                                        dropout2d(ones({2, 3, 4, 2}), 1.5);
                                      },
                                      "dropout2d: p is 1.5"},
                                     {[] {
                                        dropout2d(ones({2, 3, 4, 2}, {.dtype = int64}));
                                      },
                                      "input is int64"}};
       }},
      {"dropout3d", "normalization", "0 with probability p for whole channels, else x / (1 - p), in training", true,
       [] {
         return std::vector<OpSample>{
             sample("F.dropout3d(x[0], 0.3, False)", {sample_normal({2, 3, 2, 2, 2})},
                    [](auto& x) { return dropout3d(x[0], 0.3, false); }),
             sample("F.dropout3d(x[0], 1.0, True)", {sample_normal({2, 3, 2, 2, 2})},
                    [](auto& x) { return dropout3d(x[0], 1); }),
             sample("x[0] * 1", {sample_normal({0, 3, 2, 2, 2})}, [](auto& x) { return dropout3d(x[0], 0.3); })};
       },
       [] {
         return std::vector<OpError>{{[] { dropout3d(ones({3})); }, "(N, C, D, H, W) is needed"},
                                     {[] {
                                        dropout3d(ones({2, 3, 2, 2, 2}), 1.5);
                                      },
                                      "dropout3d: p is 1.5"},
                                     {[] {
                                        dropout3d(ones({2, 3, 2, 2, 2}, {.dtype = int64}));
                                      },
                                      "input is int64"}};
       }},
      {"alpha_dropout", "normalization", "selu(-infinity) with probability p, else x, scaled and shifted, in training",
       true,
       [] {
         return std::vector<OpSample>{sample("F.alpha_dropout(x[0], 0.3, False)", {sample_normal({3, 4})},
                                             [](auto& x) { return alpha_dropout(x[0], 0.3, false); }),
                                      sample("F.alpha_dropout(x[0], 1.0, True)", {sample_normal({3, 4})},
                                             [](auto& x) { return alpha_dropout(x[0], 1); }),
                                      sample("F.alpha_dropout(x[0], 0.3, True)", {sample_normal({0, 4})},
                                             [](auto& x) { return alpha_dropout(x[0], 0.3); })};
       },
       [] {
         return std::vector<OpError>{{[] { alpha_dropout(ones({3}), -0.1); }, "alpha_dropout: p is -0.1"},
                                     {[] { alpha_dropout(ones({3}, {.dtype = int64})); }, "input is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
