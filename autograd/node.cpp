#include "node.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "../array/profile.hpp"
#include "../core/allocator.hpp"
#include "anomaly.hpp"
#include "apply.hpp"
#include "captured.hpp"
#include "create.hpp"
#include "inplace.hpp"

namespace xgrad {

namespace {

constinit thread_local std::uint64_t newest = 0;
constinit thread_local Node* freed = nullptr;  // nodes that wait for their destructor
constinit thread_local bool freeing = false;

// Nodes that entered a graph less those freed, counted without a lock: each thread has a counter of its own, which
// outlives it and then serves another. What a thread does after it gave its counter back is counted in a shared one.
struct NodeCounter {
  std::atomic<std::int64_t> nodes{0};
  NodeCounter* next = nullptr;
  bool in_use = true;
};
constinit std::mutex counters_mutex;
constinit NodeCounter* counters = nullptr;
constinit NodeCounter shared_counter;
constinit thread_local NodeCounter* own_counter = nullptr;
constinit thread_local bool thread_ended = false;

struct AtThreadEnd {
  bool armed = false;
  ~AtThreadEnd() {
    thread_ended = true;
    if (!own_counter) return;
    const std::lock_guard lock(counters_mutex);
    std::exchange(own_counter, nullptr)->in_use = false;
  }
};
thread_local AtThreadEnd at_thread_end;

[[gnu::noinline, gnu::cold]] void count_nodes_slowly(std::int64_t change) {
  if (!thread_ended) {
    at_thread_end.armed = true;
    const std::lock_guard lock(counters_mutex);
    NodeCounter* counter = counters;
    while (counter && counter->in_use) counter = counter->next;
    if (!counter && (counter = new (std::nothrow) NodeCounter)) counter->next = std::exchange(counters, counter);
    if (counter) counter->in_use = true;
    own_counter = counter;
  }
  (own_counter ? own_counter : &shared_counter)->nodes.fetch_add(change, std::memory_order_relaxed);
}

inline void count_nodes(std::int64_t change) {
  if (!own_counter) [[unlikely]]
    return count_nodes_slowly(change);
  std::atomic<std::int64_t>& nodes = own_counter->nodes;
  nodes.store(nodes.load(std::memory_order_relaxed) + change, std::memory_order_relaxed);
}

}  // namespace

Node::~Node() { delete extras_if_any(); }

void* Node::operator new(std::size_t bytes) { return allocate(bytes); }
void Node::operator delete(void* block, std::size_t bytes) noexcept { deallocate(block, bytes); }

// A node's destructor drops references to further nodes, which come back here: they queue up instead of recursing.
[[gnu::noinline]] void Node::destroy(Node* node) noexcept {
  node->next_freed_ = freed;
  freed = node;
  if (freeing) return;
  freeing = true;
  while (freed) {
    Node* next = freed;
    freed = next->next_freed_;
    if (next->sequence_ != 0) count_nodes(-1);
    delete next;
  }
  freeing = false;
}

Node::Extras& Node::extras() {
  if (Extras* extras = extras_if_any()) return *extras;
  auto made = std::make_unique<Extras>();
  Extras* extras = nullptr;  // another thread's, where that was faster
  return extras_.compare_exchange_strong(extras, made.get()) ? *made.release() : *extras;
}

void Node::enter_graph(std::span<Edge> edges, std::span<OutputInfo> outputs) {
  edges_ = edges.data();
  edge_count_ = static_cast<std::uint32_t>(edges.size());
  outputs_ = outputs.data();
  output_count_ = static_cast<std::uint32_t>(outputs.size());
  count_nodes(1);
  call_site_ = detail::call_site;
  in_backward_ = detail::running_node != nullptr;
  // A clock as Lamport's: past what this thread made, and past all that this node depends on, whoever made it.
  std::uint64_t sequence = newest;
  for (const Edge& edge : edges)
    if (edge.node) sequence = std::max(sequence, edge.node->sequence_);
  sequence_ = newest = sequence + 1;
  if (detail::profiling.load(std::memory_order_relaxed)) [[unlikely]]
    detail::profile_recorded(this);
}

namespace detail {

std::uint64_t last_sequence() { return newest; }

std::int64_t count_live_nodes() {
  const std::lock_guard lock(counters_mutex);
  std::int64_t nodes = shared_counter.nodes.load(std::memory_order_relaxed);
  for (const NodeCounter* counter = counters; counter; counter = counter->next)
    nodes += counter->nodes.load(std::memory_order_relaxed);
  return nodes;
}

LeafNode::LeafNode(const Shape& shape, DType dtype) : info_{shape, dtype, nullptr} { enter_graph({}, {&info_, 1}); }

[[gnu::noinline, gnu::cold]] void CaptureScope::note_in_all(const Tensor& input) {
  for (CaptureScope* scope = current_; scope; scope = scope->outer_) {
    if (input.impl().node->sequence() > scope->first_) continue;
    const auto is_input = [&](const Tensor& tensor) { return tensor.reference() == input.reference(); };
    if (std::none_of(scope->tensors_.begin(), scope->tensors_.end(), is_input)) scope->tensors_.push_back(input);
  }
}

void attach(Tensor& output, Reference<Node> node, OutputInfo& info, std::uint32_t index, bool is_input,
            bool is_differentiable) {
  check(output.defined(), node->name(), ": forward returned an undefined tensor as output ", index,
        "; every output needs a value");
  info.shape = output.shape();
  info.dtype = output.dtype();
  if (!is_floating(info.dtype) || !is_differentiable) {
    if (output.requires_grad()) output = output.detach();
    return;
  }
  info.storage = output.impl().storage.get();
  if (!output.reference()->unique()) {
    const bool is_view = is_input || output.impl().is_view;
    output = view(output, output.shape(), output.strides());
    output.impl().is_view = is_view;
  }
  TensorImpl& impl = output.impl();
  impl.node = std::move(node);
  impl.output_index = index;
  if (anomaly_enabled) expect_finite_output(*impl.node, index, output);
}

void lead_to(Edge& edge, const char* op, const Tensor& input) {
  const TensorImpl& impl = input.impl();
  if (impl.is_view) expect_current(op, input);
  CaptureScope::note(input);
  edge.index = impl.output_index;
  edge.node = Reference<Node>::share(impl.node.get());
}

void fail_gradient_count(const char* op, std::size_t gradients, std::size_t inputs) {
  fail(op, ": backward returned ", gradients, " gradients for ", inputs,
       " inputs; it must return one for each input of forward, an undefined Tensor for one that has none");
}

void fail_undefined_input(const char* op, std::initializer_list<bool> defined) {
  const auto first = std::find(defined.begin(), defined.end(), false);
  if (first == defined.end()) throw;
  fail(op, ": input ", first - defined.begin(), " is undefined and forward used it; give the Tensor a value");
}

void fail_once_differentiable(const char* op) {
  fail(op, ": its backward is not made of differentiable operations (once_differentiable), so the gradients of a pass ",
       "with create_graph would be wrong; leave create_graph out, or write backward with differentiable operations");
}

void keep_out_of_reach(Node& node, bool lists_saved, std::span<const Tensor> upstream, std::span<Tensor> results) {
  if (running_node_will_be_freed) {
    node.release_saved();
    for (Tensor& result : results)
      if (may_be_kept(result, upstream)) result = result.clone();  // others have it besides the node
    return;
  }
  std::vector<Tensor*> kept;
  {
    const std::vector<Tensor> saved = node.saved();
    const auto is_kept = [&](const Tensor& result) {
      return !lists_saved || std::any_of(saved.begin(), saved.end(), [&](const Tensor& each) {
        return each.impl().storage == result.impl().storage;
      });
    };
    for (Tensor& result : results)
      if (may_be_kept(result, upstream) && is_kept(result)) kept.push_back(&result);
  }
  for (Tensor* result : kept) *result = result->clone();
}

void fail_kept_input(const char* op, std::string_view member, const Saved& saved) {
  fail(op, ": the tensor of shape ", saved.shape(), " in its member ", member,
       " requires a gradient and would get none, for it is no input of the operation; give it to apply(), or detach() "
       "it");
}

void expect_same_memory(const char* op, const Tensor& input, const Tensor& result) {
  check(result.defined(), op, ": forward returned an undefined tensor; an in_place operation returns its first input");
  check(result.impl().data == input.impl().data && result.shape() == input.shape() &&
            result.strides() == input.strides() && result.dtype() == input.dtype(),
        op, ": forward returned a tensor of shape ", result.shape(), " that is not its first input, of shape ",
        input.shape(), "; an in_place operation writes its result there and returns it");
}

Tensor zero_gradient(const OutputInfo& info) { return zeros(info.shape, {.dtype = info.dtype}); }

}  // namespace detail

namespace {

[[noreturn, gnu::cold]] void fail_changed(const Tensor& tensor, std::uint32_t version) {
  const Node* node = detail::running_node;
  fail(node ? node->name() : "saved tensor", ": a tensor of shape ", tensor.shape(), " saved for backward",
       " was changed in place", detail::last_change(tensor), ": it has version ", tensor.version(),
       ", it was saved at ", version, "; clone it before the change, or change a copy");
}

}  // namespace

Tensor Saved::as_output() const {
  if (!tensor_.defined()) return {};
  if (tensor_.version() != version_) [[unlikely]]
    fail_changed(tensor_, version_);
  const Node* node = detail::running_node;
  if (!node || tensor_.requires_grad() || !detail::grad_enabled) return {};
  const auto outputs = node->outputs();
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].storage != tensor_.impl().storage.get() || !(outputs[i].shape == tensor_.shape())) continue;
    Tensor output = detail::view(tensor_, tensor_.shape(), tensor_.strides());
    output.impl().node = detail::Reference<Node>::share(const_cast<Node*>(node));
    output.impl().output_index = i;
    return output;
  }
  return {};
}

Tensor Saved::get() const { return *detail::MaybeOwned(*this); }

detail::MaybeOwned::MaybeOwned(const Saved& saved)
    : made_(saved.as_output()),
      tensor_(made_.defined() ? std::as_const(made_) : static_cast<const Tensor&>(saved.tensor_)) {}

}  // namespace xgrad
