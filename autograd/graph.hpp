#pragma once
// A look at the graph.

#include <cstdint>
#include <string>
#include <vector>

#include "named_tensors.hpp"

namespace xgrad {

/// The graph that leads to a tensor as Graphviz text: `std::ofstream("graph.dot") << to_dot(loss,
/// nn::named_parameters(net))`, then `dot -Tsvg graph.dot -o graph.svg`. Each recorded operation is a box with its name
/// and the shapes of its outputs (where it was called, as tooltip), each leaf an ellipse, with its name where `names`
/// has it. Of a gradient made with create_graph, it shows the operations of the backward pass too, in another colour.
/// Throws Error for a tensor that does not require a gradient.
std::string to_dot(const Tensor& tensor, const NamedTensors& names = {});
std::string to_dot(const std::vector<Tensor>& tensors, const NamedTensors& names = {});

struct GraphStats {
  std::int64_t operations = 0;     // recorded
  std::int64_t leaves = 0;         // that require a gradient
  std::int64_t saved_tensors = 0;  // held for backward by members of type Saved
  std::int64_t saved_bytes = 0;    // of their memory, each block counted once
};

/// Counts what the graph that leads to a tensor holds; all zero for one that requires no gradient.
GraphStats graph_stats(const Tensor& tensor);
GraphStats graph_stats(const std::vector<Tensor>& tensors);

/// Operations recorded and leaves that require a gradient, in the whole process: what is still there after every tensor
/// is gone leaked.
std::int64_t live_nodes();

}  // namespace xgrad
