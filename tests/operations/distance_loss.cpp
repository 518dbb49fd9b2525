#include <xgrad/ops/distance_loss.hpp>

#include "elementwise_samples.hpp"
#include "registry.hpp"

namespace xgrad::detail {

namespace {

using PairLoss = Tensor (*)(const Tensor& x, const Tensor& t, Reduction reduction);

/// Input and target of a matrix, a number and nothing, with each reduction. `reference` is a call without its closing
/// parenthesis.
std::vector<OpSample> pair_samples(const std::string& reference, PairLoss f, Range x = {}, Range t = {}) {
  std::vector<OpSample> samples;
  const auto add = [&](const Shape& shape, const char* reduction, Reduction r) {
    samples.push_back(sample(reference + ", reduction='" + reduction + "')",
                             {sample_uniform(shape, x.low, x.high), sample_uniform(shape, t.low, t.high, 2)},
                             [f, r](auto& inputs) { return f(inputs[0], inputs[1], r); }));
  };
  add({3, 4}, "mean", Reduction::mean);
  add({}, "sum", Reduction::sum);
  add({0, 4}, "none", Reduction::none);
  return samples;
}

std::vector<OpError> pair_errors(PairLoss f) {
  return {{[f] { f(ones({3, 1}), ones({3}), Reduction::mean); }, "write squeeze(input, 1) or unsqueeze(target, 1)"}};
}

}  // namespace

std::span<const OpInfo> distance_loss_ops() {
  static const OpInfo ops[] = {
      {"binary_cross_entropy", "loss", "-(target * log(x) + (1 - target) * log(1 - x))", true,
       [] {
         const Tensor weight = sample_uniform({4}, 0.5, 2, 9).detach();
         return pair_samples("F.binary_cross_entropy(x[0], x[1]",
                             [](auto& x, auto& t, Reduction r) { return binary_cross_entropy(x, t, {.reduction = r}); },
                             {0.1, 0.9}, {0, 1}) +
                std::vector<OpSample>{
                    sample("F.binary_cross_entropy(x[0], x[1], x[2])",
                           {sample_uniform({3, 4}, 0.1, 0.9), sample_uniform({3, 4}, 0, 1, 2), weight},
                           [](auto& x) { return binary_cross_entropy(x[0], x[1], {.weight = x[2]}); })};
       },
       [] {
         return pair_errors([](auto& x, auto& t, Reduction) { return binary_cross_entropy(x, t); }) +
                std::vector<OpError>{{[] {
                                        binary_cross_entropy(tensor({0.5, -0.1, 1.5}), ones({3}));
                                      },
                                      "2 of the 3 elements of the input are outside [0, 1]"},
                                     {[] { binary_cross_entropy(ones({3}), ones({3}), {.weight = ones({2})}); },
                                      "weight of shape (2,)"}};
       }},
      {"huber_loss", "loss", "d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)", true,
       [] {
         return pair_samples("F.huber_loss(x[0], x[1], delta=1.3", [](auto& x, auto& t, Reduction r) {
           return huber_loss(x, t, {.delta = 1.3, .reduction = r});
         });
       },
       [] {
         return pair_errors([](auto& x, auto& t, Reduction) { return huber_loss(x, t); }) +
                std::vector<OpError>{{[] { huber_loss(ones({3}), ones({3}), {.delta = 0}); }, "delta is 0"}};
       }},
      {"smooth_l1_loss", "loss", "d^2 / (2 beta) where |d| < beta, else |d| - beta / 2", true,
       [] {
         return pair_samples(
                    "F.smooth_l1_loss(x[0], x[1], beta=0.7",
                    [](auto& x, auto& t, Reduction r) { return smooth_l1_loss(x, t, {.beta = 0.7, .reduction = r}); }) +
                pair_samples("F.smooth_l1_loss(x[0], x[1], beta=0", [](auto& x, auto& t, Reduction r) {
                  return smooth_l1_loss(x, t, {.beta = 0, .reduction = r});
                });
       },
       [] {
         return pair_errors([](auto& x, auto& t, Reduction) { return smooth_l1_loss(x, t); }) +
                std::vector<OpError>{{[] { smooth_l1_loss(ones({3}), ones({3}), {.beta = -1}); }, "beta is -1"}};
       }},
      {"kl_div", "loss", "target * (log(target) - x)", true,
       [] {
         return pair_samples("F.kl_div(x[0], x[1]",
                             [](auto& x, auto& t, Reduction r) { return kl_div(x, t, {.reduction = r}); }, {-2, -0.1},
                             {0.1, 1}) +
                pair_samples(
                    "F.kl_div(x[0], x[1], log_target=True",
                    [](auto& x, auto& t, Reduction r) { return kl_div(x, t, {.log_target = true, .reduction = r}); },
                    {-2, -0.1}, {-2, -0.1}) +
                std::vector<OpSample>{sample("F.kl_div(x[0], x[1].double(), reduction='sum')",
                                             {sample_normal({3}), tensor({0, 1, 0}, {.dtype = int64})}, [](auto& x) {
                                               return kl_div(x[0], x[1], {.reduction = Reduction::sum});
                                             })};
       },
       [] { return pair_errors([](auto& x, auto& t, Reduction) { return kl_div(x, t); }); }},
      {"poisson_nll_loss", "loss", "e^x - target * x", true,
       [] {
         return pair_samples("F.poisson_nll_loss(x[0], x[1]",
                             [](auto& x, auto& t, Reduction r) { return poisson_nll_loss(x, t, {.reduction = r}); }) +
                pair_samples("F.poisson_nll_loss(x[0], x[1], log_input=False, full=True",
                             [](auto& x, auto& t, Reduction r) {
                               return poisson_nll_loss(x, t, {.log_input = false, .full = true, .reduction = r});
                             },
                             {0.5, 3}, {1.2, 5}) +
                std::vector<OpSample>{sample("F.poisson_nll_loss(x[0], x[1].double(), full=True)",
                                             {sample_normal({4}), tensor({0, 1, 2, 30}, {.dtype = int64})},
                                             [](auto& x) { return poisson_nll_loss(x[0], x[1], {.full = true}); })};
       },
       [] { return pair_errors([](auto& x, auto& t, Reduction) { return poisson_nll_loss(x, t); }); }},
      {"gaussian_nll_loss", "loss", "(log(var) + (x - target)^2 / var) / 2", true,
       [] {
         return std::vector<OpSample>{
             sample("F.gaussian_nll_loss(x[0], x[1], x[2])",
                    {sample_normal({3, 4}), sample_normal({3, 4}, 2), sample_uniform({3, 4}, 0.5, 2, 3)},
                    [](auto& x) { return gaussian_nll_loss(x[0], x[1], x[2]); }),
             sample("F.gaussian_nll_loss(x[0], x[1], x[2], full=True, reduction='none')",
                    {sample_normal({3, 4}), sample_normal({3, 4}, 2), sample_uniform({3, 1}, 0.5, 2, 3)},
                    [](auto& x) {
                      return gaussian_nll_loss(x[0], x[1], x[2], {.full = true, .reduction = Reduction::none});
                    }),
             sample("F.gaussian_nll_loss(x[0], x[1], x[2].double(), eps=0.75, reduction='sum')",
                    {sample_normal({3, 4}), sample_normal({3, 4}, 2), tensor({1, 0, 2}, {.dtype = int64})},
                    [](auto& x) {
                      return gaussian_nll_loss(x[0], x[1], x[2], {.eps = 0.75, .reduction = Reduction::sum});
                    }),
             sample("F.gaussian_nll_loss(x[0], x[1], x[2], reduction='sum')",
                    {sample_normal({0, 4}), sample_normal({0, 4}, 2), sample_uniform({0, 4}, 0.5, 2, 3)},
                    [](auto& x) { return gaussian_nll_loss(x[0], x[1], x[2], {.reduction = Reduction::sum}); })};
       },
       [] {
         return std::vector<OpError>{{[] { gaussian_nll_loss(ones({3}), ones({4}), ones({3})); }, "must be equal"},
                                     {[] {
                                        gaussian_nll_loss(ones({3, 4}), ones({3, 4}), ones({4}));
                                      },
                                      "var has shape (4,); an input of shape (3, 4) needs that, (3, 1) or (3,)"},
                                     {[] {
                                        gaussian_nll_loss(ones({3}), ones({3}), tensor({1, -1, 1}));
                                      },
                                      "1 of the 3 variances are negative"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
