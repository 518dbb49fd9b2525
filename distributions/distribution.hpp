#pragma once
// What probability distributions have in common. A distribution is a struct of its parameters, tensors that broadcast
// together, each element of which is a distribution of its own:
//
//     const distributions::Normal prior(0, tensor({1, 10}));  // two distributions
//     const Tensor x = prior.rsample({1000});                 // (1000, 2), with a gradient for the parameters
//     const Tensor loss = -mean(prior.log_prob(x));
//
// All have the members of the concept below; `rsample`, `cdf`, `icdf` and `entropy` where they are named. Names,
// parameters and shapes are torch.distributions'. Other than there, log_prob outside the support is -infinity, with
// gradient 0, and no error. Parameters are checked when a distribution is made: Error where one is out of range.

#include <concepts>

#include "../array/random.hpp"
#include "../array/scalar.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../autograd/operand.hpp"

namespace xgrad::distributions {

struct SampleOptions {
  Generator* generator = nullptr;  // what is drawn from; null for the calling thread's default_generator()
};

/// A parameter: a tensor, or a number, which takes the dtype of the others (float32 where there is none).
class Parameter {
 public:
  Parameter() = default;
  Parameter(const Tensor& tensor) : tensor_(tensor) {}
  template <class T>
  requires std::is_arithmetic_v<T> Parameter(T number)
      : tensor_(full({}, static_cast<double>(number), {.dtype = float64})), is_number_(true) {}
  /// A number is one of float64.
  const Tensor& tensor() const { return tensor_; }
  bool is_number() const { return is_number_; }
  bool defined() const { return tensor_.defined(); }

 private:
  Tensor tensor_;
  bool is_number_ = false;
};

/// Whose events are numbers.
struct OfNumbers {
  Shape event_shape() const { return {}; }
};

/// Whose samples, of rsample(), have gradients for the parameters; those of sample() have none.
template <class D>
struct Reparametrized {
  Tensor sample(const Shape& shape = {}, const SampleOptions& options = {}) const {
    const NoGrad no_grad;
    return static_cast<const D&>(*this).rsample(shape, options);
  }
};

/// A sample has the shape that was asked for, then that of the batch of distributions, then that of one event: () for
/// numbers, (n,) for vectors. Samples of the same generator state are the same at any number of threads.
template <class D>
concept Distribution = requires(const D& d, const Tensor& value) {
  { d.batch_shape() } -> std::same_as<Shape>;
  { d.event_shape() } -> std::same_as<Shape>;
  { d.sample(Shape{3}, SampleOptions{}) } -> std::same_as<Tensor>;
  { d.log_prob(value) } -> std::same_as<Tensor>;
  { d.mean() } -> std::same_as<Tensor>;
  { d.variance() } -> std::same_as<Tensor>;
};

}  // namespace xgrad::distributions
