#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> layer_norm_ops() {
  static const OpInfo ops[] = {
      {"layer_norm", "normalization", "(x - mean) / sqrt(variance + eps) * weight + bias, over the last axes", true,
       [] {
         const Tensor w = sample_normal({5}, 2), b = sample_normal({5}, 3);
         const auto with_both = [=](const Tensor& x) {
           return sample("F.layer_norm(x[0], (5,), x[1], x[2])", {x, w, b},
                         [](auto& in) { return layer_norm(in[0], {5}, in[1], in[2]); });
         };
         return std::vector<OpSample>{
             with_both(sample_normal({3, 5})),
             with_both(sample_normal({2, 3, 5})),
             with_both(transpose(sample_normal({5, 3}).detach(), 0, 1).requires_grad_()),
             with_both(sample_normal({0, 5})),
             sample("F.layer_norm(x[0], (40,), x[1])", {sample_normal({2, 40}), sample_normal({40}, 2)},
                    [](auto& x) { return layer_norm(x[0], {40}, x[1]); }),
             sample("F.layer_norm(x[0], (3, 4), None, x[1], 1e-3)",
                    {sample_normal({70, 3, 4}), sample_normal({3, 4}, 2)},
                    [](auto& x) {
                      return layer_norm(x[0], {3, 4}, {}, x[1], 1e-3);
                    }),
             sample("F.layer_norm(x[0], (4,))", {sample_normal({4})}, [](auto& x) { return layer_norm(x[0], {4}); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        layer_norm(ones({2, 3}), {4});
                                      },
                                      "the last axes of an input of shape (2, 3) are not (4,)"},
                                     {[] {
                                        layer_norm(ones({3}), {2, 3});
                                      },
                                      "the last axes of an input of shape (3,) are not (2, 3)"},
                                     {[] { layer_norm(ones({3}), {}); }, "normalized_shape is empty"},
                                     {[] {
                                        layer_norm(ones({2, 3}), {3}, ones({2}));
                                      },
                                      "weight has shape (2,)"},
                                     {[] {
                                        layer_norm(ones({2, 3}), {3}, {}, ones({3}, {.dtype = float64}));
                                      },
                                      "bias has shape (3,) and dtype float64"},
                                     {[] {
                                        layer_norm(ones({2, 3}), {3}, {}, {}, -1);
                                      },
                                      "eps is -1"},
                                     {[] {
                                        layer_norm(ones({2, 3}, {.dtype = int64}), {3});
                                      },
                                      "input is int64"}};
       }},
      {"rms_norm", "normalization", "x / sqrt(mean(x^2) + eps) * weight, over the last axes", true,
       [] {
         return std::vector<OpSample>{
             sample("F.rms_norm(x[0], (5,), x[1])", {sample_normal({2, 3, 5}), sample_normal({5}, 2)},
                    [](auto& x) { return rms_norm(x[0], {5}, x[1]); }),
             sample("F.rms_norm(x[0], (3, 4), x[1], 1e-3)", {sample_normal({70, 3, 4}), sample_normal({3, 4}, 2)},
                    [](auto& x) {
                      return rms_norm(x[0], {3, 4}, x[1], 1e-3);
                    }),
             sample("F.rms_norm(x[0].t(), (3,))", {sample_normal({3, 5})},
                    [](auto& x) { return rms_norm(transpose(x[0], 0, 1), {3}); }),
             sample("F.rms_norm(x[0], (40,))", {sample_normal({40})}, [](auto& x) { return rms_norm(x[0], {40}); }),
             sample("F.rms_norm(x[0], (5,), x[1])", {sample_normal({0, 5}), sample_normal({5}, 2)},
                    [](auto& x) { return rms_norm(x[0], {5}, x[1]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        rms_norm(ones({2, 3}), {4});
                                      },
                                      "the last axes of an input of shape (2, 3) are not (4,)"},
                                     {[] { rms_norm(ones({3}), {}); }, "normalized_shape is empty"},
                                     {[] {
                                        rms_norm(ones({2, 3}), {3}, ones({2}));
                                      },
                                      "weight has shape (2,)"},
                                     {[] {
                                        rms_norm(ones({2, 3}), {3}, {}, -1);
                                      },
                                      "eps is -1"},
                                     {[] {
                                        rms_norm(ones({2, 3}, {.dtype = int64}), {3});
                                      },
                                      "input is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
