#pragma once
// The graph: nodes are recorded operations and leaves; edges lead from an operation to what made its inputs.

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "sparse_rows.hpp"
#include "tensor.hpp"

namespace xgrad {

/// Which gradients a backward has to compute, by position of the input.
class Needs {
 public:
  explicit Needs(std::uint64_t bits = ~std::uint64_t{0}) : bits_(bits) {}
  /// Inputs beyond the 64th are always needed.
  bool operator[](std::size_t input) const { return input >= 64 || (bits_ >> input & 1) != 0; }

 private:
  std::uint64_t bits_;
};

/// Where the gradient of an input goes: to output `index` of `node`; to nowhere if there is no node.
struct Edge {
  detail::Reference<Node> node;
  std::uint32_t index = 0;
};

/// What backward knows of a node's output after the tensor itself is gone.
struct OutputInfo {
  Shape shape;
  DType dtype = DType::float32;
  const detail::Storage* storage = nullptr;  // to know a saved output again; not owned; null if it has no gradient
};

/// A recorded operation, or a leaf of the graph. Counted, and freed without recursion, so that depth is no limit.
class Node : public detail::Counted {
 public:
  virtual ~Node();
  static void destroy(Node* node) noexcept;
  static void* operator new(std::size_t bytes);
  static void operator delete(void* block, std::size_t bytes) noexcept;

  /// Name of the operation, as errors and graph pictures give it.
  virtual const char* name() const = 0;
  /// From the gradients of the outputs (undefined where none came) to those of the inputs that `needs` names; an
  /// undefined result counts as zero. The spans have the sizes of outputs() and edges().
  virtual void backward(std::span<Tensor> outputs, std::span<Tensor> inputs, Needs needs) = 0;
  /// Whether add_backward() may serve in place of backward() where the input has a gradient from elsewhere already.
  bool adds_in_place() const { return adds_in_place_; }
  /// As backward, for a node of one input: adds its gradient to `sum`, dense and not shared, in place.
  virtual void add_backward(std::span<Tensor>, const Tensor&) {}
  /// Forward mode: from the tangents of the inputs (undefined where zero) to those of the outputs; an undefined result
  /// counts as zero. Where a node has no rule of its own, the derivative of its backward serves.
  virtual void push_forward(std::span<const Tensor> inputs, std::span<Tensor> outputs);
  /// Lets go of what was saved; backward through this node is an error from then on.
  virtual void release_saved() noexcept {}
  virtual bool released() const noexcept { return false; }
  virtual bool is_leaf() const noexcept { return false; }
  /// The tensors saved for backward.
  virtual std::vector<Tensor> saved() const { return {}; }

  std::span<const Edge> edges() const { return {edges_, edge_count_}; }
  std::span<const OutputInfo> outputs() const { return {outputs_, output_count_}; }
  /// Greater than that of every node this one depends on; ascending in the order of creation within a thread.
  std::uint64_t sequence() const { return sequence_; }
  /// The line that called the operation; its file is null when not known.
  const detail::CallSite& call_site() const { return call_site_; }
  /// Whether the operation was recorded in a backward pass, as part of a gradient.
  bool in_backward() const { return in_backward_; }

  struct Hook {
    std::uint32_t output;
    std::weak_ptr<const detail::SharedHook> call;
  };
  /// What few nodes have: hooks, and the kept gradients of non-leaf tensors.
  struct Extras {
    std::mutex mutex;  // of all: several threads may run backward into one leaf
    std::vector<Hook> hooks;
    std::vector<std::weak_ptr<const detail::SharedHook>> after_accumulation;
    std::vector<std::pair<std::uint32_t, Tensor>> retained;  // output and its gradient
  };
  Extras& extras();
  Extras* extras_if_any() const { return extras_.load(std::memory_order_acquire); }
  /// Gives a node that no other thread knows yet its extras.
  void set_extras(std::unique_ptr<Extras> extras) noexcept { extras_.store(extras.release()); }

 protected:
  Node() = default;
  /// Gives the node its edges and outputs, which the derived class stores, its sequence number and its call site. Once.
  void enter_graph(std::span<Edge> edges, std::span<OutputInfo> outputs);

  bool adds_in_place_ = false;

 private:
  bool in_backward_ = false;
  Edge* edges_ = nullptr;
  OutputInfo* outputs_ = nullptr;
  std::uint32_t edge_count_ = 0, output_count_ = 0;
  std::uint64_t sequence_ = 0;
  detail::CallSite call_site_;
  std::atomic<Extras*> extras_{nullptr};
  Node* next_freed_ = nullptr;
};

namespace detail {

/// The end of the graph at a leaf tensor. It holds the gradient and not the tensor, so there is no cycle.
class LeafNode final : public Node {
 public:
  LeafNode(const Shape& shape, DType dtype);
  const char* name() const override { return "leaf"; }
  void backward(std::span<Tensor>, std::span<Tensor>, Needs) override {}
  bool is_leaf() const noexcept override { return true; }

  /// The gradient; what is there as rows becomes a dense one first. The mutex is held.
  const Tensor& dense_grad();

  std::mutex mutex;  // of what follows: several threads may run backward into one leaf
  Tensor grad;
  std::list<SparseRows> rows;    // whose sum is the gradient, where `grad` is undefined
  TensorImpl* tensor = nullptr;  // whose place this is; null once that is gone
  bool frozen = false;           // the tensor does not require a gradient for now

 private:
  OutputInfo info_;
};

inline constinit thread_local bool grad_enabled = true;
/// Nodes of all graphs in the process.
std::int64_t count_live_nodes();
/// The sequence number that this thread gave last.
std::uint64_t last_sequence();
/// The node whose backward runs in this thread; what it saved is unpacked for it.
inline constinit thread_local Node* running_node = nullptr;
/// Whether the pass frees what that node saved as soon as its backward is done.
inline constinit thread_local bool running_node_will_be_freed = false;

}  // namespace detail

/// Whether operations are recorded in this thread.
inline bool is_grad_enabled() { return detail::grad_enabled; }

/// Sets, for its lifetime and its thread, whether operations are recorded.
class GradMode {
 public:
  [[nodiscard]] explicit GradMode(bool enabled) : before_(detail::grad_enabled) { detail::grad_enabled = enabled; }
  ~GradMode() { detail::grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

/// While it lives, no operation of its thread is recorded: `const NoGrad no_grad;`
class NoGrad : public GradMode {
 public:
  [[nodiscard]] NoGrad() : GradMode(false) {}
};

/// While it lives, operations of its thread are recorded, inside a NoGrad too.
class EnableGrad : public GradMode {
 public:
  [[nodiscard]] EnableGrad() : GradMode(true) {}
};

}  // namespace xgrad
