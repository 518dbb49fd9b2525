#pragma once
// Tensor: a handle to shared storage with a shape and, where it requires a gradient, its place in the graph.

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "../array/array.hpp"
#include "../array/scalar.hpp"
#include "../core/call_site.hpp"
#include "../core/reference.hpp"

namespace xgrad {

class Tensor;
class Node;
class Generator;
class TensorIndex;  // ops/advanced_indexing.hpp
struct IndexPutOptions;

/// How a new tensor is made.
struct TensorOptions {
  std::optional<DType> dtype = {};  // where none is named: float32, unless the function says otherwise
  bool requires_grad = false;       // only for a floating dtype
  Generator* generator = nullptr;   // what random numbers are drawn from; null for the thread's default_generator()
};

/// A factor of the other operand, as in `weight.sub_(gradient, {.alpha = 0.1})`; an integer where the result is one.
struct AlphaOptions {
  Scalar alpha = 1;
};

struct BackwardOptions {
  bool retain_graph = false;  // keep what the operations saved, so that backward may run again
  bool create_graph = false;  // record the backward pass, so that the gradients have gradients; implies retain_graph
};

/// Called with a gradient; an undefined result leaves it as it is, a defined one replaces it.
using GradHook = std::function<Tensor(const Tensor& grad)>;

namespace detail {

using SharedHook = std::shared_ptr<const GradHook>;  // a call in progress keeps it, the graph only looks for it

}  // namespace detail

/// Keeps a gradient hook in place for as long as it lives, so that a hook that captures its tensor makes no cycle.
class [[nodiscard]] HookHandle {
 public:
  HookHandle() = default;
  /// Takes the hook out now.
  void remove() { hook_.reset(); }

 private:
  friend class Tensor;
  std::shared_ptr<const detail::SharedHook> hook_;
};

namespace detail {

class KeptTensor;

/// What the use of an undefined tensor throws: apply() then says which input of which operation it was.
struct UndefinedTensor : Error {
  using Error::Error;
};

/// Counts the handles to a tensor, those that users hold apart from those that recorded operations keep. A tensor that
/// is watched lets go of its recorded gradient with the last user: that gradient depends on operations that keep the
/// tensor, and would keep them for ever.
class HandleCount {
 public:
  void retain() noexcept { count_.fetch_add(user, std::memory_order_relaxed); }
  /// True when this was the last handle of all.
  bool release() noexcept {
    const std::uint64_t now = count_.load(std::memory_order_acquire);
    if (now == user) return true;
    if ((now & watched) != 0) [[unlikely]]
      return release_watched();
    return (count_.fetch_sub(user, std::memory_order_acq_rel) & ~watched) == user;
  }
  void retain_kept() noexcept { count_.fetch_add(kept, std::memory_order_relaxed); }
  bool release_kept() noexcept {
    return count_.load(std::memory_order_acquire) == kept ||
           (count_.fetch_sub(kept, std::memory_order_acq_rel) & ~watched) == kept;
  }
  bool unique() const noexcept { return count_.load(std::memory_order_acquire) == user; }
  bool has_users() const noexcept { return (count_.load(std::memory_order_acquire) & users) != 0; }
  void watch() noexcept { count_.fetch_or(watched, std::memory_order_relaxed); }

 protected:
  HandleCount() = default;
  HandleCount(const HandleCount&) = delete;
  HandleCount& operator=(const HandleCount&) = delete;

 private:
  static constexpr std::uint64_t user = 1, kept = std::uint64_t{1} << 32, users = kept - 1, watched = kept << 31;
  bool release_watched() noexcept;

  std::atomic<std::uint64_t> count_{user};
};

/// An array with its place in a graph.
struct TensorImpl : HandleCount, Array {
  TensorImpl();
  ~TensorImpl();
  static void destroy(TensorImpl* impl) noexcept;
  static void* operator new(std::size_t bytes);
  static void operator delete(void* block, std::size_t bytes) noexcept;

