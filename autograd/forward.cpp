#include "forward.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "apply.hpp"
#include "create.hpp"
#include "engine.hpp"
#include "primitives.hpp"
#include "running_node.hpp"

namespace xgrad {

// Backward is linear in the gradients it is given: <backward(u), t> has the derivative J t by u, wherever u is.
void Node::push_forward(std::span<const Tensor> inputs, std::span<Tensor> results) {
  const bool recorded = is_grad_enabled();
  const EnableGrad enable_grad;
  std::vector<Tensor> upstream, wanted;
  for (const OutputInfo& output : outputs()) {
    upstream.emplace_back();
    if (!is_floating(output.dtype)) continue;
    upstream.back() = zeros(output.shape, {.dtype = output.dtype, .requires_grad = true});
    wanted.push_back(upstream.back());
  }
  std::uint64_t needs = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(inputs.size(), 64); ++i)
    if (inputs[i].defined()) needs |= std::uint64_t{1} << i;
  std::vector<Tensor> gradients(inputs.size()), used, tangents;
  backward(upstream, gradients, Needs(needs));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !gradients[i].requires_grad()) continue;
    used.push_back(gradients[i]);
    tangents.push_back(expand(inputs[i], gradients[i].shape()).to(gradients[i].dtype()));
  }
  if (used.empty()) return;
  std::vector<Tensor> found =
      grad(used, wanted, {.create_graph = recorded, .allow_unused = true, .grad_outputs = tangents});
  for (std::size_t k = 0, next = 0; k < results.size(); ++k)
    if (is_floating(outputs()[k].dtype)) results[k] = std::move(found[next++]);
}

namespace detail {

void push_elementwise(Node& node, std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  const OutputInfo& info = node.outputs()[0];
  std::vector<Tensor> gradients(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    Tensor upstream = expand(inputs[i], info.shape).to(info.dtype);
    node.backward({&upstream, 1}, gradients, Needs(i < 64 ? std::uint64_t{1} << i : 0));
    if (!gradients[i].defined()) continue;
    const Tensor tangent = gradients[i].to(info.dtype);
    outputs[0] = outputs[0].defined() ? accumulate(outputs[0], tangent) : tangent;
  }
}

void fail_tangent_count(const char* op, std::size_t tangents, std::size_t outputs) {
  fail(op, ": jvp returned ", tangents, " tangents for ", outputs, " outputs");
}

Between graph_between(std::span<const Tensor> inputs, std::span<const Tensor> outputs) {
  std::unordered_set<const Node*> ends, seen;
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const Tensor& input : inputs) {
    if (!input.requires_grad()) continue;
    const Node* node = input.impl().node.get();
    ends.insert(node);
    oldest = std::min(oldest, node->sequence());
  }
  Between graph;
  std::vector<Node*> reached;
  const auto visit = [&](Node* node) {
    if (!seen.insert(node).second) return;
    if (ends.contains(node))  // an alias of a tensor outside
      graph.depends_on_others = graph.depends_on_others || !node->is_leaf();
    else if (node->is_leaf() || node->sequence() < oldest)
      graph.depends_on_others = true;
    else
      reached.push_back(node);
  };
  for (const Tensor& output : outputs)
    if (output.requires_grad()) visit(output.impl().node.get());
  for (std::size_t next = 0; next < reached.size(); ++next)
    for (const Edge& edge : reached[next]->edges())
      if (edge.node) visit(edge.node.get());
  std::sort(reached.begin(), reached.end(), [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  for (Node* node : reached) {
    const auto edges = node->edges();
    const auto follows = [&](const Edge& edge) { return ends.contains(edge.node.get()); };
    // Only what stands for a tensor that has no derivative has no edges; pushing through it says so.
    if (!edges.empty() && std::none_of(edges.begin(), edges.end(), follows)) continue;
    ends.insert(node);
    graph.nodes.push_back(node);
  }
  return graph;
}

std::vector<Tensor> push_forward(const Between& graph, std::span<const Tensor> inputs, std::span<const Tensor> tangents,
                                 std::span<const Tensor> outputs) {
  std::unordered_map<const Node*, std::vector<Tensor>> pushed;  // the tangents of a node's outputs
  const auto tangent_at = [&](const Node* node, std::uint32_t index) {
    const auto found = pushed.find(node);
    return found == pushed.end() ? Tensor() : found->second[index];
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad() || !tangents[i].defined()) continue;
    const Node* node = inputs[i].impl().node.get();
    std::vector<Tensor>& at = pushed.try_emplace(node, node->outputs().size()).first->second;
    at[inputs[i].impl().output_index] = tangents[i];
  }
  std::vector<Tensor> from;
  for (Node* node : graph.nodes) {
    const auto edges = node->edges();
    from.assign(edges.size(), Tensor());
    bool any = edges.empty();
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (edges[i].node) from[i] = tangent_at(edges[i].node.get(), edges[i].index);
      any = any || from[i].defined();
    }
    if (!any) continue;
    expect_saved(*node);
    const auto info = node->outputs();
    std::vector<Tensor> to(info.size());
    const RunningNode running(node);
    node->push_forward(from, to);
    for (std::size_t k = 0; k < to.size(); ++k)
      check(!to[k].defined() || (to[k].shape() == info[k].shape && to[k].dtype() == info[k].dtype), node->name(),
            ": forward mode gave output ", k, " of shape ", info[k].shape, " and dtype ", info[k].dtype,
            " a tangent of shape ", to[k].defined() ? to[k].shape() : Shape(), " and dtype ",
            to[k].defined() ? to[k].dtype() : info[k].dtype);
    pushed.emplace(node, std::move(to));
  }
  std::vector<Tensor> results;
  for (const Tensor& output : outputs)
    results.push_back(output.requires_grad() ? tangent_at(output.impl().node.get(), output.impl().output_index)
                                             : Tensor());
  return results;
}

}  // namespace detail

}  // namespace xgrad
