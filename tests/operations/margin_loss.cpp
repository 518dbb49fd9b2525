#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/distance.hpp>
#include <xgrad/ops/margin_loss.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor signs(const Shape& shape) {
  Tensor out = empty(shape, {.dtype = int64});
  for (std::int64_t i = 0; i < out.numel(); ++i) out.data<std::int64_t>()[i] = i % 3 == 1 ? -1 : 1;
  return out;
}

}  // namespace

std::span<const OpInfo> margin_loss_ops() {
  static const OpInfo ops[] = {
      {"hinge_embedding_loss", "loss", "x where the target is 1, max(0, margin - x) where it is -1", true,
       [] {
         return std::vector<OpSample>{
             sample("F.hinge_embedding_loss(x[0], x[1], margin=0.9)", {sample_normal({3, 4}), signs({3, 4})},
                    [](auto& x) { return hinge_embedding_loss(x[0], x[1], {.margin = 0.9}); }),
             sample("F.hinge_embedding_loss(x[0], x[1], reduction='none')", {sample_normal({0, 4}), signs({0, 4})},
                    [](auto& x) { return hinge_embedding_loss(x[0], x[1], {.reduction = Reduction::none}); })};
       },
       [] {
         return std::vector<OpError>{{[] { hinge_embedding_loss(ones({3}), ones({4})); }, "must be equal"}};
       }},
      {"cosine_embedding_loss", "loss", "1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where -1",
       true,
       [] {
         return std::vector<OpSample>{
             sample("F.cosine_embedding_loss(x[0], x[1], x[2], margin=-0.8)",
                    {sample_normal({5, 4}), sample_normal({5, 4}, 2), signs({5})},
                    [](auto& x) { return cosine_embedding_loss(x[0], x[1], x[2], {.margin = -0.8}); }),
             sample("F.cosine_embedding_loss(x[0], x[1], x[2])", {sample_normal({4}), sample_normal({4}, 2), signs({})},
                    [](auto& x) { return cosine_embedding_loss(x[0], x[1], x[2]); }),
             sample("F.cosine_embedding_loss(x[0], x[1], x[2], reduction='none')",
                    {sample_normal({0, 4}), sample_normal({0, 4}, 2), signs({0})},
                    [](auto& x) { return cosine_embedding_loss(x[0], x[1], x[2], {.reduction = Reduction::none}); })};
       },
       [] {
         return std::vector<OpError>{
             {[] {
                cosine_embedding_loss(ones({3, 4}), ones({3, 5}), ones({3}));
              },
              "x2 (3, 5)"},
             {[] {
                cosine_embedding_loss(ones({3, 4}), ones({3, 4}), ones({4}));
              },
              "target has shape (4,)"},
             {[] { cosine_embedding_loss(ones({}), ones({}), ones({})); }, "expected (N, D) or (D,)"}};
       }},
      {"margin_ranking_loss", "loss", "max(0, -target (x1 - x2) + margin)", true,
       [] {
         return std::vector<OpSample>{
             sample("F.margin_ranking_loss(x[0], x[1], x[2], margin=0.3)",
                    {sample_normal({3, 4}), sample_normal({3, 4}, 2), signs({3, 4})},
                    [](auto& x) { return margin_ranking_loss(x[0], x[1], x[2], {.margin = 0.3}); }),
             sample("F.margin_ranking_loss(x[0], x[1], x[2], reduction='sum')",
                    {sample_normal({0}), sample_normal({0}, 2), signs({0})},
                    [](auto& x) { return margin_ranking_loss(x[0], x[1], x[2], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{{[] { margin_ranking_loss(ones({3}), ones({4}), ones({3})); }, "x2 (4,)"},
                                     {[] { margin_ranking_loss(ones({3}), ones({3}), ones({4})); }, "target (4,)"}};
       }},
      {"triplet_margin_loss", "loss", "max(0, d(anchor, positive) - d(anchor, negative) + margin)", true,
       [] {
         return std::vector<OpSample>{
             sample("F.triplet_margin_loss(x[0], x[1], x[2], margin=2)",
                    {sample_normal({5, 4}), sample_normal({5, 4}, 2), sample_normal({5, 4}, 3)},
                    [](auto& x) { return triplet_margin_loss(x[0], x[1], x[2], {.margin = 2}); }),
             sample("F.triplet_margin_loss(x[0], x[1], x[2], margin=3, p=3, swap=True, reduction='none')",
                    {sample_normal({5, 4}), sample_normal({5, 4}, 2), sample_normal({5, 4}, 3)},
                    [](auto& x) {
                      return triplet_margin_loss(x[0], x[1], x[2],
                                                 {.margin = 3, .p = 3, .swap = true, .reduction = Reduction::none});
                    }),
             sample("F.triplet_margin_loss(x[0], x[1], x[2], reduction='sum')",
                    {sample_normal({0, 4}), sample_normal({0, 4}, 2), sample_normal({0, 4}, 3)},
                    [](auto& x) { return triplet_margin_loss(x[0], x[1], x[2], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        triplet_margin_loss(ones({3, 4}), ones({3, 4}), ones({2, 4}));
                                      },
                                      "negative (2, 4)"},
                                     {[] {
                                        triplet_margin_loss(ones({3, 4}), ones({3, 4}), ones({3, 4}), {.margin = 0});
                                      },
                                      "margin is 0"}};
       }},
      {"triplet_margin_with_distance_loss", "loss",
       "max(0, d(anchor, positive) - d(anchor, negative) + margin), d a function", true,
       [] {
         return std::vector<OpSample>{
             sample("F.triplet_margin_with_distance_loss(x[0], x[1], x[2], margin=2, distance_function="
                    "lambda a, b: 1 - F.cosine_similarity(a, b))",
                    {sample_normal({5, 4}), sample_normal({5, 4}, 2), sample_normal({5, 4}, 3)},
                    [](auto& x) {
                      return triplet_margin_with_distance_loss(
                          x[0], x[1], x[2],
                          {.distance_function = [](const Tensor& a,
                                                   const Tensor& b) { return 1 - cosine_similarity(a, b); },
                           .margin = 2});
                    }),
             sample("F.triplet_margin_with_distance_loss(x[0], x[1], x[2], reduction='sum')",
                    {sample_normal({0, 4}), sample_normal({0, 4}, 2), sample_normal({0, 4}, 3)}, [](auto& x) {
                      return triplet_margin_with_distance_loss(x[0], x[1], x[2], {.reduction = Reduction::sum});
                    })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        triplet_margin_with_distance_loss(ones({3, 4}), ones({3}), ones({3, 4}));
                                      },
                                      "positive (3,)"},
                                     {[] {
                                        triplet_margin_with_distance_loss(
                                            ones({3, 4}), ones({3, 4}), zeros({3, 4}),
                                            {.distance_function = [](const Tensor& a, const Tensor& b) {
                                              return b.data<float>()[0] == 0 ? a : ones({3});
                                            }});
                                      },
                                      "the distance function gave shapes (3,) and (3, 4)"}};
       }},
      {"soft_margin_loss", "loss", "log(1 + e^(-target x))", true,
       [] {
         return std::vector<OpSample>{
             sample("F.soft_margin_loss(x[0], x[1])", {sample_normal({3, 4}), signs({3, 4})},
                    [](auto& x) { return soft_margin_loss(x[0], x[1]); }),
             sample("F.soft_margin_loss(x[0], x[1], reduction='none')", {sample_normal({0}), signs({0})},
                    [](auto& x) { return soft_margin_loss(x[0], x[1], Reduction::none); })};
       },
       [] {
         return std::vector<OpError>{{[] { soft_margin_loss(ones({3}), ones({4})); }, "must be equal"}};
       }},
      {"multi_margin_loss", "loss", "sum over i != y of max(0, margin - x[y] + x[i])^p / C", true,
       [] {
         const Tensor labels = tensor({2, 0, 1, 2, 3}, {.dtype = int64}),
                      weight = sample_uniform({4}, 0.5, 2, 9).detach();
         return std::vector<OpSample>{
             sample("F.multi_margin_loss(x[0], x[1])", {sample_normal({5, 4}), labels},
                    [](auto& x) { return multi_margin_loss(x[0], x[1]); }),
             sample("F.multi_margin_loss(x[0], x[1], p=2, margin=0.6, weight=x[2], reduction='none')",
                    {sample_normal({5, 4}), labels, weight},
                    [](auto& x) {
                      return multi_margin_loss(x[0], x[1],
                                               {.p = 2, .margin = 0.6, .weight = x[2], .reduction = Reduction::none});
                    }),
             sample("F.multi_margin_loss(x[0], x[1])", {sample_normal({4}), tensor(3, {.dtype = int64})},
                    [](auto& x) { return multi_margin_loss(x[0], x[1]); }),
             sample("F.multi_margin_loss(x[0], x[1], reduction='sum')",
                    {sample_normal({0, 4}), zeros({0}, {.dtype = int64})},
                    [](auto& x) { return multi_margin_loss(x[0], x[1], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{
             {[] {
                multi_margin_loss(ones({2, 3}), tensor({0, 3}, {.dtype = int64}));
              },
              "multi_margin_loss: target 3 at position 1"},
             {[] {
                multi_margin_loss(ones({2, 3}), zeros({3}, {.dtype = int64}));
              },
              "needs class indices of shape (2,)"},
             {[] {
                multi_margin_loss(ones({2, 3}), zeros({2}, {.dtype = int64}), {.p = 3});
              },
              "p is 3"},
             {[] {
                multi_margin_loss(ones({2, 3}), zeros({2}, {.dtype = int64}), {.weight = ones({2})});
              },
              "weight has shape (2,)"},
             {[] {
                multi_margin_loss(ones({2, 3}), ones({2}));
              },
              "class indices are integers"}};
       }},
      {"multilabel_margin_loss", "loss", "sum over j of the target, i not, of max(0, 1 - x[j] + x[i]) / C", true,
       [] {
         const Tensor labels = tensor({{2, 0, -1, 1}, {-1, 0, 1, 2}, {3, 1, 2, 0}, {1, -1, -1, -1}}, {.dtype = int64});
         return std::vector<OpSample>{
             sample("F.multilabel_margin_loss(x[0], x[1])", {sample_normal({4, 4}), labels},
                    [](auto& x) { return multilabel_margin_loss(x[0], x[1]); }),
             sample("F.multilabel_margin_loss(x[0], x[1], reduction='none')", {sample_normal({4, 4}), labels},
                    [](auto& x) { return multilabel_margin_loss(x[0], x[1], Reduction::none); }),
             sample("F.multilabel_margin_loss(x[0], x[1])", {sample_normal({3}), tensor({1, -1, 0}, {.dtype = int64})},
                    [](auto& x) { return multilabel_margin_loss(x[0], x[1]); }),
             sample("F.multilabel_margin_loss(x[0], x[1], reduction='sum')",
                    {sample_normal({0, 4}), zeros({0, 4}, {.dtype = int64})},
                    [](auto& x) { return multilabel_margin_loss(x[0], x[1], Reduction::sum); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        multilabel_margin_loss(ones({3}), tensor({0, 3, -1}, {.dtype = int64}));
                                      },
                                      "target 3 at position 1"},
                                     {[] {
                                        multilabel_margin_loss(ones({3}), tensor({0, -2, -1}, {.dtype = int64}));
                                      },
                                      "target -2 at position 1"},
                                     {[] { multilabel_margin_loss(ones({3}), zeros({4}, {.dtype = int64})); },
                                      "it must be that of the input, (3,)"}};
       }},
      {"multilabel_soft_margin_loss", "loss", "mean over classes of binary_cross_entropy_with_logits", true,
       [] {
         const Tensor weight = sample_uniform({4}, 0.5, 2, 9).detach();
         return std::vector<OpSample>{
             sample("F.multilabel_soft_margin_loss(x[0], x[1])", {sample_normal({3, 4}), sample_uniform({3, 4}, 0, 1)},
                    [](auto& x) { return multilabel_soft_margin_loss(x[0], x[1]); }),
             sample("F.multilabel_soft_margin_loss(x[0], x[1], x[2], reduction='none')",
                    {sample_normal({3, 4}), sample_uniform({3, 4}, 0, 1), weight},
                    [](auto& x) {
                      return multilabel_soft_margin_loss(x[0], x[1], {.weight = x[2], .reduction = Reduction::none});
                    }),
             sample("F.multilabel_soft_margin_loss(x[0], x[1], reduction='sum')",
                    {sample_normal({0, 4}), sample_uniform({0, 4}, 0, 1)},
                    [](auto& x) { return multilabel_soft_margin_loss(x[0], x[1], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{
             {[] { multilabel_soft_margin_loss(ones({3}), ones({4})); }, "must be equal"},
             {[] { multilabel_soft_margin_loss(ones({}), ones({})); }, "input has no axis of classes"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