  std::uint32_t output_index = 0;   // which output of `node` this is
  Reference<Node> node;             // what made this tensor, or its leaf node; null when it requires no gradient
  bool is_view = false;             // made as a view of another tensor...
  std::atomic<bool> saved = false;  // an operation may hold this handle
  std::uint32_t view_version = 0;   // ...when its storage had this version
  Reference<Node> leaf;             // its place as a leaf since it first required a gradient, while frozen too
};

/// Throws Error unless the elements have this dtype and lie dense in row-major order.
void expect_dense(const Tensor& tensor, DType dtype);

/// An index in brackets, and the line that it stands in.
struct Index {
  template <Size T>
  Index(T index, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : value(checked_cast<std::int64_t>("select", index)), site{file, line} {}
  std::int64_t value;
  CallSite site;
};

}  // namespace detail

/// An n-dimensional array of numbers or bools, all of one DType, and a node of a differentiation graph.
///
/// A Tensor is a cheap handle: copies share elements and gradient. An operation on tensors of which one requires a
/// gradient gives a tensor that does too. Transposes, slices and expansions are views that share memory.
class Tensor {
 public:
  /// Undefined: has no shape and no elements. Everything but `defined()` and `requires_grad()` throws Error on it.
  Tensor() = default;

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const { return impl().shape; }
  /// Strides in elements.
  const Shape& strides() const { return impl().strides; }
  /// Number of axes.
  std::size_t dim() const { return impl().shape.size(); }
  /// Size of one axis; -1 is the last.
  std::int64_t size(std::int64_t axis) const { return shape()[normalize_axis("size", axis, dim())]; }
  /// Number of elements.
  std::int64_t numel() const { return impl().numel; }
  DType dtype() const { return impl().dtype; }
  /// Whether the elements lie dense in row-major order.
  bool is_contiguous() const { return impl().row_major; }
  /// Whether they lie dense in the order of a format; false for a rank that cannot have it.
  bool is_contiguous(MemoryFormat format) const;

  /// The elements, in row-major order. Throws Error unless T is the dtype, and where they do not lie dense in that
  /// order, as in a transpose or a slice: contiguous() has a copy that does. What is written through it is not seen by
  /// the graph: a gradient that needs the old values is wrong.
  template <class T>
  T* data() const {
    detail::expect_dense(*this, dtype_of<T>());
    return reinterpret_cast<T*>(impl_->data);
  }
  /// data() and how many elements there are.
  template <class T>
  std::span<T> span() const {
    return {data<std::remove_const_t<T>>(), static_cast<std::size_t>(numel())};
  }
  /// A copy of the elements in row-major order, whatever the strides, each converted as by item().
  template <class T>
  std::vector<T> to_vector() const;
  /// The element at the given indices, one for each axis, converted as by item(); -1 is the last of an axis.
  /// `x.at({0, 1})` is a double, `x.at<float>({0, 1})` a float.
  template <class T = double>
  T at(const Shape& indices) const;
  /// The value of a tensor of one element, converted to T: for an integer a fraction is cut off, as bool everything but
  /// 0 is true. Throws Error for several elements, and for a value that an integer T cannot hold.
  template <class T = double>
  T item(detail::CallSite site = detail::CallSite::here()) const;
  /// The part at an index along the first axis, without that axis: select(x, 0, index).
  Tensor operator[](detail::Index index) const;
  /// The part that the items name, in NumPy's manner: `x.index({0, Slice(1, 5), ellipsis, mask})`. This and index_put_
  /// need ops/advanced_indexing.hpp, which says what the items are.
  Tensor index(const std::vector<TensorIndex>& items, detail::CallSite site = detail::CallSite::here()) const;

  /// Whether a gradient with respect to this tensor can be asked for.
  bool requires_grad() const { return impl_ && impl_->node; }
  /// Makes a leaf require a gradient, or stops it from doing so. While it does not, backward() adds nothing to grad(),
  /// which is kept, as hooks are. Throws Error for an integer tensor or a non-leaf.
  Tensor& requires_grad_(bool value = true);
  /// Made by the user, not by a recorded operation.
  bool is_leaf() const;
  /// The gradient that backward() accumulated in this leaf (or non-leaf after retain_grad()); undefined before. One
  /// that is there as rows (see sparse_grad) becomes a tensor of this shape, and stays one.
  Tensor grad() const;
  /// Replaces the accumulated gradient; undefined removes it. Throws Error for another shape or dtype.
  void set_grad(const Tensor& grad) const;
  /// Removes the accumulated gradient, as zero_grad(set_to_none=True) does in PyTorch.
  void zero_grad() const { set_grad(Tensor()); }
  /// Makes backward() keep the gradient of this non-leaf tensor in grad(), also when it is changed in place afterwards:
  /// the gradient of what it is then.
  void retain_grad() const;
  /// Calls `hook` with the gradient of this tensor in every backward pass while the handle lives, before the gradient
  /// is accumulated or passed on.
  HookHandle register_hook(GradHook hook) const;
  /// Calls `hook` with grad() of this leaf at the end of every backward() that reached it while the handle lives, when
  /// the gradients of all leaves have been accumulated: an exception it throws changes none of them any more. Throws
  /// Error for a tensor that is no leaf or requires no gradient.
  HookHandle register_post_accumulate_grad_hook(std::function<void(const Tensor& grad)> hook) const;

