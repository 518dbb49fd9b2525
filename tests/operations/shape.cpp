#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

struct Case {
  const char* reference;
  Tensor x;
  Tensor (*call)(const Tensor& x);
};

std::vector<OpSample> samples_of(std::initializer_list<Case> cases) {
  std::vector<OpSample> samples;
  for (const Case& each : cases)
    samples.push_back(sample(each.reference, {each.x}, [f = each.call](auto& x) { return f(x[0]); }));
  return samples;
}

/// (2, 4, 3), not contiguous.
Tensor permuted_input() { return transpose(sample_normal({2, 3, 4}).detach(), 1, 2).requires_grad_(); }

std::vector<OpSample> reshape_samples() {
  return samples_of({
      {"x[0].reshape(4, 6)", sample_normal({2, 3, 4}),
       [](auto& x) {
         return reshape(x, {4, 6});
       }},
      {"x[0].reshape(1, 6, -1, 1)", sample_normal({2, 3, 4}),
       [](auto& x) {
         return reshape(x, {1, 6, -1, 1});
       }},
      {"x[0].reshape(2, 2, 2, 3)", permuted_input(),
       [](auto& x) {
         return reshape(x, {2, 2, 2, 3});
       }},
      {"x[0].reshape(-1)", permuted_input(), [](auto& x) { return reshape(x, {-1}); }},
      {"x[0].reshape(())", sample_normal({1, 1}), [](auto& x) { return reshape(x, {}); }},
      {"x[0].reshape(5, 0)", sample_normal({0, 3}),
       [](auto& x) {
         return reshape(x, {5, 0});
       }},
  });
}

std::vector<OpError> reshape_errors() {
  return {{[] {
             reshape(ones({2, 3}), {4});
           },
           "reshape: (2, 3) has 6 elements, which do not fill (4,)"},
          {[] {
             reshape(ones({2, 3}), {4, -1});
           },
           "which do not fill (4, -1)"},
          {[] {
             reshape(ones({2, 3}), {-1, -1});
           },
           "only one size can be -1"},
          {[] {
             reshape(ones({2, 3}), {-2, 3});
           },
           "size -2 is negative"},
          {[] {
             reshape(ones({0, 3}), {0, -1});
           },
           "any size could stand for -1"},
          {[] {
             reshape(ones({2}), {INT64_MAX, 4});
           },
           "more than 2^63 - 1 elements"},
          {[] { reshape(Tensor(), {1}); }, "undefined"}};
}

std::vector<OpSample> flatten_samples() {
  return samples_of({
      {"torch.flatten(x[0])", sample_normal({2, 3, 4}), [](auto& x) { return flatten(x); }},
      {"torch.flatten(x[0], 1)", sample_normal({2, 3, 4}), [](auto& x) { return flatten(x, 1); }},
      {"torch.flatten(x[0], 0, -2)", permuted_input(), [](auto& x) { return flatten(x, 0, -2); }},
      {"torch.flatten(x[0], 1)", permuted_input(), [](auto& x) { return flatten(x, 1); }},
      {"torch.flatten(x[0])", sample_normal({}), [](auto& x) { return flatten(x); }},
      {"torch.flatten(x[0], 1)", sample_normal({2, 0, 3}), [](auto& x) { return flatten(x, 1); }},
  });
}

std::vector<OpError> flatten_errors() {
  return {{[] {
             flatten(ones({2, 3}), 2);
           },
           "flatten: axis 2 is out of range"},
          {[] {
             flatten(ones({2, 3}), 1, 0);
           },
           "flatten: (2, 3): start axis 1 comes after end axis 0"}};
}

std::vector<OpSample> transpose_samples() {
  return samples_of({
      {"torch.transpose(x[0], 0, 1)", sample_normal({2, 3}), [](auto& x) { return transpose(x, 0, 1); }},
      {"torch.transpose(x[0], 0, -1)", sample_normal({2, 3, 4}), [](auto& x) { return transpose(x, 0, -1); }},
      {"torch.transpose(x[0], 1, 0)", permuted_input(), [](auto& x) { return transpose(x, 1, 0); }},
      {"torch.transpose(x[0], 0, 0)", sample_normal({3}), [](auto& x) { return transpose(x, 0, 0); }},
      {"torch.transpose(x[0], 0, 1)", sample_normal({0, 3}), [](auto& x) { return transpose(x, 0, 1); }},
  });
}

