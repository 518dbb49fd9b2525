#pragma once
// One traversal of the graph, from roots to leaves or to other targets.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "node.hpp"
#include "row_gradients.hpp"

namespace xgrad::detail {

/// One pass: the gradients that wait for their nodes, and the order in which these are run.
class Pass {
 public:
  explicit Pass(bool create_graph, bool retain_graph);
  ~Pass();
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  /// Limits the pass to what leads from the roots to these places. If `stop`, the targets are where the graph ends: the
  /// pass does not go through one to another.
  void aim_at(std::span<const Tensor> roots, std::span<const Edge> targets, bool stop = false);
  void seed(const Tensor& root, Tensor gradient) {
    add(root.impl().node.get(), root.impl().output_index, std::move(gradient));
  }
  void run();
  /// Adds the gradients of the leaves to theirs. Either all of them, or an Error and none.
  void commit();
  /// The gradient that arrived at a target.
  Tensor take(const Edge& target);

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  struct Slot {
    Node* node;
    std::uint32_t first;  // of its outputs' gradients
    bool target;
  };
  struct Sum {
    LeafNode* leaf;
    Tensor gradient;  // to be added to the leaf's; when the pass is recorded, their sum
  };
  struct Waiting {
    std::uint64_t sequence;
    std::uint32_t slot;
    bool operator<(const Waiting& other) const {
      return sequence != other.sequence ? sequence < other.sequence : slot > other.slot;
    }
  };

  std::size_t position(const Node* node) const;
  std::uint32_t find_or_add(Node* node);
  void grow();
  void add(Node* node, std::uint32_t output, Tensor gradient);
  /// Whether a gradient of the node where the edge leads is of use.
  bool wanted(const Edge& edge) const { return edge.node && (!useful_ || useful_->contains(edge.node.get())); }
  bool leads_on(const Node& node) const;
  void apply_hooks(const Slot& slot) {
    if (Node::Extras* extras = slot.node->extras_if_any()) apply_hooks(slot, *extras);
  }
  void apply_hooks(const Slot& slot, Node::Extras& extras);
  static void call_after_accumulation(LeafNode& leaf);
  void run_node(const Slot& slot);
  bool add_in_place(Node& node, std::span<Tensor> gradients);
  Tensor conform(const Node& node, std::size_t input, Tensor gradient) const;

  struct Memory {
    std::vector<Slot> slots;
    std::vector<Tensor> gradients;
    std::vector<std::uint32_t> table;  // open addressing, node to slot
    std::vector<Waiting> queue;        // a heap: latest node first
    std::vector<std::uint32_t> leaves;
    std::vector<Sum> sums;  // what commit() adds to the leaves
    std::unique_ptr<Memory> next;
  };
  /// What passes of this thread used: most passes of a training are alike, and need no new memory.
  struct Spare {
    std::unique_ptr<Memory> first;
  };
  static std::unique_ptr<Memory> take_memory();

  void add_rows_to_dense();

  bool create_graph_, retain_graph_;
  RowGradients rows_;  // of leaves, beside what is in gradients_
  bool stops_ = false;
  std::optional<std::unordered_set<const Node*>> useful_;  // when aimed: the nodes that lead to a target
  std::unique_ptr<Memory> memory_ = take_memory();
  std::vector<Slot>& slots_ = memory_->slots;
  std::vector<Tensor>& gradients_ = memory_->gradients;
  std::vector<std::uint32_t>& table_ = memory_->table;
  std::vector<Waiting>& queue_ = memory_->queue;
  std::vector<std::uint32_t>& leaves_ = memory_->leaves;
};

}  // namespace xgrad::detail
