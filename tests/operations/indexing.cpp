#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor indices(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }
Tensor no_indices(const Shape& shape) { return zeros(shape, {.dtype = int64}); }
Tensor turned() { return transpose(sample_normal({4, 3}).detach(), 0, 1).requires_grad_(); }

std::vector<OpSample> index_select_samples() {
  const Tensor x = sample_normal({3, 4, 2}), index = indices({2, 0, 2, 1, 2});
  return {
      sample("torch.index_select(x[0], 0, x[1])", {x, index}, [](auto& in) { return index_select(in[0], 0, in[1]); }),
      sample("torch.index_select(x[0], 1, x[1])", {x, index}, [](auto& in) { return index_select(in[0], 1, in[1]); }),
      sample("torch.index_select(x[0], -1, x[1])", {turned(), index},
             [](auto& in) { return index_select(in[0], -1, in[1]); }),
      sample("torch.index_select(x[0], 0, x[1])", {x, no_indices({0})},
             [](auto& in) { return index_select(in[0], 0, in[1]); }),
      sample("torch.index_select(x[0], 1, x[1])", {sample_normal({0, 3}), index},
             [](auto& in) { return index_select(in[0], 1, in[1]); })};
}

std::vector<OpError> index_select_errors() {
  return {{[] {
             index_select(ones({2, 3}), 1, indices({0, 3}));
           },
           "index_select: index 3 at (1,) is out of range for axis 1 of shape (2, 3)"},
          {[] {
             index_select(ones({2, 3}), 0, indices({-1}));
           },
           "index_select: index -1 at (0,)"},
          {[] {
             index_select(ones({0, 3}), 0, indices({0}));
           },
           "index 0 at (0,) is out of range for axis 0"},
          {[] {
             index_select(ones({2, 3}), 0, tensor({1.0}));
           },
           "index_select: indices of dtype float32"},
          {[] {
             index_select(ones({2, 3}), 0, indices({{0}}));
           },
           "index_select: an index of shape (1, 1)"},
          {[] {
             index_select(ones({2, 3}), 2, indices({0}));
           },
           "index_select: axis 2 is out of range"},
          {[] { index_select(ones({2}), 0, Tensor()); }, "undefined"}};
}

std::vector<OpSample> index_add_samples() {
  const Tensor index = indices({2, 0, 2, 1, 2});
  const auto of = [&](const std::string& axis, const Tensor& x, const Tensor& at, const Tensor& source, auto call) {
    return sample("torch.index_add(x[0], " + axis + ", x[1], x[2])", {x, at, source}, call);
  };
  const auto first = [](auto& in) { return index_add(in[0], 0, in[1], in[2]); };
  const auto last = [](auto& in) { return index_add(in[0], -1, in[1], in[2]); };
  return {of("0", sample_normal({3, 4}), index, sample_normal({5, 4}, 2), first),
          of("-1", sample_normal({2, 3}), index, sample_normal({2, 5}, 2), last),
          of("0", turned(), index, sample_normal({5, 4}, 2), first),
          of("0", sample_normal({3, 4}), no_indices({0}), sample_normal({0, 4}, 2), first),
          sample("torch.index_add(x[0], 0, x[1], x[2], alpha=-0.5)",
                 {sample_normal({3, 4}), index, sample_normal({5, 4}, 2)},
                 [](auto& in) { return index_add(in[0], 0, in[1], in[2], {.alpha = -0.5}); }),
          of("-1", sample_normal({0, 3}), index, sample_normal({0, 5}, 2), last)};
}

std::vector<OpError> index_add_errors() {
  return {
      {[] {
         index_add(ones({2, 3}), 1, indices({0, 3}), ones({2, 2}));
       },
       "index_add: index 3 at (1,) is out of range for axis 1 of shape (2, 3)"},
      {[] {
         index_add(ones({2, 3}), 0, indices({0, 1, 1}), ones({2, 3}));
       },
       "index_add: a source of shape (2, 3) for shape (2, 3) and 3 indices along axis 0; it must have shape (3, 3)"},
      {[] {
         index_add(ones({2, 3}), 0, indices({{0}}), ones({1, 3}));
       },
       "index_add: an index of shape (1, 1)"},
      {[] { index_add(ones({}), 0, indices({0}), ones({})); }, "index_add: axis 0 is out of range"}};
}

}  // namespace

std::span<const OpInfo> indexing_ops() {
  static const OpInfo ops[] = {
      {"index_select", "indexing", "x[index] along an axis", true, index_select_samples, index_select_errors},
      {"index_add", "indexing", "x with x[index] += source along an axis", true, index_add_samples, index_add_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
