#pragma once
// What an operation is given, and what it saves of it for backward.

#include "tensor.hpp"

namespace xgrad {

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

  bool defined() const { return tensor_.defined(); }
  const Shape& shape() const { return tensor_.shape(); }
  DType dtype() const { return tensor_.dtype(); }
  /// The tensor with its place in the graph.
  Tensor get() const;
  operator Tensor() const { return get(); }

 private:
  Tensor tensor_;
  std::uint32_t version_ = 0;
};

/// A tensor as argument of an operation. It is made without being named, from a Tensor or a Saved, and notes the line
/// of the call, so that error reports can name it.
class Operand {
 public:
  Operand(const Tensor& tensor, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : tensor_(tensor), outermost_(detail::call_site.file == nullptr) {
    if (outermost_) detail::call_site = {file, line};
  }
  Operand(const Saved& saved, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : unpacked_(saved.get()), tensor_(unpacked_), outermost_(detail::call_site.file == nullptr) {
    if (outermost_) detail::call_site = {file, line};
  }
  ~Operand() {
    if (outermost_) detail::call_site = {};
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  operator const Tensor&() const { return tensor_; }
  const Tensor& operator*() const { return tensor_; }
  const Tensor* operator->() const { return &tensor_; }

 private:
  Tensor unpacked_;
  const Tensor& tensor_;
  const bool outermost_;  // operations called inside others belong to the outermost call
};

}  // namespace xgrad
