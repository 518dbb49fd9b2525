#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

/// Tensors by name, in order: a vector of pairs that also finds a tensor by its name,
/// `load_safetensors(path)["weight"]`.
class NamedTensors : public std::vector<std::pair<std::string, Tensor>> {
 public:
  using vector::vector;
  NamedTensors(std::vector<value_type> tensors) : vector(std::move(tensors)) {}

  using vector::operator[];
  /// The first tensor of this name. Throws Error where there is none, with the names that are near.
  Tensor& operator[](std::string_view name) & { return (*this)[position(name)].second; }
  const Tensor& operator[](std::string_view name) const& { return (*this)[position(name)].second; }
  Tensor operator[](std::string_view name) && { return (*this)[position(name)].second; }

 private:
  size_type position(std::string_view name) const;
};

}  // namespace xgrad
