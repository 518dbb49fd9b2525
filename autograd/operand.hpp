#pragma once
// What an operation is given, and what it saves of it for backward.

#include <optional>
#include <utility>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

namespace detail {

class MaybeOwned;

/// While it is set, each Saved that is copied in this thread adds its tensor: how the tensors that an operation holds,
/// in whatever members, are found without a list of them.
inline constinit thread_local std::vector<Tensor>* collected = nullptr;

class CollectSaved {
 public:
  [[nodiscard]] explicit CollectSaved(std::vector<Tensor>& tensors) { collected = &tensors; }
  ~CollectSaved() { collected = nullptr; }
  CollectSaved(const CollectSaved&) = delete;
  CollectSaved& operator=(const CollectSaved&) = delete;
};

}  // namespace detail

/// A tensor saved in forward for backward: a member of an operation struct, assigned in forward, used as a Tensor in
/// backward. An input, an output or anything computed in forward may be saved. Using it after its elements were changed
/// in place throws Error. An output that saves itself makes no cycle.
class Saved {
 public:
  Saved() = default;
  Saved(const Tensor& tensor) : tensor_(tensor) {
    if (!tensor.defined()) return;
    version_ = tensor.version();
    tensor.impl().saved.store(true, std::memory_order_relaxed);
  }
  Saved(const Saved& other) : tensor_(other.tensor_), version_(other.version_) {
    if (detail::collected && tensor_.defined()) detail::collected->push_back(tensor_);
  }
  Saved(Saved&&) = default;
  Saved& operator=(const Saved&) = default;
  [[gnu::always_inline]] Saved& operator=(Saved&&) = default;
  [[gnu::always_inline]] ~Saved() = default;  // mostly of what was moved, as that of KeptTensor

  bool defined() const { return tensor_.defined(); }
  const Shape& shape() const { return tensor_.shape(); }
  DType dtype() const { return tensor_.dtype(); }
  bool requires_grad() const { return tensor_.requires_grad(); }
  /// The tensor with its place in the graph.
  Tensor get() const;
  operator Tensor() const { return get(); }

 private:
  friend class detail::MaybeOwned;
  /// The tensor as an output of the node whose backward runs, where it came here before that was its history; else
  /// undefined. Throws Error if its elements were changed.
  Tensor as_output() const;

  detail::KeptTensor tensor_;
  std::uint32_t version_ = 0;
};

namespace detail {

/// A tensor that is lent where it serves as it is, for the price of a pointer and not of a reference count, and else a
/// new one made of it. Does not outlive what lends.
class MaybeOwned {
 public:
  MaybeOwned(const Tensor& lent) : tensor_(lent) {}
  MaybeOwned(Tensor&& made) : made_(std::move(made)), tensor_(made_) {}
  /// As Saved::get().
  MaybeOwned(const Saved& saved);
  MaybeOwned(const MaybeOwned&) = delete;
  MaybeOwned& operator=(const MaybeOwned&) = delete;

  operator const Tensor&() const { return tensor_; }
  const Tensor& operator*() const { return tensor_; }
  const Tensor* operator->() const { return &tensor_; }

 private:
  Tensor made_;
  const Tensor& tensor_;
};

// What apply() is given, as forward takes it.
inline const Tensor& as_input(const Tensor& tensor) { return tensor; }
inline const Tensor& as_input(const MaybeOwned& tensor) { return tensor; }
inline const std::vector<Tensor>& as_input(const std::vector<Tensor>& tensors) { return tensors; }
inline Tensor as_input(const Saved& saved) { return saved; }
inline Tensor as_input(const std::optional<Tensor>& tensor) { return tensor.value_or(Tensor()); }

}  // namespace detail

/// A tensor as argument of an operation. It is made without being named, from a Tensor or a Saved, and notes the line
/// of the call, so that error reports can name it.
class Operand : public detail::MaybeOwned {
 public:
  Operand(const Tensor& tensor, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : MaybeOwned(tensor), site_({file, line}) {}
  Operand(const Saved& saved, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : MaybeOwned(saved), site_({file, line}) {}

 private:
  const detail::CallSiteScope site_;
};

}  // namespace xgrad
