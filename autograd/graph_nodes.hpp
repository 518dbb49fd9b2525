#pragma once
// The nodes of a graph in order, for what shows them.

#include <vector>

#include "node.hpp"

namespace xgrad::detail {

/// Every node that leads to the tensors, each after those it depends on.
std::vector<const Node*> nodes_of(const std::vector<Tensor>& tensors);

}  // namespace xgrad::detail
