#include "pass.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>
#include <utility>

#include "../array/profile.hpp"
#include "../core/per_thread.hpp"
#include "anomaly.hpp"
#include "create.hpp"
#include "inplace.hpp"
#include "primitives.hpp"
#include "running_node.hpp"

namespace xgrad::detail {

namespace {

std::size_t hash(const Node* node) {
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(node) >> 6) * 0x9E3779B97F4A7C15u >> 20);
}

/// A copy of the elements, recorded nowhere.
Tensor copy_of(const Tensor& tensor) {
  const Tensor copy = empty_like(tensor, tensor.dtype());
  overwrite(copy, tensor);
  return copy;
}

/// Whether no one else sees it when the tensor is changed.
bool may_be_changed(const Tensor& tensor) {
  return tensor.reference()->unique() && tensor.impl().storage->unique() && is_dense(tensor);
}

/// The hook, kept for a call of it, but removed for everyone else when its handle goes meanwhile; null if it is.
SharedHook locked(const std::weak_ptr<const SharedHook>& hook) {
  const auto in_place = hook.lock();
  return in_place ? *in_place : nullptr;
}

}  // namespace

std::unique_ptr<Pass::Memory> Pass::take_memory() {
  Spare* const spare = of_this_thread<Spare>();
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
  if (Spare* const spare = of_this_thread<Spare>()) {
    memory_->next = std::move(spare->first);
    spare->first = std::move(memory_);
  }
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
  for (std::size_t output = 0; output < node->outputs().size(); ++output) gradients_.emplace_back();
  table_[at] = slot;
  if (node->is_leaf()) {
    leaves_.push_back(slot);
  } else {
    queue_.push_back({node->sequence(), slot});
    std::push_heap(queue_.begin(), queue_.end());
  }
  return slot;
}

void Pass::add(Node* node, std::uint32_t output, Tensor gradient) {
  Tensor& sum = gradients_[slots_[find_or_add(node)].first + output];
  if (!sum.defined())
    sum = std::move(gradient);
  else if (!create_graph_ && may_be_changed(sum))
    accumulate_in_place(sum, gradient);
  else
    sum = accumulate(sum, gradient);
}

void Pass::aim_at(std::span<const Tensor> roots, std::span<const Edge> targets, bool stop) {
  stops_ = stop;
  useful_.emplace();
  for (const Edge& target : targets) useful_->insert(target.node.get());
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
    if (stop && useful_->contains(reachable[next])) continue;
    for (const Edge& edge : reachable[next]->edges())
      if (edge.node) visit(edge.node.get());
  }
  std::sort(reachable.begin(), reachable.end(),
            [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  for (const Node* node : reachable)
    for (const Edge& edge : node->edges())
      if (wanted(edge)) {
        useful_->insert(node);
        break;
      }
  for (const Edge& target : targets)
    if (seen.contains(target.node.get())) slots_[find_or_add(target.node.get())].target = true;
}

/// Whether a gradient is wanted of anything that this node depends on.
bool Pass::leads_on(const Node& node) const {
  if (!useful_) return true;
  for (const Edge& edge : node.edges())
    if (wanted(edge)) return true;
  return false;
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
    const SharedHook call = locked(hook.call);
    if (!call || !gradient.defined()) continue;
    // A hook may change what it is given, and that may be the gradient of another tensor too.
    if (!create_graph_ && !may_be_changed(gradient)) gradient = copy_of(gradient);
    Tensor replaced = (*call)(gradient);
    if (!replaced.defined()) continue;
    check(replaced.shape() == gradient.shape() && replaced.dtype() == gradient.dtype(), "hook: a gradient of shape ",
          gradient.shape(), " and dtype ", gradient.dtype(), " was replaced by one of shape ", replaced.shape(),
          " and dtype ", replaced.dtype(), "; a hook returns a gradient like the one it is given, or an undefined ",
          "Tensor to leave that as it is");
    gradients_[slot.first + hook.output] = std::move(replaced);
  }
  if (is_leaf || useful_) return;
  std::vector<Tensor> before;  // freed without the lock, which freeing a graph may want
  const std::lock_guard lock(extras.mutex);
  for (auto& [output, kept] : extras.retained) {
    const Tensor& gradient = gradients_[slot.first + output];
    if (!gradient.defined()) continue;
    before.push_back(kept);
    kept = kept.defined() ? accumulate(kept, gradient) : gradient.clone();
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
  expect_saved(node);
  const auto edges = node.edges();
  std::uint64_t needs = 0;
  for (std::size_t i = 0; i < edges.size(); ++i)
    if (i < 64 && wanted(edges[i])) needs |= std::uint64_t{1} << i;

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
    const RunningNode running(&node, !retain_graph_);
    ProfileEvent event(node.name(), "backward");
    if (event) [[unlikely]] {
      event.set_node(&node);
      for (const Tensor& gradient : from) event.add_input(gradient.reference().get());
    }
    if (!node.adds_in_place() || !add_in_place(node, from)) node.backward(from, to, Needs(needs));
    for (std::size_t i = 0; i < edges.size(); ++i) {
      if (!edges[i].node || !to[i].defined() || (i < 64 && (needs >> i & 1) == 0)) continue;
      if (const OutputInfo& wanted = edges[i].node->outputs()[edges[i].index];
          to[i].dtype() != wanted.dtype || to[i].shape() != wanted.shape)
        to[i] = conform(node, i, std::move(to[i]));
      if (anomaly_enabled) expect_finite_gradient(node, i, to[i]);
    }
    if (event) [[unlikely]]
      for (const Tensor& gradient : to) event.add_output(gradient.reference().get());
  }
  std::optional<RunningNode> running;  // a recorded sum of gradients is part of the backward pass, too
  if (create_graph_) running.emplace(&node);
  if (!retain_graph_) node.release_saved();
  for (Tensor& gradient : from) gradient = {};  // so that what is passed on may be owned alone
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!edges[i].node || !to[i].defined() || (i < 64 && (needs >> i & 1) == 0)) continue;
    if (i >= 64 && !wanted(edges[i])) continue;
    add(edges[i].node.get(), edges[i].index, std::move(to[i]));
  }
}

