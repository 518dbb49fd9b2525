#include "graph_def.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "../autograd/graph_nodes.hpp"

namespace xgrad::train::detail {

namespace {

std::string scope_of(const std::string& name) { return name.substr(0, name.rfind('/') + 1); }

/// What TensorFlow allows in names, which is not what modules and operations may be called.
std::string allowed(std::string text) {
  for (char& c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.')
      c = '/';
    else if (!is_plain)
      c = '_';
  }
  return text;
}

Message shapes_of(const Node& node) {
  Message list;  // AttrValue.ListValue, of which field 7 are shapes
  for (const OutputInfo& output : node.outputs()) {
    Message shape;
    for (const std::int64_t size : output.shape) shape.message(2, Message().integer(1, size));
    list.message(7, shape);
  }
  return Message().text(1, "_output_shapes").message(2, Message().message(1, list));
}

}  // namespace

Message graph_def(const Tensor& output, const NamedTensors& names) {
  std::unordered_map<const Node*, std::string> name_of_leaf;
  for (const auto& [name, tensor] : names)
    if (tensor.requires_grad()) name_of_leaf.try_emplace(tensor.impl().node.get(), allowed(name));
  std::set<std::string> taken;
  std::unordered_map<const Node*, std::string> name_of;
  Message graph;
  for (const Node* node : xgrad::detail::nodes_of({output})) {
    std::string scope, name = node->is_leaf() ? "leaf" : allowed(node->name());
    if (const auto found = name_of_leaf.find(node); found != name_of_leaf.end()) name = found->second;
    for (const Edge& edge : node->edges())
      if (scope.empty() && edge.node && name_of_leaf.contains(edge.node.get()))
        scope = scope_of(name_of.at(edge.node.get()));
    if (node->in_backward()) scope = "backward/" + scope;
    std::string unique = scope + name;
    for (int i = 1; !taken.insert(unique).second; ++i) unique = scope + name + '_' + std::to_string(i);
    name_of.emplace(node, unique);

    Message written;  // a NodeDef: 1 name, 2 op, 3 input, 5 attr
    written.text(1, unique).text(2, node->is_leaf() ? "Parameter" : node->name());
    for (const Edge& edge : node->edges())
      if (edge.node)
        written.text(3, name_of.at(edge.node.get()) + (edge.index > 0 ? ':' + std::to_string(edge.index) : ""));
    graph.message(1, written.message(5, shapes_of(*node)));
  }
  return graph.message(4, Message().integer(1, 22));  // the version that TensorBoard's own writers name
}

}  // namespace xgrad::train::detail
