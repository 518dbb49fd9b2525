#include "node.hpp"

#include <algorithm>

#include "../core/allocator.hpp"
#include "anomaly.hpp"
#include "apply.hpp"
#include "create.hpp"

namespace xgrad {

namespace {

constinit thread_local std::uint64_t last_sequence = 0;
constinit thread_local Node* freed = nullptr;  // nodes that wait for their destructor
constinit thread_local bool freeing = false;

}  // namespace

Node::~Node() = default;

void* Node::operator new(std::size_t bytes) { return allocate(bytes); }
void Node::operator delete(void* block, std::size_t bytes) noexcept { deallocate(block, bytes); }

// A node's destructor drops references to further nodes, which come back here: they queue up instead of recursing.
void Node::destroy(Node* node) noexcept {
  node->next_freed_ = freed;
  freed = node;
  if (freeing) return;
  freeing = true;
  while (freed) {
    Node* next = freed;
    freed = next->next_freed_;
    delete next;
  }
  freeing = false;
}

Node::Extras& Node::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

void Node::enter_graph(std::span<Edge> edges, std::span<OutputInfo> outputs) {
  edges_ = edges.data();
  edge_count_ = static_cast<std::uint32_t>(edges.size());
  outputs_ = outputs.data();
  output_count_ = static_cast<std::uint32_t>(outputs.size());
  call_site_ = detail::call_site;
  // A clock as Lamport's: past what this thread made, and past all that this node depends on, whoever made it.
  std::uint64_t sequence = last_sequence;
  for (const Edge& edge : edges)
    if (edge.node) sequence = std::max(sequence, edge.node->sequence_);
  sequence_ = last_sequence = sequence + 1;
}

namespace detail {

LeafNode::LeafNode(const Shape& shape, DType dtype) : info_{shape, dtype, nullptr} { enter_graph({}, {&info_, 1}); }

void attach(Tensor& output, Node& node, OutputInfo& info, std::uint32_t index, bool is_input) {
  check(output.defined(), node.name(), ": forward returned an undefined tensor");
  info.shape = output.shape();
  info.dtype = output.dtype();
  info.storage = output.impl().storage.get();
  if (!is_floating(info.dtype)) return;
  if (!output.reference()->unique()) {
    const bool is_view = is_input || output.impl().is_view;
    output = view(output, output.shape(), output.strides());
    output.impl().is_view = is_view;
  }
  TensorImpl& impl = output.impl();
  impl.node = Reference<Node>::share(&node);
  impl.output_index = index;
  if (anomaly_enabled) expect_finite_output(node, index, output);
}

Edge edge_to(const char* op, const Tensor& input) {
  if (!input.requires_grad()) return {};
  const TensorImpl& impl = input.impl();
  check(!impl.is_view || impl.node->is_leaf() || impl.view_version == input.version(), op, ": an input of shape ",
        impl.shape, " is a view (made by ", impl.node->name(), ") whose elements were changed in place since: version ",
        input.version(), ", it was made at ", impl.view_version, "; take the view again");
  return {impl.node, impl.output_index};
}

void fail_gradient_count(const char* op, std::size_t gradients, std::size_t inputs) {
  fail(op, ": backward returned ", gradients, " gradients for ", inputs, " inputs");
}

Tensor zero_gradient(const OutputInfo& info) { return zeros(info.shape, {.dtype = info.dtype}); }

}  // namespace detail

Tensor Saved::get() const {
  if (!tensor_.defined()) return tensor_;
  const Node* node = detail::running_node;
  check(tensor_.version() == version_, node ? node->name() : "saved tensor", ": a tensor of shape ", tensor_.shape(),
        " saved for backward was changed in place: it has version ", tensor_.version(), ", it was saved at ", version_,
        "; clone it before the change, or change a copy");
  if (!node || tensor_.requires_grad() || !detail::grad_enabled) return tensor_;
  // A saved output came here before the node became its history.
  const auto outputs = node->outputs();
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].storage != tensor_.impl().storage.get() || !(outputs[i].shape == tensor_.shape())) continue;
    Tensor output = detail::view(tensor_, tensor_.shape(), tensor_.strides());
    output.impl().node = detail::Reference<Node>::share(const_cast<Node*>(node));
    output.impl().output_index = i;
    return output;
  }
  return tensor_;
}

}  // namespace xgrad
