#pragma once
// Forward mode: tangents are pushed along a recorded graph.

#include <span>
#include <vector>

#include "node.hpp"

namespace xgrad::detail {

/// What lies between inputs and outputs of a graph.
struct Between {
  std::vector<Node*> nodes;        // those that depend on an input, which they follow; held by the outputs
  bool depends_on_others = false;  // whether an output depends on anything but the inputs that requires a gradient
};

/// The graph from the inputs, which end it, to the outputs. Inputs and outputs that require no gradient are passed
/// over.
Between graph_between(std::span<const Tensor> inputs, std::span<const Tensor> outputs);

/// The tangents of the outputs for these of the inputs (undefined where zero); undefined where zero. One pass over the
/// nodes, no backward where an operation has a rule (see apply). Recorded if grad mode is enabled.
std::vector<Tensor> push_forward(const Between& graph, std::span<const Tensor> inputs, std::span<const Tensor> tangents,
                                 std::span<const Tensor> outputs);

}  // namespace xgrad::detail
