#include "tensor.hpp"

#include <algorithm>
#include <utility>

#include "../core/allocator.hpp"
#include "node.hpp"

namespace xgrad {

namespace detail {

namespace {

/// Takes the recorded gradient out of where backward left it for the users of a tensor.
Tensor take_recorded_gradient(const TensorImpl& tensor) {
  if (tensor.leaf) {
    auto& leaf = static_cast<LeafNode&>(*tensor.leaf);
    const std::lock_guard lock(leaf.mutex);
    return leaf.grad.requires_grad() ? std::exchange(leaf.grad, {}) : Tensor();
  }
  Node::Extras* extras = tensor.node ? tensor.node->extras_if_any() : nullptr;
  if (!extras) return {};
  const std::lock_guard lock(extras->mutex);
  for (auto entry = extras->retained.begin(); entry != extras->retained.end(); ++entry) {
    if (entry->first != tensor.output_index) continue;
    Tensor gradient = std::move(entry->second);
    extras->retained.erase(entry);
    return gradient;
  }
  return {};
}

/// The tensor whose place as a leaf this is goes.
[[gnu::noinline]] void leave(LeafNode& leaf) {
  const std::lock_guard lock(leaf.mutex);
  leaf.tensor = nullptr;
}

}  // namespace

bool HandleCount::release_watched() noexcept {
  retain_kept();  // another thread may let go of the last handle meanwhile
  if ((count_.fetch_sub(user, std::memory_order_acq_rel) & users) == user)
    take_recorded_gradient(static_cast<const TensorImpl&>(*this));
  return release_kept();
}

TensorImpl::TensorImpl() = default;
TensorImpl::~TensorImpl() {
  if (leaf) [[unlikely]]
    leave(static_cast<LeafNode&>(*leaf));
}
void TensorImpl::destroy(TensorImpl* impl) noexcept { delete impl; }
void* TensorImpl::operator new(std::size_t bytes) { return allocate(bytes); }
void TensorImpl::operator delete(void* block, std::size_t bytes) noexcept { deallocate(block, bytes); }

Tensor unallocated() { return Tensor(Reference<TensorImpl>::adopt(new TensorImpl)); }

Tensor empty(const Shape& shape, DType dtype) {
  Tensor out = unallocated();
  allocate_array(out.impl(), shape, dtype);
  return out;
}

Tensor empty_like(const Tensor& other, DType dtype) {
  Tensor out = unallocated();
  allocate_array_like(out.impl(), other, dtype);
  return out;
}

Tensor view(const Tensor& base, const Shape& shape, const Shape& strides, std::int64_t offset) {
  const TensorImpl& from = base.impl();
  auto impl = Reference<TensorImpl>::adopt(new TensorImpl);
  impl->dtype = from.dtype;
  impl->shape = shape;
  impl->strides = strides;
  impl->numel = shape.numel();
  impl->row_major =
      impl->numel == 0 || is_dense_in_order(shape, strides, axes_in(MemoryFormat::contiguous, shape.size()));
  impl->data = from.data + offset * static_cast<std::int64_t>(item_size(from.dtype));
  impl->storage = from.storage;
  impl->is_view = true;
  impl->view_version = from.storage->version();
  return Tensor(std::move(impl));
}

}  // namespace detail

Tensor::Tensor(detail::Array array) : Tensor(detail::unallocated()) {
  static_cast<detail::Array&>(*impl_) = std::move(array);
}

void Tensor::raise_undefined() {
  std::string message = "tensor: used before it was given a value; this Tensor is undefined";
  detail::append_call_site(message);
  throw detail::UndefinedTensor(message);
}

namespace detail {

void expect_dense(const Tensor& tensor, DType dtype) {
  check(tensor.dtype() == dtype, "tensor: elements are ", tensor.dtype(), ", not ", dtype, "; convert with .to(", dtype,
        ")");
  check(tensor.is_contiguous(), "tensor: elements of shape ", tensor.shape(), " lie in memory with strides ",
        tensor.strides(), ", not dense in row-major order; use .contiguous() first");
}

}  // namespace detail

bool Tensor::is_contiguous(MemoryFormat format) const {
  const detail::Array& self = impl();
  if (format == MemoryFormat::contiguous) return self.row_major;
  return detail::has_format(format, dim()) &&
         (self.numel == 0 || detail::is_dense_in_order(self.shape, self.strides, detail::axes_in(format, dim())));
}

void Tensor::expect_one_element() const {
  check(numel() == 1, "item: a tensor of one element is needed, this has shape ", shape(),
        "; reduce it first, with sum() or mean(), or select() an element");
}

std::int64_t Tensor::offset_at(const Shape& indices) const {
  check(indices.size() == dim(), "at: ", indices.size(), " indices for shape ", shape(),
        "; one for each axis is needed");
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < dim(); ++axis) {
    const std::int64_t index = indices[axis], size = shape()[axis];
    check(index >= -size && index < size, "at: index ", index, " is out of range for axis ", axis, " of shape ",
          shape());
    offset += (index < 0 ? index + size : index) * strides()[axis];
  }
  return offset;
}

