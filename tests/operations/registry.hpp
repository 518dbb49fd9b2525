#pragma once
// The registry of operations: what the tests and the table in the docs know of each. The file of a family of operations
// here describes those of the file of that name in ops/; nothing else has to be touched to have an operation checked.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/tensor.hpp>

namespace xgrad {

/// One call of an operation. Its gradient is checked with respect to the inputs that require one (float64).
struct OpSample {
  std::string reference;       // the same call in PyTorch, an expression of x[0], x[1], ...: "torch.sum(x[0], dim=1)"
  std::vector<Tensor> inputs;  // the same at every call of OpInfo::samples
  std::function<std::vector<Tensor>(const std::vector<Tensor>& x)> call;
};

/// A call that must throw Error, and what the message must contain.
struct OpError {
  std::function<void()> call;
  std::string message;
};

struct OpInfo {
  const char* name;                    // as users call it
  const char* family;                  // the heading it stands under
  const char* formula;                 // the value, in plain text
  bool differentiable;                 // whether a gradient flows through it
  std::vector<OpSample> (*samples)();  // including empty inputs; values away from kinks, where differences would lie
  std::vector<OpError> (*errors)();
};

/// The operations that one file describes.
struct OpFamily {
  const char* file;  // without its ending
  std::span<const OpInfo> ops;
};
std::span<const OpFamily> families();
/// All operations, by family.
std::span<const OpInfo> registry();

namespace detail {

/// A sample from a function of the inputs that gives one tensor.
template <class F>
OpSample sample(std::string reference, std::vector<Tensor> inputs, F call) {
  return {std::move(reference), std::move(inputs),
          [call](const std::vector<Tensor>& x) { return std::vector<Tensor>{call(x)}; }};
}
/// float64 values from a normal distribution, the same for the same seed, requiring a gradient.
Tensor sample_normal(const Shape& shape, std::uint64_t seed = 1);
/// float64 values uniform in [low, high), the same for the same seed, requiring a gradient.
Tensor sample_uniform(const Shape& shape, double low, double high, std::uint64_t seed = 1);

}  // namespace detail

}  // namespace xgrad