  /// Computes the gradient of this tensor with respect to every leaf it depends on, and adds it to theirs.
  /// `seed` is the gradient of this tensor, of its shape; 1 for a tensor of one element.
  /// Throws Error, with no gradient changed, when a seed is missing, the graph was freed, or a saved tensor was
  /// changed.
  void backward(const Tensor& seed = {}, const BackwardOptions& options = {},
                detail::CallSite site = detail::CallSite::here()) const;
  template <class = void>  // a template, so that backward({}) is not ambiguous
  void backward(const BackwardOptions& options, detail::CallSite site = detail::CallSite::here()) const {
    backward(Tensor(), options, site);
  }

  /// The same elements outside the graph.
  Tensor detach() const;
  /// A copy of the elements in memory of its own, dense, with the axes in the order they have in memory, or as they
  /// come where elements are repeated; differentiable.
  Tensor clone(detail::CallSite site = detail::CallSite::here()) const;
  /// The same in the order of a format. Throws Error where the rank cannot have it.
  Tensor clone(MemoryFormat format, detail::CallSite site = detail::CallSite::here()) const;
  /// This tensor if it lies dense in row-major order, else a copy that does; differentiable.
  Tensor contiguous(detail::CallSite site = detail::CallSite::here()) const;
  /// The same in the order of a format: `images.contiguous(channels_last)`. Operations keep that order where they can.
  /// Throws Error where the rank cannot have it.
  Tensor contiguous(MemoryFormat format, detail::CallSite site = detail::CallSite::here()) const;
  /// Converted to another dtype, with the axes in the order they have in memory; this tensor if it has it already.
  /// Differentiable between floating types.
  Tensor to(DType dtype, detail::CallSite site = detail::CallSite::here()) const;

  // In place. Each raises the version of the storage, which backward checks of what it saved. The other operand
  // broadcasts to this shape and may overlap this tensor; promotion must not change this dtype, except that copy_ and
  // fill_ convert. Throws Error for an expanded tensor. When the change is recorded, because this tensor or the other
  // requires a gradient, throws Error for a leaf that requires one (use NoGrad) and for a view; else this tensor
  // becomes the result of the operation: it depends on what it was, and on the other. Copies of this handle become it
  // too, unless an operation saved the tensor: then they are of no use to further operations that are recorded.
  Tensor& add_(const Tensor& other, detail::CallSite site = detail::CallSite::here());
  Tensor& sub_(const Tensor& other, detail::CallSite site = detail::CallSite::here());
  Tensor& mul_(const Tensor& other, detail::CallSite site = detail::CallSite::here());
  Tensor& div_(const Tensor& other, detail::CallSite site = detail::CallSite::here());
  /// With `other` times alpha.
  Tensor& add_(const Tensor& other, const AlphaOptions& options, detail::CallSite site = detail::CallSite::here());
  Tensor& sub_(const Tensor& other, const AlphaOptions& options, detail::CallSite site = detail::CallSite::here());
  Tensor& add_(const Scalar& other, detail::CallSite site = detail::CallSite::here());
  Tensor& sub_(const Scalar& other, detail::CallSite site = detail::CallSite::here());
  Tensor& mul_(const Scalar& other, detail::CallSite site = detail::CallSite::here());
  Tensor& div_(const Scalar& other, detail::CallSite site = detail::CallSite::here());
  Tensor& copy_(const Tensor& other, detail::CallSite site = detail::CallSite::here());
  Tensor& fill_(const Scalar& value, detail::CallSite site = detail::CallSite::here());
  /// Writes values, which broadcast to the shape of index(items), in that place.
  Tensor& index_put_(const std::vector<TensorIndex>& items, const Tensor& values,
                     detail::CallSite site = detail::CallSite::here());
  Tensor& index_put_(const std::vector<TensorIndex>& items, const Scalar& value,
                     detail::CallSite site = detail::CallSite::here());
  /// The same with options: `x.index_put_({positions}, 1, {.accumulate = true})` adds.
  Tensor& index_put_(const std::vector<TensorIndex>& items, const Tensor& values, const IndexPutOptions& options,
                     detail::CallSite site = detail::CallSite::here());
  Tensor& index_put_(const std::vector<TensorIndex>& items, const Scalar& value, const IndexPutOptions& options,
                     detail::CallSite site = detail::CallSite::here());
  Tensor& zero_(detail::CallSite site = detail::CallSite::here()) { return fill_(0, site); }

