#pragma once
// Modules for tests that need no operation.

#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/sequential.hpp>

namespace {

using namespace xgrad;

// Shaped as a linear layer; passes its input through.
struct Affine {
  Affine(std::int64_t inputs, std::int64_t outputs, bool with_bias = true)
      : weight(full({outputs, inputs}, 1, {.requires_grad = true})) {
    if (with_bias) bias = full({outputs}, 2, {.requires_grad = true});
  }
  Tensor operator()(const Tensor& x) const { return x; }
  auto fields() { return xgrad::fields("weight", nn::parameter(weight), "bias", nn::parameter(bias)); }
  Tensor weight, bias;
};

// Shaped as batch norm; an aggregate.
struct Norm {
  std::int64_t features = 3;
  Tensor weight = ones({features}, {.requires_grad = true}), running_mean = zeros({features});
  Tensor bias = zeros({features}, {.requires_grad = true}), num_batches_tracked = zeros({}, {.dtype = int64});
  bool training = true;
  Tensor operator()(const Tensor& x) const { return x; }
};

struct Gate {
  bool training = true;
  double p = 0.5;
  Tensor operator()(const Tensor& x) const { return training ? Tensor() : x; }
};

inline std::vector<std::string> keys(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}
using Keys = std::vector<std::string>;

inline std::vector<double> values(const Tensor& tensor) {
  std::vector<double> all;
  const Tensor doubles = tensor.detach().to(float64).contiguous();
  all.assign(doubles.data<double>(), doubles.data<double>() + doubles.numel());
  return all;
}

}  // namespace
