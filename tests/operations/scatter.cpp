#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/scatter.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor indices(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }
Tensor no_indices(const Shape& shape) { return zeros(shape, {.dtype = int64}); }
Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }

std::vector<OpSample> scatter_samples() {
  const auto of = [](const Tensor& x, const Tensor& index, const Shape& source) {
    return sample("torch.scatter(x[0], 1, x[1], x[2])", {x, index, sample_normal(source, 2)},
                  [](auto& in) { return scatter(in[0], 1, in[1], in[2]); });
  };
  return {of(sample_normal({2, 3}), indices({{2, 0}, {1, 0}}), {2, 2}),
          of(turned(), indices({{3, 0}, {1, 2}, {2, 3}}), {3, 2}),
          of(sample_normal({2, 3, 2}), indices({{{2, 0}, {0, 1}}, {{1, 1}, {2, 0}}}), {2, 2, 2}),
          of(sample_normal({2, 3}), no_indices({2, 0}), {2, 0}),
          of(sample_normal({0, 3}), no_indices({0, 2}), {0, 2}),
          sample("torch.scatter(x[0], -2, x[1], 2.5)", {sample_normal({3, 2}), indices({{2, 1}})},
                 [](auto& in) { return scatter(in[0], -2, in[1], 2.5); })};
}

std::vector<OpSample> scatter_reduce_samples() {
  std::vector<OpSample> all;
  for (const auto& [name, reduction] : {std::pair<const char*, ScatterReduction>{"sum", ScatterReduction::sum},
                                        {"prod", ScatterReduction::prod},
                                        {"mean", ScatterReduction::mean},
                                        {"amax", ScatterReduction::amax},
                                        {"amin", ScatterReduction::amin}})
    for (const bool self : {true, false}) {
      const auto of = [&, name = name, kind = reduction](const Tensor& x, const Tensor& index) {
        all.push_back(sample(std::string("torch.scatter_reduce(x[0], 1, x[1], x[2], '") + name +
                                 "', include_self=" + (self ? "True)" : "False)"),
                             {x, index, sample_normal(index.shape(), 2)}, [kind, self](auto& in) {
                               return scatter_reduce(in[0], 1, in[1], in[2], kind, {.include_self = self});
                             }));
      };
      of(sample_normal({2, 3}), indices({{2, 0, 0, 2}, {1, 1, 1, 0}}));
      of(turned(), indices({{3, 0}, {1, 1}, {2, 3}}));
      of(sample_normal({0, 3}), no_indices({0, 2}));
    }
  all.push_back(sample("torch.scatter_reduce(x[0], 0, x[1], x[2], 'mean')",
                       {tensor({5, 1, 7}), indices({0, 0, 2}), tensor({-2, 4, 1})},
                       [](auto& in) { return scatter_reduce(in[0], 0, in[1], in[2], ScatterReduction::mean); }));
  return all;
}

std::vector<OpSample> take_along_axis_samples() {
  const auto of = [](const char* reference, const Tensor& x, const Tensor& index) {
    return sample(reference, {x, index}, [](auto& in) { return take_along_axis(in[0], in[1], 1); });
  };
  return {of("torch.take_along_dim(x[0], x[1], 1)", sample_normal({2, 3}), indices({{2, 0, 0, 1}, {1, 1, 2, 0}})),
          of("torch.take_along_dim(x[0], x[1], 1)", sample_normal({2, 3}), indices({{2, 0}})),
          of("torch.take_along_dim(x[0], x[1], 1)", sample_normal({1, 3}), indices({{2, 0}, {1, 1}})),
          of("torch.take_along_dim(x[0], x[1] % 3, 1)", sample_normal({2, 3}), indices({{-1, 0}, {-3, 2}})),
          of("torch.take_along_dim(x[0], x[1], 1)", sample_normal({0, 3}), no_indices({0, 2}))};
}

}  // namespace

std::span<const OpInfo> scatter_ops() {
  static const OpInfo ops[] = {
      {"scatter", "indexing", "x with x[i, index[i, j]] = source[i, j]", true, scatter_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        scatter(ones({2, 3}), 1, indices({{0, 3}}), ones({1, 2}));
                                      },
                                      "scatter: index 3 at (0, 1) is out of range for axis 1 of shape (2, 3)"},
                                     {[] {
                                        scatter(ones({2, 3}), 1, indices({{0, 1}}), ones({2, 1}));
                                      },
                                      "scatter: source (2, 1) is smaller than index (1, 2) along axis 1"},
                                     {[] {
                                        scatter(ones({2, 3}), 1, no_indices({3, 3}), 1);
                                      },
                                      "is larger along axis 0"},
                                     {[] {
                                        scatter(ones({2, 3}), 1, indices({1}), 1);
                                      },
                                      "must have as many axes"}};
       }},
      {"scatter_reduce", "indexing", "x with the sum, product, mean or extreme of source at x[i, index[i, j]]", true,
       scatter_reduce_samples,
       [] {
         return std::vector<OpError>{
             {[] {
                scatter_reduce(ones({2, 3}), 1, indices({{0, 3}}), ones({1, 2}), ScatterReduction::sum);
              },
              "scatter_reduce: index 3 at (0, 1) is out of range"},
             {[] {
                const Tensor x = zeros({2}, {.dtype = float64, .requires_grad = true});
                grad(sum_to(scatter_reduce(x, 0, indices({0}), ones({1}), ScatterReduction::prod), {}), {x},
                     {.create_graph = true});
              },
              "scatter_reduce: the gradient of products in which an element is 0"}};
       }},
      {"take_along_axis", "indexing", "x[i, index[i, j]], as in NumPy", true, take_along_axis_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        take_along_axis(ones({2, 3}), indices({{3}}), 1);
                                      },
                                      "index 3 at (0, 0) is out of range"},
                                     {[] {
                                        take_along_axis(ones({2, 3}), indices({{-4}}), 1);
                                      },
                                      "index -1 at (0, 0) is out of range"},
                                     {[] {
                                        take_along_axis(ones({2, 3}), indices({0}), 1);
                                      },
                                      "must have as many axes"},
                                     {[] {
                                        take_along_axis(ones({2, 3}), ones({2, 3}), 1);
                                      },
                                      "indices of dtype float32"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
