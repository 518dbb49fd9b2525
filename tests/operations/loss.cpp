#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> loss_ops() {
  static const OpInfo ops[] = {
      {"cross_entropy", "loss", "-sum over classes of target * log softmax(logits)", true,
       [] {
         Tensor labels = tensor({2, 0, 1, 2, 3}, {.dtype = int64}),
                some = tensor({2, -100, 1, 2, -100}, {.dtype = int64});
         Tensor pixels = tensor({{0, 1, 2}, {2, -100, 0}}, {.dtype = int64});
         const Tensor weight = sample_uniform({4}, 0.5, 2, 9).detach(),
                      weight3 = sample_uniform({3}, 0.5, 2, 9).detach();
         const Tensor logits = sample_normal({5, 4});
         // Not of a softmax, whose last bits depend on the processor.
         const Tensor weights = square(sample_normal({5, 4}, 3).detach());
         const Tensor probabilities = (weights / sum(weights, 1, {.keepdim = true})).requires_grad_();
         return std::vector<OpSample>{
             sample("F.cross_entropy(x[0], x[1])", {logits, labels}, [](auto& x) { return cross_entropy(x[0], x[1]); }),
             sample("3 * F.cross_entropy(x[0], x[1])", {logits, labels},
                    [](auto& x) { return 3 * cross_entropy(x[0], x[1]); }),
             sample("F.cross_entropy(x[0], x[1], x[2], label_smoothing=0.1)", {logits, some, weight},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.weight = x[2], .label_smoothing = 0.1}); }),
             sample("F.cross_entropy(x[0], x[1], reduction='sum')", {logits, some},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.reduction = Reduction::sum}); }),
             sample(
                 "F.cross_entropy(x[0], x[1], reduction='none', ignore_index=2)", {logits, labels},
                 [](auto& x) { return cross_entropy(x[0], x[1], {.ignore_index = 2, .reduction = Reduction::none}); }),
             sample("F.cross_entropy(x[0], x[1], x[2])", {sample_normal({2, 3, 3}), pixels, weight3},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.weight = x[2]}); }),
             sample("F.cross_entropy(x[0], x[1], reduction='none')", {sample_normal({2, 3, 3}), pixels},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.reduction = Reduction::none}); }),
             sample("F.cross_entropy(x[0], x[1])", {sample_normal({4}), tensor(2, {.dtype = int64})},
                    [](auto& x) { return cross_entropy(x[0], x[1]); }),
             sample("F.cross_entropy(x[0], x[1])", {logits, probabilities},
                    [](auto& x) { return cross_entropy(x[0], x[1]); }),
             sample("F.cross_entropy(x[0], x[1], x[2], label_smoothing=0.2)", {logits, probabilities, weight},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.weight = x[2], .label_smoothing = 0.2}); }),
             sample("F.cross_entropy(x[0], x[1], reduction='sum')",
                    {sample_normal({0, 4}), zeros({0}, {.dtype = int64})},
                    [](auto& x) { return cross_entropy(x[0], x[1], {.reduction = Reduction::sum}); })};
       },
       [] {
         const Tensor logits = ones({3, 4});
         const auto with = [logits](std::int64_t label) {
           return [logits, label] { cross_entropy(logits, tensor({0, label, 1}, {.dtype = int64})); };
         };
         return std::vector<OpError>{
             {with(-1), "target -1 at position 1"},
             {with(4), "target 4 at position 1"},
             {with(INT64_MAX), "target 9223372036854775807 at position 1"},
             {[=] { cross_entropy(logits, zeros({2}, {.dtype = int64})); }, "target has shape (2,)"},
             {[=] {
                cross_entropy(logits, zeros({3, 4}, {.dtype = int64}));
              },
              "needs class indices of shape (3,)"},
             {[=] {
                cross_entropy(logits, ones({3, 5}));
              },
              "target has shape (3, 5)"},
             {[=] { cross_entropy(logits, zeros({3}, {.dtype = int64}), {.weight = ones({3})}); },
              "weight has shape (3,)"},
             {[=] { cross_entropy(logits, zeros({3}, {.dtype = int64}), {.label_smoothing = 2}); },
              "label_smoothing is 2"},
             {[] {
                cross_entropy(zeros({3, 4}, {.dtype = int64}), zeros({3}, {.dtype = int64}));
              },
              "logits are int64"},
             {[] { cross_entropy(zeros({}), zeros({}, {.dtype = int64})); }, "no class axis"}};
       }},
      {"nll_loss", "loss", "-weight[target] * x[target] for each row", true,
       [] {
         Tensor labels = tensor({2, -100, 1, 2, 3}, {.dtype = int64});
         const Tensor weight = sample_uniform({4}, 0.5, 2, 9).detach();
         return std::vector<OpSample>{
             sample("F.nll_loss(x[0], x[1])", {sample_normal({5, 4}), labels},
                    [](auto& x) { return nll_loss(x[0], x[1]); }),
             sample("F.nll_loss(x[0], x[1], x[2])", {sample_normal({5, 4}), labels, weight},
                    [](auto& x) { return nll_loss(x[0], x[1], {.weight = x[2]}); }),
             sample("F.nll_loss(x[0], x[1], reduction='none')", {sample_normal({5, 4}), labels},
                    [](auto& x) { return nll_loss(x[0], x[1], {.reduction = Reduction::none}); }),
             sample("F.nll_loss(x[0], x[1], reduction='sum')", {sample_normal({0, 4}), zeros({0}, {.dtype = int64})},
                    [](auto& x) { return nll_loss(x[0], x[1], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        nll_loss(ones({2, 3}), tensor({0, 3}, {.dtype = int64}));
                                      },
                                      "nll_loss: target 3 at position 1"},
                                     {[] {
                                        nll_loss(ones({2, 3}), ones({2}));
                                      },
                                      "class indices are integers"}};
       }},
      {"mse_loss", "loss", "(input - target)^2", true,
       [] {
         return std::vector<OpSample>{
             sample("F.mse_loss(x[0], x[1])", {sample_normal({3, 4}), sample_normal({3, 4}, 2)},
                    [](auto& x) { return mse_loss(x[0], x[1]); }),
             sample("F.mse_loss(x[0], x[1], reduction='sum')", {sample_normal({3, 4}), sample_normal({3, 4}, 2)},
                    [](auto& x) { return mse_loss(x[0], x[1], Reduction::sum); }),
             sample("F.mse_loss(x[0], x[1], reduction='none')", {sample_normal({0, 4}), sample_normal({0, 4}, 2)},
                    [](auto& x) { return mse_loss(x[0], x[1], Reduction::none); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        mse_loss(ones({3, 1}), ones({3}));
                                      },
                                      "write squeeze(input, 1) or unsqueeze(target, 1)"},
                                     {[] { mse_loss(ones({3}), ones({4})); }, "must be equal"}};
       }},
      {"l1_loss", "loss", "|input - target|", true,
       [] {
         return std::vector<OpSample>{
             sample("F.l1_loss(x[0], x[1])", {sample_normal({3, 4}), sample_normal({3, 4}, 2)},
                    [](auto& x) { return l1_loss(x[0], x[1]); }),
             sample("F.l1_loss(x[0], x[1], reduction='none')", {sample_normal({0, 4}), sample_normal({0, 4}, 2)},
                    [](auto& x) { return l1_loss(x[0], x[1], Reduction::none); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        l1_loss(ones({3}), ones({3, 1}));
                                      },
                                      "write unsqueeze(input, 1) or squeeze(target, 1)"},
                                     {[] { l1_loss(ones({3}), ones({})); }, "must be equal"}};
       }},
      {"binary_cross_entropy_with_logits", "loss", "-(target * log sigmoid(x) + (1 - target) * log(1 - sigmoid(x)))",
       true,
       [] {
         const Tensor weight = sample_uniform({3, 1}, 0.5, 2, 8).detach(),
                      pos_weight = sample_uniform({4}, 0.5, 2, 9).detach();
         return std::vector<OpSample>{
             sample("F.binary_cross_entropy_with_logits(x[0], x[1])",
                    {sample_normal({3, 4}), sample_uniform({3, 4}, 0, 1, 2)},
                    [](auto& x) { return binary_cross_entropy_with_logits(x[0], x[1]); }),
             sample("F.binary_cross_entropy_with_logits(x[0], x[1], x[2], pos_weight=x[3], reduction='sum')",
                    {sample_normal({3, 4}), sample_uniform({3, 4}, 0, 1, 2), weight, pos_weight},
                    [](auto& x) {
                      return binary_cross_entropy_with_logits(
                          x[0], x[1], {.weight = x[2], .pos_weight = x[3], .reduction = Reduction::sum});
                    }),
             sample("F.binary_cross_entropy_with_logits(x[0], x[1], reduction='none')",
                    {sample_normal({0, 4}), sample_uniform({0, 4}, 0, 1, 2)}, [](auto& x) {
                      return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = Reduction::none});
                    })};
       },
       [] {
         return std::vector<OpError>{
             {[] { binary_cross_entropy_with_logits(ones({3}), ones({4})); }, "logits have shape (3,)"},
             {[] { binary_cross_entropy_with_logits(ones({3}), ones({3}), {.weight = ones({2})}); },
              "weight of shape (2,)"},
             {[] { binary_cross_entropy_with_logits(ones({3}), ones({3}, {.dtype = int64})); }, "target is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
