#pragma once
// Mixed precision: in a scope, what is worth it runs in 16 bits, and what needs the digits in float32.

#include <memory>
#include <optional>

#include "operand.hpp"

namespace xgrad {

namespace detail {
Tensor cast_to_autocast_dtype(const Tensor& x);
}  // namespace detail

struct AutocastOptions {
  bool enabled = true;        // false: until the end of the scope operations run in the dtypes they are given
  bool cache_enabled = true;  // a parameter is cast once, not at every use
};

/// While it lives, operations of its thread choose the dtype that they run in, as PyTorch's torch.autocast has it:
///   - products take their floating operands in `dtype`, and so give it: linear, matmul and what is made of it (einsum,
///     tensordot, bilinear, multi_dot), convolutions and their transposes, scaled_dot_product_attention, recurrent
///     layers and cells;
///   - what loses by rounding takes 16-bit operands in float32, and gives float32: softmax, log_softmax, logsumexp,
///     batch, layer, group, instance and RMS norm, norm, prod, distances, losses;
///   - all others run in the dtype of their operands, promoted where these differ. float64 is left as it is.
///
///     Tensor loss;
///     {
///       const Autocast autocast(bfloat16);
///       loss = cross_entropy(net(x), y);
///     }
///     loss.backward();  // gradients of parameters have the parameters' dtype
///
/// A float32 parameter, that is a leaf that requires a gradient, is cast once in a scope and the scopes of that dtype
/// inside it, and again where its elements were changed. A backward pass runs in the dtypes of the forward one, inside
/// the scope or outside. Scopes nest. Other threads are not concerned.
class Autocast {
 public:
  /// Throws Error for a dtype other than bfloat16 and float16.
  [[nodiscard]] explicit Autocast(DType dtype = bfloat16, const AutocastOptions& options = {});
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

  struct Cache;  // what was cast

 private:
  friend std::optional<DType> autocast_dtype();
  friend Tensor detail::cast_to_autocast_dtype(const Tensor& x);

  Autocast* const outer_;
  const DType dtype_;
  std::shared_ptr<Cache> cache_;  // null without one
};

/// The dtype of the Autocast that holds in this thread; nothing where none does.
std::optional<DType> autocast_dtype();

namespace detail {

/// The innermost scope of this thread, unless that is not enabled.
inline constinit thread_local Autocast* autocast_scope = nullptr;

bool lowers(const Tensor& x);
bool raises(const Tensor& x);

// What an operation declares of Autocast: it brings its operands to the dtype that it runs in there, before it looks at
// their dtypes. Where no scope holds, and of an undefined tensor, x itself is lent.

/// An operand of an operation that runs in 16 bits.
inline MaybeOwned in_autocast_dtype(const Tensor& x) {
  if (!autocast_scope || !lowers(x)) [[likely]]
    return x;
  return cast_to_autocast_dtype(x);
}
MaybeOwned in_autocast_dtype(Tensor&& x) = delete;

/// An operand of an operation that runs in float32.
inline MaybeOwned in_float32(const Tensor& x) {
  if (!autocast_scope || !raises(x)) [[likely]]
    return x;
  return x.to(float32);
}
MaybeOwned in_float32(Tensor&& x) = delete;

/// While it lives, operations inside another run in the dtypes they are given.
class [[nodiscard]] WithoutAutocast {
 public:
  WithoutAutocast() : before_(autocast_scope) { autocast_scope = nullptr; }
  ~WithoutAutocast() { autocast_scope = before_; }
  WithoutAutocast(const WithoutAutocast&) = delete;
  WithoutAutocast& operator=(const WithoutAutocast&) = delete;

 private:
  Autocast* const before_;
};

}  // namespace detail

}  // namespace xgrad