std::vector<OpError> transpose_errors() {
  return {{[] {
             transpose(ones({2, 3}), 0, 2);
           },
           "transpose: axis 2 is out of range for a tensor with 2 axes"},
          {[] { transpose(ones({}), 0, 0); }, "transpose: axis 0 is out of range"}};
}

std::vector<OpSample> permute_samples() {
  return samples_of({
      {"torch.permute(x[0], (2, 0, 1))", sample_normal({2, 3, 4}),
       [](auto& x) {
         return permute(x, {2, 0, 1});
       }},
      {"torch.permute(x[0], (-1, -2, 0))", permuted_input(),
       [](auto& x) {
         return permute(x, {-1, -2, 0});
       }},
      {"torch.permute(x[0], ())", sample_normal({}), [](auto& x) { return permute(x, {}); }},
      {"torch.permute(x[0], (1, 2, 0))", sample_normal({2, 0, 3}),
       [](auto& x) {
         return permute(x, {1, 2, 0});
       }},
  });
}

std::vector<OpError> permute_errors() {
  return {{[] {
             permute(ones({2, 3}), {0});
           },
           "permute: (2, 3) has 2 axes, (0,) names 1"},
          {[] {
             permute(ones({2, 3}), {0, 2});
           },
           "permute: axis 2 is out of range"},
          {[] {
             permute(ones({2, 3}), {1, -1});
           },
           "permute: axis 1 is named twice"}};
}

std::vector<OpSample> squeeze_samples() {
  return samples_of({
      {"torch.squeeze(x[0])", sample_normal({1, 3, 1, 2}), [](auto& x) { return squeeze(x); }},
      {"torch.squeeze(x[0], 2)", sample_normal({1, 3, 1, 2}), [](auto& x) { return squeeze(x, 2); }},
      {"torch.squeeze(x[0], -1)", sample_normal({3, 2}), [](auto& x) { return squeeze(x, -1); }},
      {"torch.squeeze(x[0], (0, -2, 1))", sample_normal({1, 3, 1, 2}),
       [](auto& x) {
         return squeeze(x, {0, -2, 1});
       }},
      {"torch.squeeze(x[0])", sample_normal({1, 1}), [](auto& x) { return squeeze(x); }},
      {"torch.squeeze(x[0])", sample_normal({1, 0}), [](auto& x) { return squeeze(x); }},
  });
}

std::vector<OpError> squeeze_errors() {
  return {{[] {
             squeeze(ones({2, 3}), 2);
           },
           "squeeze: axis 2 is out of range"},
          {[] {
             squeeze(ones({1, 3}), {0, -2});
           },
           "squeeze: axis 0 is named twice"}};
}

std::vector<OpSample> unsqueeze_samples() {
  return samples_of({
      {"torch.unsqueeze(x[0], 0)", sample_normal({2, 3}), [](auto& x) { return unsqueeze(x, 0); }},
      {"torch.unsqueeze(x[0], -1)", permuted_input(), [](auto& x) { return unsqueeze(x, -1); }},
      {"torch.unsqueeze(x[0], -2)", sample_normal({2, 3}), [](auto& x) { return unsqueeze(x, -2); }},
      {"torch.unsqueeze(x[0], 0)", sample_normal({}), [](auto& x) { return unsqueeze(x, 0); }},
      {"torch.unsqueeze(x[0], 1)", sample_normal({0, 3}), [](auto& x) { return unsqueeze(x, 1); }},
  });
}

std::vector<OpError> unsqueeze_errors() {
  return {{[] {
             unsqueeze(ones({2, 3}), 3);
           },
           "unsqueeze: axis 3 is out of range"},
          {[] {
             unsqueeze(ones({1, 1, 1, 1, 1, 1, 1, 1}), 0);
           },
           "more axes than the 8"}};
}

}  // namespace

std::span<const OpInfo> shape_ops() {
  static const OpInfo ops[] = {
      {"reshape", "shape", "the elements in another shape", true, reshape_samples, reshape_errors},
      {"flatten", "shape", "neighbouring axes made one", true, flatten_samples, flatten_errors},
      {"transpose", "shape", "two axes exchanged", true, transpose_samples, transpose_errors},
      {"permute", "shape", "the axes in another order", true, permute_samples, permute_errors},
      {"squeeze", "shape", "without axes of size 1", true, squeeze_samples, squeeze_errors},
      {"unsqueeze", "shape", "with an axis of size 1 more", true, unsqueeze_samples, unsqueeze_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
