#include "engine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

#include "../array/profile.hpp"
#include "../core/per_thread.hpp"
#include "anomaly.hpp"
#include "backward_observer.hpp"
#include "create.hpp"
#include "inplace.hpp"
#include "primitives.hpp"
#include "row_gradients.hpp"
#include "running_node.hpp"

namespace xgrad {

namespace {

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
    detail::LeafNode* leaf;
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
  bool leads_on(const Node& node) const;
  void apply_hooks(const Slot& slot) {
    if (Node::Extras* extras = slot.node->extras_if_any()) apply_hooks(slot, *extras);
  }
  void apply_hooks(const Slot& slot, Node::Extras& extras);
  static void call_after_accumulation(detail::LeafNode& leaf);
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
  detail::RowGradients rows_;  // of leaves, beside what is in gradients_
  bool aimed_ = false, stops_ = false;
  std::unordered_set<const Node*> useful_;  // when aimed: the nodes that lead to a target
  std::unique_ptr<Memory> memory_ = take_memory();
  std::vector<Slot>& slots_ = memory_->slots;
  std::vector<Tensor>& gradients_ = memory_->gradients;
  std::vector<std::uint32_t>& table_ = memory_->table;
  std::vector<Waiting>& queue_ = memory_->queue;
  std::vector<std::uint32_t>& leaves_ = memory_->leaves;
};

std::unique_ptr<Pass::Memory> Pass::take_memory() {
  Spare* const spare = detail::of_this_thread<Spare>();
  if (!spare || !spare->first) {
    auto made = std::make_unique<Memory>();
    made->table.assign(64, none);
    return made;
  }
  auto memory = std::move(spare->first);
  spare->first = std::move(memory->next);
  return memory;
}

Pass::Pass(bool create_graph, bool retain_graph)
    : create_graph_(create_graph), retain_graph_(retain_graph || create_graph) {}

Pass::~Pass() {
  constexpr std::size_t keep = 4096;  // nodes; what a larger graph took is given back
  gradients_.clear();
  memory_->sums.clear();
  if (table_.size() > 4 * keep) return;
  if (table_.size() <= 16 * slots_.size())
    std::fill(table_.begin(), table_.end(), none);
  else  // latest first, which leaves the way to the earlier ones whole
    for (std::size_t slot = slots_.size(); slot-- > 0;) table_[position(slots_[slot].node)] = none;
  slots_.clear();
  queue_.clear();
  leaves_.clear();
  if (Spare* const spare = detail::of_this_thread<Spare>()) {
    memory_->next = std::move(spare->first);
    spare->first = std::move(memory_);
  }
}

std::size_t hash(const Node* node) {
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(node) >> 6) * 0x9E3779B97F4A7C15u >> 20);
}

/// Where the table has the node, or has room for it.
std::size_t Pass::position(const Node* node) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash(node) & mask;
  while (table_[at] != none && slots_[table_[at]].node != node) at = (at + 1) & mask;
  return at;
}

void Pass::grow() {
  table_.assign(table_.size() * 2, none);
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) table_[position(slots_[slot].node)] = slot;
}

std::uint32_t Pass::find_or_add(Node* node) {
  std::size_t at = position(node);
  if (table_[at] != none) return table_[at];
  if ((slots_.size() + 1) * 2 > table_.size()) {
    grow();
    at = position(node);
  }
  const auto slot = static_cast<std::uint32_t>(slots_.size());
  slots_.push_back({node, static_cast<std::uint32_t>(gradients_.size()), false});
  gradients_.resize(gradients_.size() + node->outputs().size());
  table_[at] = slot;
  if (node->is_leaf()) {
    leaves_.push_back(slot);
  } else {
    queue_.push_back({node->sequence(), slot});
    std::push_heap(queue_.begin(), queue_.end());
  }
  return slot;
}

/// Whether no one else sees it when the tensor is changed.
bool owned_alone(const Tensor& tensor) {
  return tensor.reference()->unique() && tensor.impl().storage->unique() && detail::is_dense(tensor);
}

