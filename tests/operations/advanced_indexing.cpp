#include <xgrad/ops/advanced_indexing.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor positions(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }
Tensor mask(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = bool_}); }
Tensor nowhere() { return zeros({0}, {.dtype = int64}); }
Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }

// The many forms of indices are held against NumPy elsewhere; these are about gradients, dtypes and layouts.
std::vector<OpSample> index_samples() {
  return {sample("x[0][1:, None, -1]", {sample_normal({3, 4})},
                 [](auto& x) {
                   return index(x[0], {Slice(1), newaxis, -1});
                 }),
          sample("x[0].flip(1)[..., ::2]", {sample_normal({2, 5})},
                 [](auto& x) {
                   return index(x[0], {ellipsis, Slice({}, {}, -2)});
                 }),
          sample("x[0][x[1]]", {sample_normal({4, 3}), positions({{3, 0}, {-1, 0}})},
                 [](auto& x) { return index(x[0], {x[1]}); }),
          sample("x[0][:, x[1]]", {turned(), positions({1, 1, -4})},
                 [](auto& x) {
                   return index(x[0], {Slice(), x[1]});
                 }),
          sample("x[0][x[1], 1:, x[2]]", {sample_normal({3, 4, 2}), positions({{0}, {2}}), positions({1, 0, -1})},
                 [](auto& x) {
                   return index(x[0], {x[1], Slice(1), x[2]});
                 }),
          sample("x[0][x[1] != 0]", {sample_normal({2, 3}), positions({{1, 0, 1}, {0, 0, 1}})},
                 [](auto& x) { return index(x[0], {ne(x[1], 0)}); }),
          sample("x[0][x[1]]", {sample_normal({0, 3}), nowhere()}, [](auto& x) { return index(x[0], {x[1]}); })};
}

std::vector<OpSample> index_put_samples() {
  const auto of = [](bool accumulate) {
    const std::string put = "torch.index_put(x[0], (x[1], x[2]), x[3], accumulate=";
    return sample(put + (accumulate ? "True)" : "False)"),
                  {sample_normal({3, 4, 2}), positions({0, -1, accumulate ? 0 : 1}), positions({1, 0, 1}),
                   sample_normal({3, 2}, 2)},
                  [accumulate](auto& x) {
                    return index_put(x[0], {x[1], x[2]}, x[3], {.accumulate = accumulate});
                  });
  };
  return {
      of(false),
      of(true),
      sample("torch.index_put(x[0], (x[1],), x[2])", {turned(), positions({2, 0}), sample_normal({}, 2)},
             [](auto& x) { return index_put(x[0], {x[1]}, x[2]); }),
      sample("torch.slice_scatter(x[0], x[1].expand(3, 2), 1, 1, 4, 2)", {sample_normal({3, 4}), sample_normal({2}, 2)},
             [](auto& x) {
               return index_put(x[0], {ellipsis, Slice(1, {}, 2)}, x[1]);
             }),
      sample("torch.index_put(x[0], (x[1],), torch.tensor(2.5, dtype=torch.float64))",
             {sample_normal({3, 2}), positions({1})}, [](auto& x) { return index_put(x[0], {x[1]}, 2.5); }),
      sample("torch.index_put(x[0], (x[1],), x[2])", {sample_normal({0, 3}), nowhere(), sample_normal({3})},
             [](auto& x) { return index_put(x[0], {x[1]}, x[2]); })};
}

std::vector<OpSample> masked_select_samples() {
  const auto of = [](const Tensor& x, const Tensor& where) {
    return sample("torch.masked_select(x[0], x[1])", {x, where}, [](auto& in) { return masked_select(in[0], in[1]); });
  };
  return {of(sample_normal({2, 3}), mask({{true, false, true}, {false, false, true}})),
          of(turned(), mask({{true}, {false}, {true}})),
          of(sample_normal({3}), mask({{true, false, true}, {true, true, true}})),
          of(sample_normal({0, 3}), mask({true, false, true}))};
}

std::vector<OpSample> masked_scatter_samples() {
  const auto of = [](const Tensor& x, const Tensor& where, const Tensor& source) {
    return sample("torch.masked_scatter(x[0], x[1], x[2])", {x, where, source},
                  [](auto& in) { return masked_scatter(in[0], in[1], in[2]); });
  };
  return {of(sample_normal({2, 3}), mask({{true, false, true}, {false, false, true}}), sample_normal({3}, 2)),
          of(turned(), mask({true, false, true, false}), sample_normal({2, 4}, 2)),
          of(sample_normal({0, 3}), mask({true, false, true}), sample_normal({2}, 2))};
}

}  // namespace

std::span<const OpInfo> advanced_indexing_ops() {
  static const OpInfo ops[] = {
      {"index", "indexing", "x[...]", true, index_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        index(ones({2, 3}), {0, 3});
                                      },
                                      "index: index 3 is out of range for axis 1 of shape (2, 3)"},
                                     {[] {
                                        index(ones({2, 3}), {positions({0, -3})});
                                      },
                                      "index: index -3 is out of range for axis 0"},
                                     {[] {
                                        index(ones({2, 3}), {0, 0, 0});
                                      },
                                      "index: 3 axes are named of shape (2, 3)"},
                                     {[] {
                                        index(ones({2, 3}), {ellipsis, 0, ellipsis});
                                      },
                                      "index: 2 ellipses"},
                                     {[] {
                                        index(ones({2, 3}), {Slice(0, 2, 0)});
                                      },
                                      "index: the step of a slice is 0"},
                                     {[] {
                                        index(ones({2, 3}), {mask({true, false, true})});
                                      },
                                      "index: a mask of shape (3,)"},
                                     {[] {
                                        index(ones({2, 3}), {positions({0, 1}), positions({0, 1, 2})});
                                      },
                                      "index"},
                                     {[] {
                                        index(ones({2, 3}), {ones({2})});
                                      },
                                      "index: a tensor of dtype float32"}};
       }},
      {"index_put", "indexing", "x with x[...] = values, or += values", true, index_put_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        index_put(ones({2, 3}), {0}, ones({2}));
                                      },
                                      "index_put: values of shape (2,) do not broadcast"},
                                     {[] {
                                        index_put(tensor({1, 2}), {0}, ones({}));
                                      },
                                      "index_put: values of dtype float32"},
                                     {[] {
                                        index_put(tensor({1, 2}), {0}, 0.5);
                                      },
                                      "index_put: the number 0.5 for a tensor of dtype int64"},
                                     {[] {
                                        index_put(ones({2, 3}), {2}, 1);
                                      },
                                      "index 2 is out of range"}};
       }},
      {"masked_select", "indexing", "the x[i] where mask[i]", true, masked_select_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        masked_select(ones({3}), positions({1, 0, 1}));
                                      },
                                      "masked_select: a mask of dtype int64"},
                                     {[] {
                                        masked_select(ones({3}), mask({true, false}));
                                      },
                                      "masked_select: "}};
       }},
      {"masked_scatter", "indexing", "x with elements of source where mask[i]", true, masked_scatter_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        masked_scatter(ones({3}), mask({true, true, false}), ones({1}));
                                      },
                                      "masked_scatter: the source has 1 elements for 2 places"},
                                     {[] {
                                        masked_scatter(ones({3}), mask({true, true, false}), tensor({1, 2}));
                                      },
                                      "masked_scatter: a source of dtype int64"},
                                     {[] {
                                        masked_scatter(ones({3}), mask({true, true}), ones({2}));
                                      },
                                      "does not broadcast"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
