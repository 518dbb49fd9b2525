#pragma once
// New tensors.

#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

/// All of one value. Every creation function throws Error for a negative size, over 2^63 - 1 elements, and for
/// `requires_grad` with an integer dtype.
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
/// Uninitialised elements.
Tensor empty(const Shape& shape, const TensorOptions& options = {});
/// Of the shape and dtype of another tensor; not requiring a gradient.
Tensor zeros_like(const Tensor& other);
Tensor ones_like(const Tensor& other);
Tensor empty_like(const Tensor& other);
Tensor full_like(const Tensor& other, double value);

/// begin, begin + step, ... as long as below `end` (above, for a negative step).
Tensor arange(double begin, double end, double step = 1, const TensorOptions& options = {});
/// 0, 1, ..., n - 1.
Tensor arange(std::int64_t n, const TensorOptions& options = {});
/// `count` numbers from begin to end, both included, evenly spaced.
Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options = {});
/// The (n, n) identity.
Tensor eye(std::int64_t n, const TensorOptions& options = {});

// Random numbers come from the calling thread's default_generator() (see core/random.hpp, manual_seed).
/// Uniform in [0, 1).
Tensor rand(const Shape& shape, const TensorOptions& options = {});
/// Normal with mean 0 and standard deviation 1.
Tensor randn(const Shape& shape, const TensorOptions& options = {});
/// Uniform integers in [low, high), int64.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape);
/// A random permutation of 0, ..., n - 1, int64, shape (n,).
Tensor randperm(std::int64_t n);

/// Numbers in braces, nested as deep as the tensor has axes.
class NestedNumbers {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> NestedNumbers(T value) : value_(static_cast<double>(value)) {
    if constexpr (std::is_integral_v<T>) integer_ = static_cast<std::int64_t>(value);
    integral_ = std::is_integral_v<T>;
  }
  NestedNumbers(std::initializer_list<NestedNumbers> items) : items_(items), nested_(true) {}

 private:
  friend Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options);
  friend struct NestedReader;
  double value_ = 0;
  std::int64_t integer_ = 0;
  std::vector<NestedNumbers> items_;
  bool nested_ = false, integral_ = false;
};

/// A tensor of the numbers as written: tensor(2.5), tensor({1, 2, 3}), tensor({{1, 2}, {3, 4}}, {.dtype = float64}).
/// Throws Error for lists of differing lengths.
Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options = {});
/// A copy of `values`, row-major, in the given shape; the dtype is that of T.
template <class T, DType = dtype_of<T>()>
Tensor from_values(std::span<const T> values, const Shape& shape, bool requires_grad = false);

}  // namespace xgrad