void Pass::add(Node* node, std::uint32_t output, Tensor gradient) {
  Tensor& sum = gradients_[slots_[find_or_add(node)].first + output];
  if (!sum.defined())
    sum = std::move(gradient);
  else if (!create_graph_ && owned_alone(sum))
    detail::accumulate_in_place(sum, gradient);
  else
    sum = detail::accumulate(sum, gradient);
}

void Pass::aim_at(std::span<const Tensor> roots, std::span<const Edge> targets, bool stop) {
  aimed_ = true;
  stops_ = stop;
  for (const Edge& target : targets) useful_.insert(target.node.get());
  std::vector<const Node*> reachable;
  std::unordered_set<const Node*> seen;
  // What is older than every target leads to none of them.
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const Edge& target : targets) oldest = std::min(oldest, target.node->sequence());
  const auto visit = [&](const Node* node) {
    if (node->sequence() >= oldest && seen.insert(node).second) reachable.push_back(node);
  };
  for (const Tensor& root : roots) visit(root.impl().node.get());
  for (std::size_t next = 0; next < reachable.size(); ++next) {
    if (stop && useful_.contains(reachable[next])) continue;
    for (const Edge& edge : reachable[next]->edges())
      if (edge.node) visit(edge.node.get());
  }
  std::sort(reachable.begin(), reachable.end(),
            [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  for (const Node* node : reachable)
    for (const Edge& edge : node->edges())
      if (edge.node && useful_.contains(edge.node.get())) {
        useful_.insert(node);
        break;
      }
  for (const Edge& target : targets)
    if (seen.contains(target.node.get())) slots_[find_or_add(target.node.get())].target = true;
}

/// Whether a gradient is wanted of anything that this node depends on.
bool Pass::leads_on(const Node& node) const {
  if (!aimed_) return true;
  for (const Edge& edge : node.edges())
    if (edge.node && useful_.contains(edge.node.get())) return true;
  return false;
}

/// The hook, kept for a call of it, but removed for everyone else when its handle goes meanwhile; null if it is.
detail::SharedHook locked(const std::weak_ptr<const detail::SharedHook>& hook) {
  const auto in_place = hook.lock();
  return in_place ? *in_place : nullptr;
}

void Pass::apply_hooks(const Slot& slot, Node::Extras& extras) {
  const bool is_leaf = slot.node->is_leaf();
  std::vector<Node::Hook> hooks;
  {
    const std::lock_guard lock(extras.mutex);
    std::erase_if(extras.hooks, [](const Node::Hook& hook) { return hook.call.expired(); });
    hooks = extras.hooks;  // a hook may register or remove hooks
  }
  for (const Node::Hook& hook : hooks) {
    Tensor& gradient = gradients_[slot.first + hook.output];
    const detail::SharedHook call = locked(hook.call);
    if (!call || !gradient.defined()) continue;
    // A hook may change what it is given, and that may be the gradient of another tensor too.
    if (!create_graph_ && !owned_alone(gradient)) gradient = gradient.clone();
    Tensor replaced = (*call)(gradient);
    if (!replaced.defined()) continue;
    check(replaced.shape() == gradient.shape() && replaced.dtype() == gradient.dtype(), "hook: a gradient of shape ",
          gradient.shape(), " and dtype ", gradient.dtype(), " was replaced by one of shape ", replaced.shape(),
          " and dtype ", replaced.dtype(), "; a hook returns a gradient like the one it is given, or an undefined ",
          "Tensor to leave that as it is");
    gradients_[slot.first + hook.output] = std::move(replaced);
  }
  if (is_leaf || aimed_) return;
  std::vector<Tensor> before;  // freed without the lock, which freeing a graph may want
  const std::lock_guard lock(extras.mutex);
  for (auto& [output, kept] : extras.retained) {
    const Tensor& gradient = gradients_[slot.first + output];
    if (!gradient.defined()) continue;
    before.push_back(kept);
    kept = kept.defined() ? detail::accumulate(kept, gradient) : gradient.clone();
  }
}

/// The gradient as the input needs it: broadcasting undone, the input's dtype.
Tensor Pass::conform(const Node& node, std::size_t input, Tensor gradient) const {
  const Edge& edge = node.edges()[input];
  const OutputInfo& wanted = edge.node->outputs()[edge.index];
  if (gradient.dtype() != wanted.dtype) {
    check(is_floating(gradient.dtype()), node.name(), ": backward gave a gradient of dtype ", gradient.dtype(),
          " for input ", input, " of dtype ", wanted.dtype, "; a gradient has the dtype of its input");
    gradient = gradient.to(wanted.dtype);
  }
  if (gradient.shape() == wanted.shape) return gradient;
  check(broadcasts_to(wanted.shape, gradient.shape()), node.name(), ": backward gave a gradient of shape ",
        gradient.shape(), " for input ", input, " of shape ", wanted.shape, "; a gradient has the shape of its input, ",
        "or one that the input broadcasts to");
  return sum_to(gradient, wanted.shape);
}

void Pass::run_node(const Slot& slot) {
  Node& node = *slot.node;
  detail::expect_saved(node);
  const auto edges = node.edges();
  std::uint64_t needs = 0;
  for (std::size_t i = 0; i < edges.size(); ++i)
    if (edges[i].node && (!aimed_ || useful_.contains(edges[i].node.get())) && i < 64) needs |= std::uint64_t{1} << i;

  // Node outputs and inputs are few; beyond that they go to the heap.
  const std::size_t outputs = node.outputs().size();
  std::array<Tensor, 8> few;
  std::vector<Tensor> many;
  std::span<Tensor> all(few);
  if (outputs + edges.size() > few.size()) {
    many.resize(outputs + edges.size());
    all = many;
  }
  const auto from = all.first(outputs), to = all.subspan(outputs, edges.size());
  bool any = false;
  for (std::size_t i = 0; i < outputs; ++i) {
    Tensor& gradient = gradients_[slot.first + i];
    any = any || gradient.defined();
    from[i] = slot.target ? gradient : std::move(gradient);
  }
  if (!any) return;
  {
    const detail::RunningNode running(&node, !retain_graph_);
    detail::ProfileEvent event(node.name(), "backward");
    if (event) [[unlikely]] {
      event.set_node(&node);
      for (const Tensor& gradient : from) event.add_input(gradient.reference().get());
    }
    if (!node.adds_in_place() || !add_in_place(node, from)) node.backward(from, to, Needs(needs));
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (!edges[i].node || !to[i].defined() || (i < 64 && (needs >> i & 1) == 0)) continue;
      to[i] = conform(node, i, std::move(to[i]));
      if (detail::anomaly_enabled) detail::expect_finite_gradient(node, i, to[i]);
    }
    if (event) [[unlikely]]
      for (const Tensor& gradient : to) event.add_output(gradient.reference().get());
  }
  std::optional<detail::RunningNode> running;  // a recorded sum of gradients is part of the backward pass, too
  if (create_graph_) running.emplace(&node);
  if (!retain_graph_) node.release_saved();
  for (Tensor& gradient : from) gradient = {};  // so that what is passed on may be owned alone
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!edges[i].node || !to[i].defined() || (i < 64 && (needs >> i & 1) == 0)) continue;
    if (aimed_ && i >= 64 && !useful_.contains(edges[i].node.get())) continue;
    add(edges[i].node.get(), edges[i].index, std::move(to[i]));
  }
}

