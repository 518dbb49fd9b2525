#pragma once
// What changing a tensor in place means for the graph.

#include <memory>
#include <string>

#include "node.hpp"

namespace xgrad::detail {

/// Whether elements share memory among each other, as in an expanded tensor.
bool repeats_elements(const Tensor& tensor);
/// Throws Error in the name of `op` for a tensor whose elements share memory among each other.
void expect_writable(const char* op, const Tensor& self);
/// Throws Error in the name of `op` for a tensor that cannot change as part of the graph: a leaf that requires a
/// gradient, and a view.
void expect_recordable(const char* op, const Tensor& self);
/// Throws Error in the name of `op` for a handle to elements that were changed through another one since: a view taken
/// before, or a copy, made before, of a handle that was saved.
void expect_current(const char* op, const Tensor& tensor);
/// " by add_ at main.cpp:7", as errors tell who changed the memory of a tensor last; empty when that is not known.
std::string last_change(const Tensor& tensor);
/// A new handle to the tensor, outside the graph, and not a view.
Tensor same_memory(const Tensor& self);

/// Gives a tensor that is changed in place its new place in the graph. Made before the change, it finds the memory it
/// needs, so that nothing can fail after it.
class Rebase {
 public:
  explicit Rebase(const Tensor& self);
  /// Puts the tensor where `result`, whose elements it has now, is in the graph. The handle to use from now on is
  /// returned: its own, or, if an operation saved that, a new one.
  Tensor onto(const Tensor& result) noexcept;

 private:
  void keep_gradient_at(const Tensor& current, std::uint32_t index_before) noexcept;

  Tensor self_, fresh_;
  Reference<Node> before_, replaced_;
  std::unique_ptr<Node::Extras> extras_;  // for the new place, where the gradient is kept
  std::uint32_t version_;
};

}  // namespace xgrad::detail
