#pragma once
// Elements of tensors as vectors, which compare and print well.

#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/tensor.hpp>

#include <cmath>
#include <limits>
#include <vector>

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;
using Bools = std::vector<bool>;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> values(const xgrad::Tensor& x) {
  const xgrad::Tensor dense = x.contiguous();
  return std::vector<T>(dense.data<T>(), dense.data<T>() + dense.numel());
}

inline xgrad::Tensor integers(const xgrad::NestedNumbers& numbers) {
  return xgrad::tensor(numbers, {.dtype = xgrad::int64});
}
inline xgrad::Tensor bools(const xgrad::NestedNumbers& numbers) {
  return xgrad::tensor(numbers, {.dtype = xgrad::bool_});
}
/// float64 and requiring a gradient.
inline xgrad::Tensor doubles(const xgrad::NestedNumbers& numbers) {
  return xgrad::tensor(numbers, {.dtype = xgrad::float64, .requires_grad = true});
}
inline xgrad::Tensor doubles_of(const Doubles& numbers) {
  return xgrad::from_values<double>(numbers, {static_cast<std::int64_t>(numbers.size())}, true);
}

/// Equal within 1e-12, infinities of the same sign, NaN where the other is NaN.
inline bool alike(const Doubles& a, const Doubles& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return false;
    if (!std::isnan(a[i]) && a[i] != b[i] && !(std::abs(a[i] - b[i]) <= 1e-12 * (1 + std::abs(b[i])))) return false;
  }
  return true;
}