  /// Number of changes in place that this memory has seen, through any view.
  std::uint32_t version() const { return impl().storage->version(); }

  /// The implementation; throws Error for an undefined tensor.
  detail::TensorImpl& impl() const {
    if (!impl_) [[unlikely]]
      raise_undefined();
    return *impl_;
  }
  /// The elements outside the graph, as kernels take them; throws Error for an undefined tensor.
  const detail::Array& array() const { return impl(); }
  operator const detail::Array&() const { return impl(); }
  const detail::Reference<detail::TensorImpl>& reference() const { return impl_; }
  explicit Tensor(detail::Reference<detail::TensorImpl> impl) : impl_(std::move(impl)) {}
  /// A tensor outside the graph that shares the elements.
  explicit Tensor(detail::Array array);

 private:
  friend class detail::KeptTensor;
  [[noreturn]] static void raise_undefined();
  void expect_one_element() const;
  std::int64_t offset_at(const Shape& indices) const;
  Tensor row_major() const;

  detail::Reference<detail::TensorImpl> impl_;
};

/// Writes as NumPy prints: elements aligned in brackets, long tensors abridged.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

namespace detail {

/// A Tensor as a recorded operation keeps it (see HandleCount).
class KeptTensor : public Tensor {
 public:
  KeptTensor() = default;
  KeptTensor(const Tensor& tensor) : Tensor(kept(tensor)) {}
  KeptTensor(const KeptTensor& other) : Tensor(kept(other)) {}
  KeptTensor(KeptTensor&&) = default;
  [[gnu::always_inline]] KeptTensor& operator=(KeptTensor other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
  }
  // Mostly of a tensor that was moved elsewhere: a call would cost more than what it does.
  [[gnu::always_inline]] ~KeptTensor() {
    TensorImpl* const impl = impl_.leak();
    if (impl && impl->release_kept()) TensorImpl::destroy(impl);
  }

 private:
  [[gnu::always_inline]] static Tensor kept(const Tensor& tensor) noexcept {
    if (tensor.defined()) tensor.impl().retain_kept();
    return Tensor(Reference<TensorImpl>::adopt(tensor.reference().get()));
  }
};

/// Uninitialised elements, dense and row-major. Throws Error when there is no memory.
Tensor empty(const Shape& shape, DType dtype);
/// The same with the shape of another tensor, and its order of axes in memory.
Tensor empty_like(const Tensor& other, DType dtype);
/// A tensor whose array a kernel is about to allocate.
Tensor unallocated();
/// A tensor over the storage of `base`, outside the graph; `offset` in elements. Bounds are not checked.
Tensor view(const Tensor& base, const Shape& shape, const Shape& strides, std::int64_t offset = 0);

}  // namespace detail

template <class T>
T Tensor::item(detail::CallSite site) const {
  static_assert(detail::is_number<T>, "item<T>: T is a type of numbers, or bool");
  const detail::CallSiteScope scope(site);
  expect_one_element();
  return detail::dispatch_compute(
      dtype(), [&](auto zero) { return detail::checked_cast<T>("item", detail::number_at<decltype(zero)>(*this, 0)); });
}

template <class T>
T Tensor::at(const Shape& indices) const {
  static_assert(detail::is_number<T>, "at() gives a number; x[index] and select() give a tensor");
  const std::int64_t offset = offset_at(indices);
  return detail::dispatch_compute(dtype(), [&](auto zero) {
    return detail::checked_cast<T>("at", detail::number_at<decltype(zero)>(*this, offset));
  });
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  static_assert(detail::is_number<T>, "to_vector() gives numbers");
  const detail::Array numbers = detail::as_dtype(row_major(), detail::compute_dtype(dtype()));
  std::vector<T> out(static_cast<std::size_t>(numel()));
  detail::dispatch_compute(dtype(), [&](auto zero) {
    const auto* const from = detail::first_element<decltype(zero)>(numbers);
    std::transform(from, from + numel(), out.begin(),
                   [](auto value) { return detail::checked_cast<T>("to_vector", value); });
  });
  return out;
}

}  // namespace xgrad
