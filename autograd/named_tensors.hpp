#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

/// Tensors by name, in order.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

}  // namespace xgrad
