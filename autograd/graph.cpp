#include "graph.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "graph_nodes.hpp"

namespace xgrad {

std::vector<const Node*> detail::nodes_of(const std::vector<Tensor>& tensors) {
  std::vector<const Node*> nodes;
  std::unordered_set<const Node*> seen;
  const auto visit = [&](const Node* node) {
    if (node && seen.insert(node).second) nodes.push_back(node);
  };
  for (const Tensor& tensor : tensors) visit(tensor.impl().node.get());
  for (std::size_t next = 0; next < nodes.size(); ++next)
    for (const Edge& edge : nodes[next]->edges()) visit(edge.node.get());
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  return nodes;
}

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

std::string describe(const OutputInfo& output) {
  std::string text = output.shape.str();
  if (output.dtype != DType::float32) text.append(" ").append(name(output.dtype));
  return text;
}

}  // namespace

std::string to_dot(const std::vector<Tensor>& tensors, const NamedTensors& names) {
  for (const Tensor& tensor : tensors)
    check(tensor.requires_grad(), "to_dot: the tensor of shape ", tensor.shape(),
          " does not require a gradient, so no graph leads to it");
  std::map<std::pair<const Node*, std::uint32_t>, std::string> name_of;
  for (const auto& [name, tensor] : names)
    if (tensor.requires_grad()) name_of.try_emplace({tensor.impl().node.get(), tensor.impl().output_index}, name);
  std::unordered_set<const Node*> roots;
  for (const Tensor& tensor : tensors) roots.insert(tensor.impl().node.get());

  const std::vector<const Node*> nodes = detail::nodes_of(tensors);
  std::unordered_map<const Node*, std::size_t> number;
  for (const Node* node : nodes) number.emplace(node, number.size());

  std::string dot =
      "digraph {\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#dbe9f6\", color=\"#7a8ca0\", "
      "fontname=\"Helvetica\", fontsize=11];\n  edge [color=\"#7a8ca0\", fontname=\"Helvetica\", fontsize=9];\n";
  if (std::any_of(nodes.begin(), nodes.end(), [](const Node* node) { return node->in_backward(); }))
    dot += "  label=\"blue: forward, orange: backward, green: leaves\"; fontname=\"Helvetica\"; fontsize=11;\n";
  for (const Node* node : nodes) {
    std::string label;
    if (!node->is_leaf()) label = node->name();
    const auto outputs = node->outputs();
    for (std::uint32_t i = 0; i < outputs.size(); ++i) {
      if (!label.empty()) label += '\n';
      if (const auto found = name_of.find({node, i}); found != name_of.end())
        label += found->second + (node->is_leaf() ? "\n" : ": ");
      label += describe(outputs[i]);
    }
    dot += "  n" + std::to_string(number[node]) + " [label=" + quoted(label);
    if (node->is_leaf())
      dot += ", shape=ellipse, style=filled, fillcolor=\"#d9f0d3\"";
    else if (node->in_backward())
      dot += ", fillcolor=\"#fde0c5\"";
    if (roots.contains(node)) dot += ", penwidth=2.5";
    if (node->call_site().file) {
      std::string site;
      append(site, node->call_site());
      dot += ", tooltip=" + quoted(site);
    }
    dot += "];\n";
  }
  for (const Node* node : nodes)
    for (const Edge& edge : node->edges()) {
      if (!edge.node) continue;
      dot += "  n" + std::to_string(number[edge.node.get()]) + " -> n" + std::to_string(number[node]);
      if (edge.node->outputs().size() > 1) dot += " [label=\"output " + std::to_string(edge.index) + "\"]";
      dot += ";\n";
    }
  return dot + "}\n";
}

std::string to_dot(const Tensor& tensor, const NamedTensors& names) {
  return to_dot(std::vector<Tensor>{tensor}, names);
}

GraphStats graph_stats(const std::vector<Tensor>& tensors) {
  GraphStats stats;
  std::unordered_set<const detail::Storage*> counted;
  for (const Node* node : detail::nodes_of(tensors)) {
    ++(node->is_leaf() ? stats.leaves : stats.operations);
    for (const Tensor& saved : node->saved()) {
      ++stats.saved_tensors;
      const detail::Storage* storage = saved.impl().storage.get();
      if (counted.insert(storage).second) stats.saved_bytes += static_cast<std::int64_t>(storage->bytes());
    }
  }
  return stats;
}

GraphStats graph_stats(const Tensor& tensor) { return graph_stats(std::vector<Tensor>{tensor}); }

std::int64_t live_nodes() { return detail::count_live_nodes(); }

}  // namespace xgrad
