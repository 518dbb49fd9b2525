#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/sorting.hpp>

#include <cmath>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using Tensors = std::vector<Tensor>;

Tensors both(const ValuesAndIndices& found) { return {found.values, found.indices}; }
Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }
Tensor with_nans() { return tensor({{2.0, NAN, -1.0, 0.5}, {3.0, 1.0, -2.0, 7.0}}, {.dtype = float64}); }

std::vector<OpSample> sort_samples() {
  return {
      {"torch.sort(x[0], stable=True)", {sample_normal({3, 5})}, [](const Tensors& x) { return both(sort(x[0])); }},
      {"torch.sort(x[0], dim=0, descending=True, stable=True)",
       {sample_normal({4, 2, 3})},
       [](const Tensors& x) { return both(sort(x[0], 0, {.descending = true})); }},
      {"torch.sort(x[0], dim=1, stable=True)", {turned()}, [](const Tensors& x) { return both(sort(x[0], 1)); }},
      {"torch.sort(x[0], stable=True, descending=True)",
       {tensor({3, -1, 3, 0, -1, 7})},
       [](const Tensors& x) { return both(sort(x[0], 0, {.descending = true})); }},
      {"torch.sort(x[0], stable=True)", {sample_normal({})}, [](const Tensors& x) { return both(sort(x[0])); }},
      {"torch.sort(x[0], stable=True)", {sample_normal({2, 0})}, [](const Tensors& x) { return both(sort(x[0])); }},
      {"torch.sort(x[0], stable=True)", {sample_normal({0, 3})}, [](const Tensors& x) { return both(sort(x[0])); }}};
}

std::vector<OpSample> argsort_samples() {
  return {sample("torch.argsort(x[0], stable=True)", {sample_normal({3, 5})}, [](auto& x) { return argsort(x[0]); }),
          sample("torch.argsort(x[0], stable=True)", {with_nans()}, [](auto& x) { return argsort(x[0]); }),
          sample("torch.argsort(x[0], stable=True, descending=True)", {with_nans()},
                 [](auto& x) { return argsort(x[0], -1, {.descending = true}); }),
          sample("torch.argsort(x[0], dim=0, descending=True, stable=True)", {sample_normal({4, 3})},
                 [](auto& x) { return argsort(x[0], 0, {.descending = true}); }),
          sample("torch.argsort(x[0], stable=True)", {sample_normal({})}, [](auto& x) { return argsort(x[0]); }),
          sample("torch.argsort(x[0], stable=True)", {sample_normal({0})}, [](auto& x) { return argsort(x[0]); })};
}

std::vector<OpSample> topk_samples() {
  return {{"torch.topk(x[0], 2)", {sample_normal({3, 5})}, [](const Tensors& x) { return both(topk(x[0], 2)); }},
          {"torch.topk(x[0], 3, dim=0, largest=False)",
           {sample_normal({4, 3})},
           [](const Tensors& x) { return both(topk(x[0], 3, 0, {.largest = false})); }},
          {"torch.topk(x[0], 5)", {sample_normal({5})}, [](const Tensors& x) { return both(topk(x[0], 5)); }},
          {"torch.topk(x[0], 1)", {sample_normal({})}, [](const Tensors& x) { return both(topk(x[0], 1)); }},
          {"torch.topk(x[0], 0)", {sample_normal({3})}, [](const Tensors& x) { return both(topk(x[0], 0)); }},
          {"torch.topk(x[0], 2)", {sample_normal({0, 3})}, [](const Tensors& x) { return both(topk(x[0], 2)); }}};
}

std::vector<OpSample> kthvalue_samples() {
  return {
      {"torch.kthvalue(x[0], 2)", {sample_normal({3, 5})}, [](const Tensors& x) { return both(kthvalue(x[0], 2)); }},
      {"torch.kthvalue(x[0], 3, dim=0, keepdim=True)",
       {sample_normal({4, 3})},
       [](const Tensors& x) { return both(kthvalue(x[0], 3, 0, {.keepdim = true})); }},
      {"torch.kthvalue(x[0], 1)", {sample_normal({})}, [](const Tensors& x) { return both(kthvalue(x[0], 1)); }},
      {"torch.kthvalue(x[0], 2)", {sample_normal({0, 3})}, [](const Tensors& x) { return both(kthvalue(x[0], 2)); }}};
}

