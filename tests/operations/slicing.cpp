#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

using Tensors = std::vector<Tensor>;

std::vector<OpSample> slice_samples() {
  const Tensor x = sample_normal({5, 3});
  return {sample("x[0][1:4]", {x}, [](auto& in) { return slice(in[0], 0, 1, 4); }),
          sample("x[0][:-1]", {x}, [](auto& in) { return slice(in[0], 0, 0, -1); }),
          sample("x[0][:, 1:]", {x}, [](auto& in) { return slice(in[0], -1, 1); }),
          sample("x[0][-4::2]", {x}, [](auto& in) { return slice(in[0], 0, -4, INT64_MAX, 2); }),
          sample("x[0][-9:9]", {x}, [](auto& in) { return slice(in[0], 0, -9, 9); }),
          sample("x[0][4:2]", {x}, [](auto& in) { return slice(in[0], 0, 4, 2); }),
          sample("x[0].transpose(0, 1)[1:, ::3]", {x},
                 [](auto& in) { return slice(slice(transpose(in[0], 0, 1), 0, 1), 1, 0, 5, 3); }),
          sample("x[0].flip(0)", {x}, [](auto& in) { return slice(in[0], 0, -1, INT64_MIN, -1); }),
          sample("x[0][[3, 1]]", {x}, [](auto& in) { return slice(in[0], 0, -2, 0, -2); }),
          sample("x[0][[4, 1]]", {x}, [](auto& in) { return slice(in[0], 0, 9, -6, -3); }),
          sample("x[0][:, [2]]", {x}, [](auto& in) { return slice(in[0], 1, 2, -9, -INT64_MAX); }),
          sample("x[0][:0]", {x}, [](auto& in) { return slice(in[0], 0, 1, 3, -1); }),
          sample("x[0][:, 1:]", {sample_normal({0, 3})}, [](auto& in) { return slice(in[0], 1, 1); }),
          sample("x[0]", {sample_normal({0, 3})}, [](auto& in) { return slice(in[0], 0, -1, INT64_MIN, -1); })};
}

std::vector<OpError> slice_errors() {
  return {{[] {
             slice(ones({2, 3}), 2, 0);
           },
           "slice: axis 2 is out of range"},
          {[] { slice(ones({}), 0, 0); }, "slice: axis 0 is out of range"},
          {[] {
             slice(ones({2, 3}), 0, 0, 2, 0);
           },
           "slice: the step is 0"}};
}

std::vector<OpSample> narrow_samples() {
  const Tensor x = sample_normal({2, 5});
  return {
      sample("torch.narrow(x[0], 1, 1, 3)", {x}, [](auto& in) { return narrow(in[0], 1, 1, 3); }),
      sample("torch.narrow(x[0], -1, -2, 2)", {x}, [](auto& in) { return narrow(in[0], -1, -2, 2); }),
      sample("torch.narrow(x[0], 1, 5, 0)", {x}, [](auto& in) { return narrow(in[0], 1, 5, 0); }),
      sample("torch.narrow(x[0], 1, 1, 2)", {sample_normal({0, 3})}, [](auto& in) { return narrow(in[0], 1, 1, 2); })};
}

std::vector<OpError> narrow_errors() {
  return {{[] {
             narrow(ones({2, 3}), 1, 2, 2);
           },
           "narrow: 2 elements from 2 on are not all in axis 1 of shape (2, 3)"},
          {[] {
             narrow(ones({2, 3}), 1, -4, 1);
           },
           "narrow: 1 elements from -4 on"},
          {[] {
             narrow(ones({2, 3}), 1, 1, INT64_MAX);
           },
           "not all in axis 1"},
          {[] {
             narrow(ones({2, 3}), 1, 0, -1);
           },
           "narrow: -1 elements"}};
}

std::vector<OpSample> select_samples() {
  const Tensor x = sample_normal({2, 3, 4});
  return {sample("torch.select(x[0], 0, 1)", {x}, [](auto& in) { return select(in[0], 0, 1); }),
          sample("torch.select(x[0], 1, -1)", {x}, [](auto& in) { return select(in[0], 1, -1); }),
          sample("torch.select(x[0], 0, 0)", {sample_normal({3})}, [](auto& in) { return select(in[0], 0, 0); }),
          sample("torch.select(x[0], 1, 2)", {sample_normal({0, 3})}, [](auto& in) { return select(in[0], 1, 2); })};
}

std::vector<OpError> select_errors() {
  return {{[] {
             select(ones({2, 3}), 1, 3);
           },
           "select: index 3 is out of range for axis 1 of shape (2, 3)"},
          {[] {
             select(ones({2, 3}), 0, -3);
           },
           "select: index -3"},
          {[] {
             select(ones({0, 3}), 0, 0);
           },
           "select: index 0 is out of range"},
          {[] { select(ones({}), 0, 0); }, "select: axis 0 is out of range"}};
}

