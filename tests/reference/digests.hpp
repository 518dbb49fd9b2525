#pragma once
// Tensors of numbers by formula, and what the scripts here say of results: the shape and two sums of the elements times
// numbers of their positions.

#include <xgrad/autograd/create.hpp>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "../catch.hpp"

namespace reference {

/// In [-1, 1], the same as in the scripts; float64.
inline xgrad::Tensor numbers(const xgrad::Shape& shape, int stream) {
  xgrad::Tensor out = xgrad::empty(shape, {.dtype = xgrad::float64});
  for (std::int64_t n = 0; n < out.numel(); ++n) {
    const auto i = static_cast<double>(n);
    out.data<double>()[n] = std::sin(i * (1.7 + stream) + 0.3 * stream + 1e-3 * i * i);
  }
  return out;
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

inline xgrad::Shape shape_of(const nlohmann::json& call, const char* key) {
  return call.at(key).get<std::vector<std::int64_t>>();
}

}  // namespace reference
