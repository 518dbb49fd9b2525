#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor indices(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }
Tensor no_indices(const Shape& shape) { return zeros(shape, {.dtype = int64}); }
Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }

std::vector<OpSample> gather_samples() {
  const auto of = [](const Tensor& x, const Tensor& index) {
    return sample("torch.gather(x[0], 1, x[1])", {x, index}, [](auto& in) { return gather(in[0], 1, in[1]); });
  };
  return {of(sample_normal({2, 3}), indices({{2, 0, 0, 1}, {1, 1, 2, 0}})),
          of(sample_normal({2, 3}), indices({{2}})),
          of(turned(), indices({{3, 0}, {1, 1}, {2, 3}})),
          of(sample_normal({2, 3, 2}), indices({{{2, 0}, {0, 1}}, {{1, 1}, {2, 0}}})),
          sample("torch.gather(x[0], -2, x[1])", {sample_normal({3, 2}), indices({{2, 1}, {0, 1}})},
                 [](auto& in) { return gather(in[0], -2, in[1]); }),
          of(sample_normal({2, 3}), no_indices({2, 0})),
          of(sample_normal({0, 3}), no_indices({0, 2}))};
}

std::vector<OpError> gather_errors() {
  return {{[] {
             gather(ones({2, 3}), 1, indices({{0, 1}, {2, 3}}));
           },
           "gather: index 3 at (1, 1) is out of range for axis 1 of shape (2, 3)"},
          {[] {
             gather(ones({2, 3}), 0, indices({{0, -1}}));
           },
           "gather: index -1 at (0, 1)"},
          {[] {
             gather(ones({2, 3}), 1, indices({0}));
           },
           "gather: an index of shape (1,) for shape (2, 3)"},
          {[] {
             gather(ones({2, 3}), 1, no_indices({3, 3}));
           },
           "is larger along axis 0"},
          {[] {
             gather(ones({2, 3}), 1, zeros({2, 3}, {.dtype = bool_}));
           },
           "gather: indices of dtype bool"},
          {[] {
             gather(ones({2, 3}), 2, no_indices({2, 3}));
           },
           "gather: axis 2 is out of range"}};
}

std::vector<OpSample> scatter_add_samples() {
  const auto of = [](const Tensor& x, const Tensor& index) {
    return sample("torch.scatter_add(x[0], 1, x[1], x[2])", {x, index, sample_normal(index.shape(), 2)},
                  [](auto& in) { return scatter_add(in[0], 1, in[1], in[2]); });
  };
  return {of(sample_normal({2, 3}), indices({{2, 0, 0, 1}, {1, 1, 1, 0}})),
          of(sample_normal({2, 3}), indices({{2}})),
          of(turned(), indices({{3, 0}, {1, 1}, {2, 3}})),
          of(sample_normal({2, 3, 2}), indices({{{2, 0}, {2, 1}}, {{1, 1}, {2, 1}}})),
          of(sample_normal({2, 3}), no_indices({2, 0})),
          sample("torch.zeros_like(x[0]).scatter_add(1, x[1], x[2][:1, :2]) + x[0]",
                 {sample_normal({2, 3}), indices({{2, 0}}), sample_normal({4, 3}, 2)},
                 [](auto& in) { return scatter_add(in[0], 1, in[1], in[2]); }),
          of(sample_normal({0, 3}), no_indices({0, 2}))};
}

std::vector<OpError> scatter_add_errors() {
  return {{[] {
             scatter_add(ones({2, 3}), 1, indices({{0, 3}}), ones({1, 2}));
           },
           "scatter_add: index 3 at (0, 1) is out of range for axis 1 of shape (2, 3)"},
          {[] {
             scatter_add(ones({2, 3}), 1, indices({{0, 1}}), ones({2, 1}));
           },
           "scatter_add: source (2, 1) is smaller than index (1, 2) along axis 1"},
          {[] {
             scatter_add(ones({2, 3}), 1, indices({{0, 1}}), ones({2}));
           },
           "must have as many axes"},
          {[] {
             scatter_add(ones({2, 3}), 1, no_indices({3, 3}), ones({3, 3}));
           },
           "is larger along axis 0"}};
}

}  // namespace

std::span<const OpInfo> gather_ops() {
  static const OpInfo ops[] = {
      {"gather", "indexing", "x[i, index[i, j]]", true, gather_samples, gather_errors},
      {"scatter_add", "indexing", "x with x[i, index[i, j]] += source[i, j]", true, scatter_add_samples,
       scatter_add_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