/// Lets a node add its gradient to what its input has, where that is not recorded. False, and nothing done, where the
/// input has none yet.
bool Pass::add_in_place(Node& node, std::span<Tensor> gradients) {
  if (create_graph_ || anomaly_enabled) return false;
  const Edge& edge = node.edges()[0];
  if (!wanted(edge)) return false;
  Tensor& sum = gradients_[slots_[find_or_add(edge.node.get())].first + edge.index];
  if (!sum.defined()) return false;
  if (!may_be_changed(sum)) sum = copy_of(sum);
  node.add_backward(gradients, sum);
  return true;
}

void Pass::run() {
  const GradMode mode(create_graph_);
  const RowGradientScope rows(create_graph_ || useful_ ? nullptr : &rows_);
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
      if (leaf->grad.defined() && repeats_elements(leaf->grad)) leaf->grad = copy_of(leaf->grad);
      continue;
    }
    Tensor& sum = gradients_[slots_[slot].first];
    if (!may_be_changed(sum)) sum = copy_of(sum);
    add_rows_in_place(sum, parts);
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
    auto* leaf = static_cast<LeafNode*>(slots_[slot].node);
    if (create_graph_) {
      const std::lock_guard lock(leaf->mutex);
      if (leaf->tensor && leaf->tensor->has_users())  // or there is none to let go of what is recorded
        sums.push_back({leaf, leaf->dense_grad().defined() ? accumulate(leaf->grad, gradient) : gradient});
    } else {
      sums.push_back({leaf, may_be_changed(gradient) ? std::move(gradient) : copy_of(gradient)});
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
    if (!sum.leaf->rows.empty()) {
      add_rows_in_place(sum.gradient, sum.leaf->rows);
      sum.leaf->rows.clear();
    }
    if (create_graph_ || !grad.defined()) {
      std::swap(grad, sum.gradient);
      if (create_graph_ && sum.leaf->tensor) sum.leaf->tensor->watch();
    } else if (repeats_elements(grad)) {  // as an expanded one, that set_grad() was given
      accumulate_in_place(sum.gradient, grad);
      std::swap(grad, sum.gradient);
    } else {
      accumulate_in_place(grad, sum.gradient);
      grad.impl().storage->raise_version("backward");
    }
  }
  for (auto& [leaf, parts] : rows_.leaves) {
    const std::lock_guard lock(leaf->mutex);
    if (leaf->frozen || parts.empty()) continue;
    if (leaf->grad.defined()) {
      add_rows_in_place(leaf->grad, parts);
      leaf->grad.impl().storage->raise_version("backward");
    } else {
      leaf->rows.splice(leaf->rows.end(), parts);
    }
  }
  for (const Sum& sum : sums)
    if (sum.leaf) call_after_accumulation(*sum.leaf);
}

void Pass::call_after_accumulation(LeafNode& leaf) {
  Node::Extras* extras = leaf.extras_if_any();
  if (!extras) return;
  std::vector<std::weak_ptr<const SharedHook>> hooks;
  {
    const std::lock_guard lock(extras->mutex);
    std::erase_if(extras->after_accumulation, [](const auto& hook) { return hook.expired(); });
    hooks = extras->after_accumulation;
  }
  for (const auto& hook : hooks) {
    const SharedHook call = locked(hook);
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

}  // namespace xgrad::detail