std::vector<OpSample> split_samples() {
  const Tensor x = sample_normal({5, 3});
  return {{"torch.split(x[0], 2)", {x}, [](const Tensors& in) { return split(in[0], 2); }},
          {"torch.split(x[0], [1, 0, 2], dim=-1)",
           {x},
           [](const Tensors& in) {
             return split(in[0], {1, 0, 2}, -1);
           }},
          {"torch.split(x[0], 9)", {x}, [](const Tensors& in) { return split(in[0], 9); }},
          {"torch.split(x[0], 2)", {sample_normal({0, 3})}, [](const Tensors& in) { return split(in[0], 2); }}};
}

std::vector<OpError> split_errors() {
  return {{[] {
             split(ones({2, 3}), 0);
           },
           "split: parts of size 0"},
          {[] {
             split(ones({2, 3}), 1, 2);
           },
           "split: axis 2 is out of range"},
          {[] {
             split(ones({2, 3}), {1, 3}, 1);
           },
           "add up to more than that of axis 1 of shape (2, 3)"},
          {[] {
             split(ones({2, 3}), {1, 1}, 1);
           },
           "split: the sizes leave 1 over of axis 1 of shape (2, 3)"},
          {[] {
             split(ones({2, 3}), {4, -1}, 1);
           },
           "split: the sizes add up to more"},
          {[] {
             split(ones({2, 3}), {-1, 4}, 1);
           },
           "split: size -1 is negative"}};
}

std::vector<OpSample> unbind_samples() {
  const Tensor x = sample_normal({3, 2, 4});
  return {{"torch.unbind(x[0])", {x}, [](const Tensors& in) { return unbind(in[0]); }},
          {"torch.unbind(x[0], -1)", {x}, [](const Tensors& in) { return unbind(in[0], -1); }},
          {"torch.unbind(x[0].transpose(0, 1), 1)",
           {x},
           [](const Tensors& in) { return unbind(transpose(in[0], 0, 1), 1); }},
          {"torch.unbind(x[0])", {sample_normal({4})}, [](const Tensors& in) { return unbind(in[0]); }},
          {"torch.unbind(x[0], 1)", {sample_normal({0, 2})}, [](const Tensors& in) { return unbind(in[0], 1); }}};
}

std::vector<OpError> unbind_errors() {
  return {{[] {
             unbind(ones({2, 3}), 2);
           },
           "unbind: axis 2 is out of range"},
          {[] { unbind(ones({})); }, "unbind: axis 0 is out of range"},
          {[] { unbind(expand(ones({1}), {INT64_MAX})); }, "unbind: axis 0 of shape (9223372036854775807,) in"}};
}

std::vector<OpSample> flip_samples() {
  const Tensor x = sample_normal({2, 3, 4});
  return {sample("torch.flip(x[0], (1,))", {x}, [](auto& in) { return flip(in[0], {1}); }),
          sample("torch.flip(x[0], (0, 1, 2))", {x}, [](auto& in) { return flip(in[0]); }),
          sample("torch.flip(x[0].transpose(0, 2), (0, -1))", {x},
                 [](auto& in) {
                   return flip(transpose(in[0], 0, 2), {0, -1});
                 }),
          sample("torch.flip(x[0], ())", {sample_normal({})}, [](auto& in) { return flip(in[0]); }),
          sample("torch.flip(x[0], (0,))", {sample_normal({2, 0})}, [](auto& in) { return flip(in[0], {0}); })};
}

std::vector<OpError> flip_errors() {
  return {{[] {
             flip(ones({2, 3}), {2});
           },
           "flip: axis 2 is out of range"},
          {[] {
             flip(ones({2, 3}), {1, -1});
           },
           "flip: axis 1 is named twice"}};
}

}  // namespace

std::span<const OpInfo> slicing_ops() {
  static const OpInfo ops[] = {
      {"slice", "slicing", "x[begin:end:step] along an axis", true, slice_samples, slice_errors},
      {"narrow", "slicing", "x[begin:begin + length] along an axis", true, narrow_samples, narrow_errors},
      {"select", "slicing", "x[index] along an axis", true, select_samples, select_errors},
      {"split", "slicing", "consecutive parts along an axis", true, split_samples, split_errors},
      {"unbind", "slicing", "the parts along an axis, each without it", true, unbind_samples, unbind_errors},
      {"flip", "slicing", "the order reversed along axes", true, flip_samples, flip_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