using MedianOfAll = Tensor (*)(const Tensor&);
using MedianAlong = ValuesAndIndices (*)(const Tensor&, std::int64_t, bool);
std::vector<OpSample> median_samples(const std::string& torch, MedianOfAll all, MedianAlong along) {
  const auto of = [all](auto& x) { return all(x[0]); };
  std::vector<OpSample> samples = {
      sample(torch + "(x[0])", {sample_normal({3, 4})}, of),
      sample(torch + "(x[0])", {sample_normal({})}, of),
      {torch + "(x[0], dim=1)", {sample_normal({3, 4})}, [=](const Tensors& x) { return both(along(x[0], 1, false)); }},
      {torch + "(x[0], dim=-2, keepdim=True)",
       {sample_normal({3, 2})},
       [=](const Tensors& x) { return both(along(x[0], -2, true)); }},
      {torch + "(x[0], dim=1)", {sample_normal({0, 3})}, [=](const Tensors& x) {
         return both(along(x[0], 1, false));
       }}};
  if (torch == "torch.nanmedian") {  // differences of NaN tell nothing
    samples.push_back(sample(torch + "(x[0])", {with_nans()}, of));
    samples.push_back(
        {torch + "(x[0], dim=1)", {with_nans()}, [=](const Tensors& x) { return both(along(x[0], 1, false)); }});
  }
  return samples;
}

using QuantileOf = Tensor (*)(const Tensor&, const Tensor&, const QuantileOptions&);
std::vector<OpSample> quantile_samples(const std::string& torch, QuantileOf f) {
  std::vector<OpSample> all;
  const Tensor fractions = tensor({0.0, 0.3, 0.5, 1.0}, {.dtype = float64});
  for (const auto& [name, interpolation] : {std::pair<const char*, Interpolation>{"linear", Interpolation::linear},
                                            {"lower", Interpolation::lower},
                                            {"higher", Interpolation::higher},
                                            {"midpoint", Interpolation::midpoint},
                                            {"nearest", Interpolation::nearest}})
    all.push_back(sample(torch + "(x[0], x[1], dim=1, interpolation='" + name + "')",
                         {sample_normal({2, 6}), fractions}, [f, interpolation = interpolation](auto& x) {
                           return f(x[0], x[1], {.axis = 1, .interpolation = interpolation});
                         }));

  all.push_back(sample(torch + "(x[0], x[1], dim=0, keepdim=True)", {sample_normal({5, 2, 2}), fractions},
                       [=](auto& x) { return f(x[0], x[1], {.axis = 0, .keepdim = true}); }));
  all.push_back(
      sample(torch + "(x[0], x[1])", {sample_normal({5, 2}), fractions}, [=](auto& x) { return f(x[0], x[1], {}); }));
  all.push_back(sample(torch + "(x[0], 0.4, keepdim=True)", {sample_normal({5, 2})},
                       [=](auto& x) { return f(x[0], full({}, 0.4, {.dtype = float64}), {.keepdim = true}); }));
  if (torch == "torch.nanquantile")
    all.push_back(sample(torch + "(x[0], 0.7, dim=1)", {with_nans()},
                         [=](auto& x) { return f(x[0], full({}, 0.7, {.dtype = float64}), {.axis = 1}); }));
  all.push_back(sample("x[0].sum(1)", {sample_normal({0, 3})},
                       [=](auto& x) { return f(x[0], full({}, 0.7, {.dtype = float64}), {.axis = 1}); }));
  return all;
}

std::vector<OpError> quantile_errors(QuantileOf f) {
  return {{[f] { f(ones({3}), tensor(1.5), {}); }, "q is 1.5; it must lie between 0 and 1"},
          {[f] {
             f(ones({3}), ones({2, 2}), {});
           },
           "q has shape (2, 2)"},
          {[f] {
             f(tensor({1, 2}), tensor(0.5), {});
           },
           "got dtype int64"},
          {[f] { f(ones({0}), tensor(0.5), {}); }, "has no elements"},
          {[f] { f(ones({3}), tensor(0.5).requires_grad_(), {}); }, "q requires a gradient"},
          {[f] { f(ones({3}), tensor(0.5), {.axis = 1}); }, "axis 1 is out of range"}};
}

std::vector<OpSample> unique_samples() {
  const auto of = [](const Tensor& x) {
    return OpSample{"torch.unique(x[0], return_inverse=True, return_counts=True)", {x}, [](const Tensors& in) {
                      const UniqueValues found = unique(in[0]);
                      return Tensors{found.values, found.inverse, found.counts};
                    }};
  };
  const auto along = [](const std::string& axis, const Tensor& x, std::int64_t number) {
    return OpSample{"torch.unique(x[0], return_inverse=True, return_counts=True, dim=" + axis + ")",
                    {x},
                    [number](const Tensors& in) {
                      const UniqueValues found = unique(in[0], number);
                      return Tensors{found.values, found.inverse, found.counts};
                    }};
  };
  return {of(tensor({{3, 1, 3}, {-2, 1, 3}})),
          of(tensor({2.5, -0.0, 0.0, 2.5}, {.dtype = float64})),
          of(tensor(std::vector<bool>{true, false, true})),
          of(zeros({0, 2})),
          along("0", tensor({{3, 1}, {2, 1}, {3, 1}, {0, 5}}), 0),
          along("-1", sample_normal({2, 3}).detach(), -1),
          along("1", tensor({{{1.5, 0.0}, {1.5, -0.0}}, {{2.0, 1.0}, {2.0, 1.0}}}, {.dtype = float64}), 1),
          along("0", zeros({0, 2}), 0)};
}