/// Lets a node add its gradient to what its input has, where that is not recorded. False, and nothing done, where the
/// input has none yet.
bool Pass::add_in_place(Node& node, std::span<Tensor> gradients) {
  if (create_graph_ || detail::anomaly_enabled) return false;
  const Edge& edge = node.edges()[0];
  if (!edge.node || (aimed_ && !useful_.contains(edge.node.get()))) return false;
  Tensor& sum = gradients_[slots_[find_or_add(edge.node.get())].first + edge.index];
  if (!sum.defined()) return false;
  if (!owned_alone(sum)) sum = sum.clone();
  node.add_backward(gradients, sum);
  return true;
}

void Pass::run() {
  const GradMode mode(create_graph_);
  const detail::RowGradientScope rows(create_graph_ || aimed_ ? nullptr : &rows_);
  while (!queue_.empty()) {
    const Slot slot = slots_[queue_.front().slot];
    std::pop_heap(queue_.begin(), queue_.end());
    queue_.pop_back();
    if (stops_ && slot.target) continue;
    apply_hooks(slot);
    if (leads_on(*slot.node)) run_node(slot);
  }
  if (stops_) return;
  for (const std::uint32_t leaf : leaves_) apply_hooks(slots_[leaf]);
}

/// Adds rows to the gradients of leaves that this pass has dense, too. After it, adding the others cannot fail.
void Pass::add_rows_to_dense() {
  for (auto& [leaf, parts] : rows_.leaves) {
    const std::uint32_t slot = table_[position(leaf)];
    if (slot == none || !gradients_[slots_[slot].first].defined()) {
      const std::lock_guard lock(leaf->mutex);
      if (leaf->grad.defined() && detail::repeats_elements(leaf->grad)) leaf->grad = leaf->grad.clone();
      continue;
    }
    Tensor& sum = gradients_[slots_[slot].first];
    if (!owned_alone(sum)) sum = sum.clone();
    detail::add_rows_in_place(sum, parts);
    parts.clear();
  }
}