Tensor& Tensor::requires_grad_(bool value) {
  detail::TensorImpl& self = impl();
  check(is_leaf(), "requires_grad_: only a leaf can be told to require a gradient or not; this tensor of shape ",
        self.shape, " comes from ", self.node ? self.node->name() : "", "; use detach()");
  check(!value || is_floating(self.dtype), "requires_grad_: a tensor of dtype ", self.dtype,
        " cannot require a gradient; convert it with .to(float32)");
  if (value == requires_grad()) return *this;
  if (!self.leaf) {
    auto* made = new detail::LeafNode(self.shape, self.dtype);
    self.leaf = detail::Reference<Node>::adopt(made);
    made->tensor = &self;
  }
  auto& leaf = static_cast<detail::LeafNode&>(*self.leaf);
  {
    const std::lock_guard lock(leaf.mutex);
    leaf.frozen = !value;
  }
  self.node = value ? self.leaf : detail::Reference<Node>();
  self.output_index = 0;
  return *this;
}

bool Tensor::is_leaf() const { return !impl().node || impl().node->is_leaf(); }

Tensor Tensor::grad() const {
  if (const detail::TensorImpl& self = impl(); self.leaf) {
    auto& leaf = static_cast<detail::LeafNode&>(*self.leaf);
    const std::lock_guard lock(leaf.mutex);
    if (leaf.rows.empty()) return leaf.grad;
    return detail::with_memory_for("grad", [&] { return leaf.dense_grad(); });
  }
  Node::Extras* extras = impl_->node ? impl_->node->extras_if_any() : nullptr;
  if (!extras) return {};
  const std::lock_guard lock(extras->mutex);
  for (const auto& [output, gradient] : extras->retained)
    if (output == impl_->output_index) return gradient;
  return {};
}

void Tensor::set_grad(const Tensor& grad) const {
  const detail::TensorImpl& self = impl();
  if (grad.defined()) {
    check(static_cast<bool>(self.node) && self.node->is_leaf(),
          "set_grad: only a leaf that requires a gradient holds one");
    check(grad.shape() == self.shape && grad.dtype() == self.dtype, "set_grad: a gradient of shape ", grad.shape(),
          " and dtype ", grad.dtype(), " for a tensor of shape ", self.shape, " and dtype ", self.dtype);
  }
  Tensor old = grad;  // freed without a lock
  std::list<SparseRows> old_rows;
  if (self.leaf) {
    auto& leaf = static_cast<detail::LeafNode&>(*self.leaf);
    const std::lock_guard lock(leaf.mutex);
    std::swap(leaf.grad, old);
    leaf.rows.swap(old_rows);
    if (grad.requires_grad()) impl_->watch();
  } else if (auto* extras = self.node ? self.node->extras_if_any() : nullptr) {
    const std::lock_guard lock(extras->mutex);
    for (auto& [output, gradient] : extras->retained)
      if (output == self.output_index) std::swap(gradient, old);
  }
}

void Tensor::retain_grad() const {
  check(requires_grad(), "retain_grad: this tensor does not require a gradient");
  if (is_leaf()) return;
  detail::with_memory_for("retain_grad", [&] {
    Node::Extras& extras = impl_->node->extras();
    const std::lock_guard lock(extras.mutex);
    for (const auto& [output, gradient] : extras.retained)
      if (output == impl_->output_index) return;
    extras.retained.emplace_back(impl_->output_index, Tensor());
    impl_->watch();
  });
}

HookHandle Tensor::register_hook(GradHook hook) const {
  check(requires_grad(), "register_hook: this tensor does not require a gradient");
  check(static_cast<bool>(hook), "register_hook: the hook is empty");
  return detail::with_memory_for("register_hook", [&] {
    HookHandle handle;
    handle.hook_ = std::make_shared<detail::SharedHook>(std::make_shared<const GradHook>(std::move(hook)));
    Node::Extras& extras = impl_->node->extras();
    const std::lock_guard lock(extras.mutex);
    extras.hooks.push_back({impl_->output_index, handle.hook_});
    return handle;
  });
}

HookHandle Tensor::register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook) const {
  check(requires_grad() && is_leaf(), "register_post_accumulate_grad_hook: this tensor of shape ", shape(),
        " is no leaf that requires a gradient, so none is accumulated in it; register_hook takes any tensor");
  check(static_cast<bool>(hook), "register_post_accumulate_grad_hook: the hook is empty");
  return detail::with_memory_for("register_post_accumulate_grad_hook", [&] {
    HookHandle handle;
    handle.hook_ = std::make_shared<detail::SharedHook>(
        std::make_shared<const GradHook>([hook = std::move(hook)](const Tensor& grad) {
          hook(grad);
          return Tensor();
        }));
    Node::Extras& extras = impl_->node->extras();
    const std::lock_guard lock(extras.mutex);
    extras.after_accumulation.push_back(handle.hook_);
    return handle;
  });
}

Tensor Tensor::detach() const { return detail::view(*this, shape(), strides()); }

}  // namespace xgrad
