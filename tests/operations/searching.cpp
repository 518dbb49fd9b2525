#include <xgrad/ops/nonzero.hpp>
#include <xgrad/ops/searching.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using Tensors = std::vector<Tensor>;

Tensor numbers(const NestedNumbers& values) { return tensor(values, {.dtype = float64}); }

std::vector<OpSample> searchsorted_samples() {
  const auto of = [](const Tensor& sorted, const Tensor& values) {
    return std::vector{
        sample("torch.searchsorted(x[0], x[1])", {sorted, values}, [](auto& x) { return searchsorted(x[0], x[1]); }),
        sample("torch.searchsorted(x[0], x[1], right=True)", {sorted, values},
               [](auto& x) { return searchsorted(x[0], x[1], {.right = true}); })};
  };
  std::vector<OpSample> all;
  for (const auto& [sorted, values] : {std::pair{numbers({1, 2, 2, 5, 9}), numbers({{2, 0, 9}, {4, 10, NAN}})},
                                       {numbers({{1, 2, 3}, {-1, 0, 4}}), numbers({{2, 0, 3, 5}, {-2, -1, 0.5, 4}})},
                                       {numbers({1, 2}), numbers(1.5)},
                                       {tensor({1, 3, 3, 7}), tensor({3, 0, 8})},
                                       {zeros({0}, {.dtype = float64}), numbers({1, 2})},
                                       {numbers({1, 2}), zeros({0, 3}, {.dtype = float64})}})
    for (const OpSample& each : of(sorted, values)) all.push_back(each);
  return all;
}

std::vector<OpSample> histogram_samples() {
  const Tensor x = numbers({0.1, 0.5, 2.5, 1.0, 2.0, -3.0, 3.0, 0.7}), weight = numbers({1, 2, 3, 4, 5, 6, 7, 8});
  const auto both = [](const Histogram& found) { return Tensors{found.counts, found.edges}; };
  return {{"torch.histogram(x[0], 6)", {x}, [=](const Tensors& in) { return both(histogram(in[0], 6)); }},
          {"torch.histogram(x[0], 5, range=(0., 2.5), weight=x[1])",
           {x, weight},
           [=](const Tensors& in) {
             return both(histogram(in[0], 5, {.range = {{0, 2.5}}, .weight = in[1]}));
           }},
          {"torch.histogram(x[0], 4, density=True)",
           {x},
           [=](const Tensors& in) { return both(histogram(in[0], 4, {.density = true})); }},
          {"torch.histogram(x[0], x[1])",
           {x, numbers({-1, 0.5, 1, 2.5})},
           [=](const Tensors& in) { return both(histogram(in[0], in[1])); }},
          {"torch.histogram(x[0], 3, range=(0., 1.))", {zeros({2, 0}, {.dtype = float64})}, [=](const Tensors& in) {
             return both(histogram(in[0], 3, {.range = {{0, 1}}}));
           }}};
}

std::vector<OpSample> bincount_samples() {
  const Tensor x = tensor({1, 4, 1, 0, 2});
  return {sample("torch.bincount(x[0])", {x}, [](auto& in) { return bincount(in[0]); }),
          sample("torch.bincount(x[0], minlength=8)", {x}, [](auto& in) { return bincount(in[0], 8); }),
          sample("torch.zeros(5, dtype=torch.float64).scatter_add(0, x[0], x[1])", {x, sample_normal({5})},
                 [](auto& in) { return bincount(in[0], in[1]); }),
          sample("torch.bincount(x[0], minlength=2)", {zeros({0}, {.dtype = int64})},
                 [](auto& in) { return bincount(in[0], 2); })};
}

std::vector<OpSample> nonzero_samples() {
  const auto of = [](const Tensor& x) {
    return sample("torch.nonzero(x[0])", {x}, [](auto& in) { return nonzero(in[0]); });
  };
  return {of(numbers({{0, 1.5, 0}, {2, NAN, 0}})),
          of(transpose(tensor({{0, 1, 2}, {3, 0, 0}}), 0, 1)),
          of(tensor(std::vector<bool>{true, false, true})),
          of(tensor(3)),
          of(tensor(0)),
          of(zeros({2, 0}))};
}

}  // namespace

std::span<const OpInfo> searching_ops() {
  static const OpInfo ops[] = {
      {"searchsorted", "sorting", "where values would be inserted into a sorted sequence", false, searchsorted_samples,
       [] {
         return std::vector<OpError>{
             {[] {
                searchsorted(ones({2, 3}), ones({3, 3}));
              },
              "searchsorted: a sequence of shape (2, 3) and values"},
             {[] { searchsorted(ones({}), ones({3})); }, "searchsorted: the sorted sequence has no axis"}};
       }},
      {"bucketize", "sorting", "the number of the bin in which a value lies", false,
       [] {
         return std::vector<OpSample>{
             sample("torch.bucketize(x[0], x[1])", {numbers({{0, 1}, {2.5, 9}}), numbers({1, 2, 3})},
                    [](auto& x) { return bucketize(x[0], x[1]); }),
             sample("torch.bucketize(x[0], x[1], right=True)", {numbers({{0, 1}, {3, 9}}), numbers({1, 2, 3})},
                    [](auto& x) { return bucketize(x[0], x[1], {.right = true}); }),
             sample("torch.bucketize(x[0], x[1])", {zeros({0}, {.dtype = float64}), numbers({1, 2, 3})},
                    [](auto& x) { return bucketize(x[0], x[1]); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        bucketize(ones({3}), ones({2, 2}));
                                      },
                                      "bucketize: boundaries of shape (2, 2)"}};
       }},
      {"histogram", "sorting", "how many elements lie in each bin, and its edges", false, histogram_samples,
       [] {
         return std::vector<OpError>{
             {[] {
                histogram(tensor({1, 2}));
              },
              "histogram: expected a floating tensor"},
             {[] { histogram(ones({3}), 0); }, "histogram: 0 bins"},
             {[] {
                histogram(ones({3}), 2, {.range = {{1, 0}}});
              },
              "histogram: the range from 1 to 0"},
             {[] { histogram(full({2}, NAN), 2); }, "histogram: the range from nan"},
             {[] {
                histogram(ones({3}), tensor({2.0, 1.0}));
              },
              "histogram: the edges do not ascend"},
             {[] { histogram(ones({3}), ones({1})); }, "histogram: edges of shape (1,)"},
             {[] { histogram(ones({3}), 2, {.weight = ones({2})}); }, "histogram: weights of shape (2,)"},
             {[] { histogram(ones({3}).requires_grad_(), 2); }, "histogram: an input requires a gradient"}};
       }},
      {"bincount", "sorting", "how often each number occurs, or the sum of its weights", true, bincount_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        bincount(tensor({1, -1}));
                                      },
                                      "bincount: -1 is negative"},
                                     {[] { bincount(ones({2})); }, "a vector of integers is needed"},
                                     {[] { bincount(tensor({1}), -1); }, "min_length is -1"},
                                     {[] {
                                        bincount(tensor({1, 2}), ones({3}));
                                      },
                                      "weights of shape (3,)"}};
       }},
      {"nonzero", "sorting", "the positions of elements that are not zero", false, nonzero_samples,
       [] {
         return std::vector<OpError>{{[] { nonzero(Tensor()); }, "undefined"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