void Pass::commit() {
  const GradMode mode(create_graph_);
  add_rows_to_dense();
  std::vector<Sum>& sums = memory_->sums;
  sums.reserve(leaves_.size());
  for (const std::uint32_t slot : leaves_) {
    Tensor& gradient = gradients_[slots_[slot].first];
    if (!gradient.defined()) continue;
    auto* leaf = static_cast<detail::LeafNode*>(slots_[slot].node);
    if (create_graph_) {
      const std::lock_guard lock(leaf->mutex);
      if (leaf->tensor && leaf->tensor->has_users())  // or there is none to let go of what is recorded
        sums.push_back({leaf, leaf->dense_grad().defined() ? detail::accumulate(leaf->grad, gradient) : gradient});
    } else {
      sums.push_back({leaf, owned_alone(gradient) ? std::move(gradient) : gradient.clone()});
    }
  }
  // What can fail is done.
  for (Sum& sum : sums) {
    const std::lock_guard lock(sum.leaf->mutex);
    Tensor& grad = sum.leaf->grad;
    if (sum.leaf->frozen) {
      sum.leaf = nullptr;
      continue;
    }
    detail::add_rows_in_place(sum.gradient, sum.leaf->rows);
    sum.leaf->rows.clear();
    if (create_graph_ || !grad.defined()) {
      std::swap(grad, sum.gradient);
      if (create_graph_ && sum.leaf->tensor) sum.leaf->tensor->watch();
    } else if (detail::repeats_elements(grad)) {  // as an expanded one, that set_grad() was given
      detail::accumulate_in_place(sum.gradient, grad);
      std::swap(grad, sum.gradient);
    } else {
      detail::accumulate_in_place(grad, sum.gradient);
      grad.impl().storage->raise_version("backward");
    }
  }
  for (auto& [leaf, parts] : rows_.leaves) {
    const std::lock_guard lock(leaf->mutex);
    if (leaf->frozen || parts.empty()) continue;
    if (leaf->grad.defined()) {
      detail::add_rows_in_place(leaf->grad, parts);
      leaf->grad.impl().storage->raise_version("backward");
    } else {
      leaf->rows.splice(leaf->rows.end(), parts);
    }
  }
  for (const Sum& sum : sums)
    if (sum.leaf) call_after_accumulation(*sum.leaf);
}

void Pass::call_after_accumulation(detail::LeafNode& leaf) {
  Node::Extras* extras = leaf.extras_if_any();
  if (!extras) return;
  std::vector<std::weak_ptr<const detail::SharedHook>> hooks;
  {
    const std::lock_guard lock(extras->mutex);
    std::erase_if(extras->after_accumulation, [](const auto& hook) { return hook.expired(); });
    hooks = extras->after_accumulation;
  }
  for (const auto& hook : hooks) {
    const detail::SharedHook call = locked(hook);
    if (!call) continue;
    Tensor grad;
    {
      const std::lock_guard lock(leaf.mutex);
      grad = leaf.grad;
    }
    if (grad.defined()) (*call)(grad);
  }
}

Tensor Pass::take(const Edge& target) {
  const std::uint32_t slot = table_[position(target.node.get())];
  return slot == none ? Tensor() : gradients_[slots_[slot].first + target.index];
}

