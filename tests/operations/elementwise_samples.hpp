#pragma once
// The samples and error inputs that elementwise operations have in common.

#include <string>
#include <vector>

#include "registry.hpp"

namespace xgrad::detail {

using UnaryFunction = Tensor (*)(const Tensor& x);
using BinaryFunction = Tensor (*)(const Tensor& a, const Tensor& b);

/// Values in a range.
struct Range {
  double low = -2, high = 2;
};

/// A matrix, a number, a transposed matrix and an empty one, with elements of the range. `reference` is an expression
/// of x[0].
std::vector<OpSample> unary_samples(const std::string& reference, UnaryFunction f, Range range = {});
/// Tensors of one shape and such that broadcast, transposed and empty ones. `reference` is an expression of x[0], x[1].
std::vector<OpSample> binary_samples(const std::string& reference, BinaryFunction f, Range a = {}, Range b = {});

/// Two lists, one after the other.
std::vector<OpSample> operator+(std::vector<OpSample> first, const std::vector<OpSample>& second);
std::vector<OpError> operator+(std::vector<OpError> first, const std::vector<OpError>& second);

/// An undefined tensor.
std::vector<OpError> unary_errors(UnaryFunction f);
/// Shapes that do not broadcast, and undefined tensors.
std::vector<OpError> binary_errors(BinaryFunction f);

}  // namespace xgrad::detail
