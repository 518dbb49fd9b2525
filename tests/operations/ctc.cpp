#include <xgrad/ops/ctc.hpp>
#include <xgrad/ops/softmax.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> ctc_ops() {
  static const OpInfo ops[] = {
      {"ctc_loss", "losses", "-log sum of the probabilities of all alignments", true,
       [] {
         const auto of = [](const Shape& shape, const Tensor& targets, const Tensor& steps, const Tensor& labels,
                            const char* more, const CTCLossOptions& options) {
           return sample("F.ctc_loss(F.log_softmax(x[0], -1), x[1], x[2], x[3]" + std::string(more) + ")",
                         {sample_normal(shape), targets, steps, labels},
                         [options](auto& x) { return ctc_loss(log_softmax(x[0], -1), x[1], x[2], x[3], options); });
         };
         const Reduction none = Reduction::none, total = Reduction::sum;
         return std::vector<OpSample>{
             of({5, 2, 3}, tensor({{1, 2}, {2, 2}}), tensor({5, 4}), tensor({2, 2}), "", {}),
             of({4, 3, 4}, tensor({3, 1, 0}), tensor({4, 1, 3}), tensor({2, 0, 1}), ", blank=2, reduction='none'",
                {.blank = 2, .reduction = none}),
             of({3, 2, 3}, tensor({{1, 1}, {1, 2}}), tensor({2, 3}), tensor({2, 2}),
                ", reduction='sum', zero_infinity=True", {.reduction = total, .zero_infinity = true}),
             of({4, 3}, tensor({1, 2}), tensor(4), tensor(2), ", reduction='none'", {.reduction = none}),
             sample("x[0].sum(-1).sum(0)", {sample_normal({3, 0, 2}), zeros({0, 1}, {.dtype = int64})}, [](auto& x) {
               const Tensor lengths = zeros({0}, {.dtype = int64});
               return ctc_loss(x[0], x[1], lengths, lengths, {.reduction = Reduction::none});
             })};
       },
       [] {
         const auto call = [](const Shape& shape, const Tensor& targets, const Tensor& steps, const Tensor& labels,
                              std::int64_t blank = 0) {
           return [=] { ctc_loss(ones(shape), targets, steps, labels, {.blank = blank}); };
         };
         const Tensor targets = tensor({{1, 2}}), five = tensor({5}), two = tensor({2});
         return std::vector<OpError>{
             {call({5}, targets, five, two), "ctc_loss: log_probs have shape (5,)"},
             {call({5, 1, 3}, targets, five, two, 3), "blank is 3, and there are 3 classes"},
             {call({5, 1, 2}, targets, five, two), "label 2 at 1 of target 0; it must be one of 2 classes"},
             {call({5, 1, 3}, targets, five, two, 1), "label 1 at 0 of target 0"},
             {call({4, 1, 3}, targets, five, two), "one of the input_lengths is 5; it must lie between 0 and 4"},
             {call({5, 1, 3}, targets, five, tensor({3})), "one of the target_lengths is 3"},
             {call({5, 1, 3}, tensor({1, 2}), five, tensor({1})), "target_lengths add up to 1, and there are 2 labels"},
             {call({5, 1, 3}, targets, ones({1}), two), "input_lengths have shape (1,) and dtype float32"},
             {call({5, 2, 3}, targets, five, two), "targets have shape (1, 2)"}};
       }}};
  return ops;
}

}  // namespace xgrad::detail