Edge place_of(const Tensor& tensor) { return {tensor.impl().node, tensor.impl().output_index}; }

Tensor seed_for(const char* op, const Tensor& root, const Tensor& seed) {
  check(root.requires_grad(), op, ": the tensor of shape ", root.shape(),
        " does not require a gradient: no operation on a tensor with requires_grad made it, or NoGrad was in force");
  detail::expect_current(op, root);
  if (!seed.defined()) {
    check(root.numel() == 1, op, ": a tensor of shape ", root.shape(),
          " has no gradient of its own; reduce it to one element, or give the gradient as a seed of this shape");
    return ones_like(root);
  }
  check(seed.shape() == root.shape(), op, ": the seed has shape ", seed.shape(), ", the tensor ", root.shape(),
        "; it is the gradient of the tensor, so it has its shape");
  return seed.to(root.dtype());
}

}  // namespace

void Tensor::backward(const Tensor& seed, const BackwardOptions& options, detail::CallSite site) const {
  detail::with_memory_for("backward", [&] {
    Tensor first = [&] {
      const detail::CallSiteScope scope(site);
      return seed_for("backward", *this, seed);
    }();
    const detail::Reference<Node> graph = impl().node;  // which a hook may take from the tensor
    if (detail::BackwardObserver::first_.load(std::memory_order_relaxed)) detail::BackwardObserver::tell_all(*this);
    Pass pass(options.create_graph, options.retain_graph);
    pass.seed(*this, std::move(first));
    pass.run();
    pass.commit();
  });
}

namespace {

std::vector<Tensor> gradients_of(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                                 const GradOptions& options) {
  const auto& seeds = options.grad_outputs;
  check(seeds.empty() || seeds.size() == outputs.size(), "grad: ", seeds.size(), " grad_outputs for ", outputs.size(),
        " outputs");
  std::vector<Tensor> firsts;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    firsts.push_back(seed_for("grad", outputs[i], seeds.empty() ? Tensor() : seeds[i]));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].requires_grad(), "grad: input ", i, inputs[i].defined() ? " of shape " : "",
          inputs[i].defined() ? inputs[i].shape().str() : " (undefined)",
          " does not require a gradient; make it with {.requires_grad = true}, or call requires_grad_(), before the ",
          "outputs are computed");
  std::vector<Edge> targets;
  for (const Tensor& input : inputs) targets.push_back(place_of(input));
  std::vector<Edge> roots;  // which keep the graph, whatever hooks do with the tensors
  for (const Tensor& output : outputs) roots.push_back(place_of(output));
  const bool allow_unused = options.allow_unused;

  Pass pass(options.create_graph, options.retain_graph);
  pass.aim_at(outputs, targets);
  for (std::size_t i = 0; i < outputs.size(); ++i) pass.seed(outputs[i], firsts[i]);
  pass.run();
  std::vector<Tensor> gradients;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    gradients.push_back(pass.take(targets[i]));
    check(gradients.back().defined() || allow_unused, "grad: no output depends on input ", i, " of shape ",
          targets[i].node->outputs()[targets[i].index].shape,
          "; {.allow_unused = true} gives an undefined gradient for it");
  }
  return gradients;
}

}  // namespace

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of(outputs, inputs, options); });
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of({&output, 1}, inputs, options); });
}

Tensor detail::gradient_of(const Tensor& output, const Tensor& input, const GradOptions& options) {
  return detail::with_memory_for("grad", [&] { return gradients_of({&output, 1}, {&input, 1}, options)[0]; });
}

std::vector<Tensor> detail::gradients_within(std::span<const Tensor> outputs, std::span<const Tensor> seeds,
                                             std::span<const Edge> targets, bool create_graph) {
  std::vector<Edge> roots;
  for (const Tensor& output : outputs) roots.push_back(place_of(output));
  Pass pass(create_graph, create_graph);
  pass.aim_at(outputs, targets, true);
  for (std::size_t i = 0; i < outputs.size(); ++i) pass.seed(outputs[i], seeds[i]);
  pass.run();
  std::vector<Tensor> gradients;
  for (const Edge& target : targets) gradients.push_back(pass.take(target));
  return gradients;
}

}  // namespace xgrad
