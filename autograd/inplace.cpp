#include "inplace.hpp"

namespace xgrad::detail {

namespace {

/// The place in the graph of a handle that an operation saved, after the tensor was changed in place through another
/// one. expect_current refuses the handle before a gradient could get here.
class Replaced final : public Node {
 public:
  explicit Replaced(const Tensor& tensor) : info_{tensor.shape(), tensor.dtype(), nullptr} {
    enter_graph({}, {&info_, 1});
  }
  const char* name() const override { return "replaced"; }
  void backward(std::span<Tensor>, std::span<Tensor>, Needs) override {}

 private:
  OutputInfo info_;
};

}  // namespace

bool repeats_elements(const Tensor& tensor) {
  for (std::size_t axis = 0; axis < tensor.dim(); ++axis)
    if (tensor.strides()[axis] == 0 && tensor.shape()[axis] > 1) return true;
  return false;
}

void expect_writable(const char* op, const Tensor& self) {
  for (std::size_t axis = 0; axis < self.dim(); ++axis)
    check(self.strides()[axis] != 0 || self.shape()[axis] <= 1, op, ": a tensor of shape ", self.shape(),
          " repeats its elements along axis ", axis, " (it was expanded); clone it first");
}

void expect_recordable(const char* op, const Tensor& self) {
  check(!self.requires_grad() || !self.is_leaf(), op, ": a leaf of shape ", self.shape(),
        " that requires a gradient cannot change while operations are recorded; change it under NoGrad");
  check(!self.impl().is_view, op, ": a view of shape ", self.shape(),
        " cannot change as part of the graph, for the tensor it shares memory with would not know; clone it first, or "
        "change it under NoGrad");
}

void expect_current(const char* op, const Tensor& tensor) {
  const TensorImpl& impl = tensor.impl();
  if (!impl.is_view || impl.node->is_leaf() || impl.view_version == tensor.version()) return;
  fail(op, ": a tensor of shape ", impl.shape, " was changed through another Tensor of the same memory",
       last_change(tensor), ": it has version ", tensor.version(), ", this Tensor is of ", impl.view_version,
       "; use the Tensor that was changed, or take the view again");
}

std::string last_change(const Tensor& tensor) {
  const Change& change = tensor.impl().storage->last_change();
  std::string text;
  if (change.op) text.append(" by ").append(change.op);
  if (change.op && change.site.file) append(text += " at ", change.site);
  return text;
}

Tensor same_memory(const Tensor& self) {
  Tensor fresh = view(self, self.shape(), self.strides());
  fresh.impl().is_view = false;
  return fresh;
}

// A new handle where the old one was saved: what the tensor becomes may depend on the operation that holds the old one,
// which, with the new place in the graph, would close a cycle that is never freed.
Rebase::Rebase(const Tensor& self) : self_(self), version_(self.version()) {
  if (Node::Extras* extras = self.impl().node ? self.impl().node->extras_if_any() : nullptr) {
    const std::lock_guard lock(extras->mutex);
    for (const auto& [output, gradient] : extras->retained) {
      if (output != self.impl().output_index) continue;
      with_memory_for("retain_grad", [this, &kept = gradient] {
        extras_ = std::make_unique<Node::Extras>();
        extras_->retained.emplace_back(0, kept);
      });
      before_ = self.impl().node;
    }
  }
  if (!self.impl().saved.load(std::memory_order_relaxed)) return;
  fresh_ = same_memory(self);
  replaced_ = Reference<Node>::adopt(new Replaced(self));
}

Tensor Rebase::onto(const Tensor& result) noexcept {
  const Tensor& current = fresh_.defined() ? fresh_ : self_;
  const std::uint32_t index_before = self_.impl().output_index;
  self_.impl().leaf = {};  // where it was one that is frozen
  current.impl().node = result.impl().node;
  current.impl().output_index = result.impl().output_index;
  if (extras_) keep_gradient_at(current, index_before);
  if (!fresh_.defined()) return self_;
  self_.impl().node = std::move(replaced_);
  self_.impl().output_index = 0;
  self_.impl().is_view = true;
  self_.impl().view_version = version_;
  return fresh_;
}

/// Where the gradient was to be kept of what the tensor was, it is kept of what the tensor is now.
void Rebase::keep_gradient_at(const Tensor& current, std::uint32_t index_before) noexcept {
  extras_->retained[0].first = current.impl().output_index;
  current.impl().node->set_extras(std::move(extras_));
  current.impl().watch();
  Node::Extras& extras = *before_->extras_if_any();
  const std::lock_guard lock(extras.mutex);
  std::erase_if(extras.retained, [&](const auto& entry) { return entry.first == index_before; });
}

}  // namespace xgrad::detail