std::vector<OpSample> mode_samples() {
  const auto of = [](const std::string& arguments, const Tensor& x, std::int64_t axis, bool keepdim) {
    return OpSample{"torch.mode(x[0]" + arguments + ")", {x}, [=](const Tensors& in) {
                      return both(mode(in[0], axis, {.keepdim = keepdim}));
                    }};
  };
  const Tensor repeated = tensor({{3, 1, 3, 1, 2}, {2, 2, 2, 1, 0}});
  return {of("", repeated, -1, false),
          of(", dim=0, keepdim=True", repeated, 0, true),
          of("", tensor(std::vector<bool>{true, false, true}), -1, false),
          of("", sample_normal({3, 4}), -1, false),
          of("", sample_normal({}), -1, false),
          of(", dim=1", sample_normal({0, 3}), 1, false)};
}

}  // namespace

std::span<const OpInfo> sorting_ops() {
  static const OpInfo ops[] = {
      {"sort", "sorting", "x in ascending order along an axis, and where it was", true, sort_samples,
       [] {
         return std::vector<OpError>{{[] { sort(ones({2, 3}), 2); }, "sort: axis 2 is out of range"}};
       }},
      {"argsort", "sorting", "where the elements are in ascending order", false, argsort_samples,
       [] {
         return std::vector<OpError>{{[] { argsort(ones({2, 3}), 2); }, "argsort: axis 2 is out of range"}};
       }},
      {"topk", "sorting", "the k largest elements, and where they are", true, topk_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        topk(ones({2, 3}), 4);
                                      },
                                      "topk: k is 4, and axis -1 of shape (2, 3) has 3"},
                                     {[] {
                                        topk(ones({2, 3}), -1);
                                      },
                                      "topk: k is -1"}};
       }},
      {"kthvalue", "sorting", "the k-th smallest element, and where it is", true, kthvalue_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        kthvalue(ones({2, 3}), 4);
                                      },
                                      "kthvalue: k is 4"},
                                     {[] {
                                        kthvalue(ones({2, 3}), 0);
                                      },
                                      "kthvalue: k is 0; it counts from 1"},
                                     {[] {
                                        kthvalue(ones({2, 0}), 1);
                                      },
                                      "has no elements"}};
       }},
      {"median", "sorting", "the element in the middle, the lower of two", true,
       [] {
         return median_samples(
             "torch.median", [](const Tensor& x) { return median(x); },
             [](const Tensor& x, std::int64_t axis, bool keepdim) { return median(x, axis, {.keepdim = keepdim}); });
       },
       [] {
         return std::vector<OpError>{
             {[] { median(ones({0}, {.dtype = int64})); }, "median: shape (0,) has no elements"},
             {[] {
                median(ones({2, 3}), 2);
              },
              "median: axis 2 is out of range"}};
       }},
      {"nanmedian", "sorting", "the median of what is not NaN", true,
       [] {
         return median_samples(
             "torch.nanmedian", [](const Tensor& x) { return nanmedian(x); },
             [](const Tensor& x, std::int64_t axis, bool keepdim) { return nanmedian(x, axis, {.keepdim = keepdim}); });
       },
       [] {
         return std::vector<OpError>{
             {[] { nanmedian(ones({0}, {.dtype = int64})); }, "nanmedian: shape (0,) has no elements"}};
       }},
      {"quantile", "sorting", "the value below which a fraction q of the elements lies", true,
       [] {
         return quantile_samples(
             "torch.quantile",
             [](const Tensor& x, const Tensor& q, const QuantileOptions& options) { return quantile(x, q, options); });
       },
       [] {
         return quantile_errors(
             [](const Tensor& x, const Tensor& q, const QuantileOptions& options) { return quantile(x, q, options); });
       }},
      {"nanquantile", "sorting", "the quantile of what is not NaN", true,
       [] {
         return quantile_samples("torch.nanquantile",
                                 [](const Tensor& x, const Tensor& q, const QuantileOptions& options) {
                                   return nanquantile(x, q, options);
                                 });
       },
       [] {
         return quantile_errors([](const Tensor& x, const Tensor& q, const QuantileOptions& options) {
           return nanquantile(x, q, options);
         });
       }},
      {"unique", "sorting", "the different elements in ascending order, where each is, and how often", false,
       unique_samples,
       [] {
         return std::vector<OpError>{{[] { unique(Tensor()); }, "undefined"},
                                     {[] {
                                        unique(ones({2, 3}), 2);
                                      },
                                      "unique: axis 2 is out of range"}};
       }},
      {"mode", "sorting", "the element that occurs most often, the smallest of several", true, mode_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        mode(ones({2, 0}));
                                      },
                                      "mode: axis -1 of shape (2, 0) has no elements"},
                                     {[] {
                                        mode(ones({2, 3}), 2);
                                      },
                                      "mode: axis 2 is out of range"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
