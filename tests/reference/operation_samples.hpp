#pragma once
// How samples and their reference values are written as JSON.

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../operations/empty_samples.hpp"
#include "../operations/registry.hpp"

#include "more_samples.hpp"

namespace reference {

inline std::string key(const xgrad::OpInfo& op, std::size_t number) {
  return op.name + std::to_string(number).insert(0, 1, '/');
}

/// JSON has no numbers that are not finite: they are strings.
inline nlohmann::json to_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

inline double to_double(const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  return text == "nan" ? std::numeric_limits<double>::quiet_NaN() : text == "inf" ? INFINITY : -INFINITY;
}

/// The elements in row-major order, as doubles.
inline std::vector<double> elements(const xgrad::Tensor& tensor) {
  const xgrad::Tensor dense = tensor.detach().to(xgrad::float64).contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

inline nlohmann::json to_json(const xgrad::Tensor& tensor) {
  nlohmann::json values = nlohmann::json::array(), shape = nlohmann::json::array();
  for (const double value : elements(tensor)) values.push_back(to_json(value));
  for (const std::int64_t size : tensor.shape()) shape.push_back(size);
  return {{"shape", shape},
          {"dtype", xgrad::name(tensor.dtype())},
          {"values", values},
          {"requires_grad", tensor.requires_grad()}};
}

inline nlohmann::json to_json(const std::string& sample_key, const xgrad::OpSample& sample) {
  nlohmann::json inputs = nlohmann::json::array();
  for (const xgrad::Tensor& input : sample.inputs) inputs.push_back(to_json(input));
  return {{"key", sample_key}, {"reference", sample.reference}, {"inputs", inputs}};
}

inline std::string more_key(std::size_t number) { return "more/" + std::to_string(number); }
inline std::string empty_key(std::size_t number) { return "empty/" + std::to_string(number); }

/// Every sample with its key, its PyTorch expression and its inputs.
inline nlohmann::json samples_as_json() {
  nlohmann::json all = nlohmann::json::array();
  for (const xgrad::OpInfo& op : xgrad::registry()) {
    std::size_t number = 0;
    for (const xgrad::OpSample& sample : op.samples()) all.push_back(to_json(key(op, number++), sample));
  }
  std::size_t number = 0;
  for (const xgrad::OpSample& sample : more_samples()) all.push_back(to_json(more_key(number++), sample));
  number = 0;
  for (const xgrad::OpSample& sample : empty_samples()) all.push_back(to_json(empty_key(number++), sample));
  return all;
}

/// Gradient of output element i that reference and test use: different for each element.
inline double upstream(std::int64_t i) { return std::sin(static_cast<double>(i + 1)); }

}  // namespace reference
