#pragma once

#include "../autograd/named_tensors.hpp"
#include "protobuf.hpp"

namespace xgrad::train::detail {

/// TensorFlow's GraphDef of the operations that lead to a tensor. Leaves have the names that `names` gives them, with
/// slashes for dots, and an operation stands beside the first of its leaves: `layers/0/weight` and `layers/0/linear`.
Message graph_def(const Tensor& output, const NamedTensors& names);

}  // namespace xgrad::train::detail
