#pragma once
// Inputs that PyTorch was given too, and what it made of them as a few numbers: see digests.py.

#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

#include "../catch.hpp"

namespace reference {

/// In [-1, 1].
inline xgrad::Tensor numbers(const xgrad::Shape& shape, int stream) {
  xgrad::Tensor out = xgrad::empty(shape, {.dtype = xgrad::float64});
  for (std::int64_t n = 0; n < out.numel(); ++n) {
    const auto i = static_cast<double>(n);
    out.data<double>()[n] = std::sin(i * (1.7 + stream) + 0.3 * stream + 1e-3 * i * i);
  }
  return out;
}

inline xgrad::Shape shape_of(const nlohmann::json& call, const char* key) {
  return call.at(key).get<std::vector<std::int64_t>>();
}

inline void check_digest(const xgrad::Tensor& tensor, const nlohmann::json& expected) {
  REQUIRE(tensor.shape() == xgrad::Shape(expected[0].get<std::vector<std::int64_t>>()));
  double first = 0, second = 0;
  const std::vector<double> values = tensor.detach().to_vector<double>();
  for (std::size_t n = 0; n < values.size(); ++n) {
    const auto i = static_cast<double>(n);
    first += values[n] * std::sin(i + 1);
    second += values[n] * std::cos(i * 0.37);
  }
  CHECK(std::abs(first - expected[1].get<double>()) <= 1e-8);
  CHECK(std::abs(second - expected[2].get<double>()) <= 1e-8);
}

/// y, and the gradients of the inputs, which require one, are those recorded.
inline void check_results(const xgrad::Tensor& y, const std::vector<xgrad::Tensor>& inputs,
                          const nlohmann::json& results) {
  check_digest(y, results[0]);
  const std::vector<xgrad::Tensor> gradients = xgrad::grad(y, inputs, {.grad_outputs = {numbers(y.shape(), 9)}});
  for (std::size_t i = 0; i < gradients.size(); ++i) check_digest(gradients[i], results[i + 1]);
}

/// The same elements with the channels innermost in memory.
inline xgrad::Tensor channels_innermost(const xgrad::Tensor& x) {
  const auto last = static_cast<std::int64_t>(x.dim()) - 1;
  xgrad::Tensor turned = x;
  for (std::int64_t axis = 1; axis < last; ++axis) turned = transpose(turned, axis, axis + 1);
  turned = turned.contiguous();
  for (std::int64_t axis = last; axis > 1; --axis) turned = transpose(turned, axis - 1, axis);
  return turned;
}

}  // namespace reference
