#include "input_summary.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "../autograd/node.hpp"

namespace xgrad::nn::detail {

namespace {

/// Shape of an input of an operation; null where no graph leads to it.
const Shape* input_shape(const xgrad::Node& node, std::size_t index) {
  if (index >= node.edges().size() || !node.edges()[index].node) return nullptr;
  const Edge& edge = node.edges()[index];
  return &edge.node->outputs()[edge.index].shape;
}

std::int64_t multiply_adds(const xgrad::Node& node) {
  const std::string_view name = node.name();
  const std::int64_t result = node.outputs()[0].shape.numel();
  const Shape *x = input_shape(node, 0), *weight = input_shape(node, 1);
  if (name == "linear") return weight ? result * (*weight)[1] : x ? result * x->back() : 0;
  if (name == "matmul")
    return x ? result * x->back() : weight ? result * (*weight)[weight->size() > 1 ? weight->size() - 2 : 0] : 0;
  if (name == "scaled_dot_product_attention")
    return x && weight ? (x->numel() + result) * (*weight)[weight->size() - 2] : 0;
  if (name.starts_with("conv") && weight && (*weight)[0] > 0) {
    const bool transposed = name.find("transpose") != std::string_view::npos;
    return transposed && !x ? 0 : (transposed ? x->numel() : result) / (*weight)[0] * weight->numel();
  }
  return 0;
}

/// The operations that lead to a tensor, in the order of their creation.
std::vector<const xgrad::Node*> operations(const Tensor& result) {
  std::vector<const xgrad::Node*> nodes;
  std::unordered_set<const xgrad::Node*> seen;
  const auto visit = [&](const xgrad::Node* node) {
    if (node && !node->is_leaf() && seen.insert(node).second) nodes.push_back(node);
  };
  visit(result.impl().node.get());
  for (std::size_t next = 0; next < nodes.size(); ++next)
    for (const Edge& edge : nodes[next]->edges()) visit(edge.node.get());
  std::sort(nodes.begin(), nodes.end(),
            [](const xgrad::Node* a, const xgrad::Node* b) { return a->sequence() < b->sequence(); });
  return nodes;
}

/// The modules with parameters of their own, and which of them each leaf of the graph belongs to.
struct Modules {
  std::vector<ModuleCost> costs = {};
  std::unordered_map<const xgrad::Node*, std::size_t> of_leaf = {};

  void add(const Tree& tree, const std::string& name) {
    ModuleCost cost{name, std::string(tree.type), {}, 0, 0};
    for (const TreeTensor& entry : tree.tensors)
      if (entry.is_parameter && of_leaf.try_emplace(entry.tensor->impl().node.get(), costs.size()).second)
        cost.parameters += entry.tensor->numel();
    if (cost.parameters > 0) costs.push_back(std::move(cost));
    for (const Tree& child : tree.children) add(child, name.empty() ? child.name : name + '.' + child.name);
  }

  /// Adds what an operation costs to the module whose parameter goes into it; false where there is none.
  bool charge(const xgrad::Node& node) {
    for (const Edge& edge : node.edges())
      if (const auto found = of_leaf.find(edge.node.get());
          edge.node && found != of_leaf.end() && found->second < costs.size()) {
        costs[found->second].output = node.outputs()[0].shape;
        costs[found->second].multiply_adds += multiply_adds(node);
        return true;
      }
    return false;
  }
};

}  // namespace

std::vector<ModuleCost> costs(const Tree& tree, const Tensor& result) {
  Modules modules;
  modules.add(tree, "");
  for (const xgrad::Node* node : operations(result)) modules.charge(*node);
  return modules.costs;
}

std::string summary(const Tree& tree, const Tensor& input, const Tensor& result) {
  Modules modules;
  modules.add(tree, "");
  std::int64_t parameters = 0, products = 0, others = 0;
  for (const xgrad::Node* node : operations(result))
    if (!modules.charge(*node)) others += multiply_adds(*node);
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows{{"Module", "Type", "Output", "Parameters", "Multiply-adds"}};
  for (const ModuleCost& cost : modules.costs) {
    rows.push_back({cost.name, cost.type, cost.output ? cost.output->str() : "", grouped(cost.parameters),
                    cost.multiply_adds > 0 ? grouped(cost.multiply_adds) : ""});
    parameters += cost.parameters;
    products += cost.multiply_adds;
  }
  std::array<std::size_t, 5> width{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < width.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text = std::string(tree.type) + " of " + input.shape().str() + '\n';
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < width.size(); ++i) {
      const std::string fill(width[i] - row[i].size(), ' ');
      text += (i > 0 ? "  " : "") + (i < 3 ? row[i] + fill : fill + row[i]);  // numbers to the right
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  text += "Output: " + result.shape().str() + "\nParameters: " + grouped(parameters) +
          "\nMultiply-adds: " + grouped(products + others);
  if (others > 0) text += " (" + grouped(others) + " of products without parameters)";
  return text + '\n';
}

}  // namespace xgrad::nn::detail
