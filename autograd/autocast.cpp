#include "autocast.hpp"

#include <unordered_map>

#include "node.hpp"

namespace xgrad {

struct Autocast::Cache {
  struct Entry {
    Tensor source;  // held, so that no other tensor takes its place in memory
    std::uint32_t version;
    Tensor cast;
  };
  std::unordered_map<const detail::TensorImpl*, Entry> entries;
};

Autocast::Autocast(DType dtype, const AutocastOptions& options) : outer_(detail::autocast_scope), dtype_(dtype) {
  check(dtype == bfloat16 || dtype == float16, "Autocast: dtype is ", dtype, "; it must be bfloat16 or float16");
  if (options.enabled && options.cache_enabled)
    detail::with_memory_for("Autocast", [&] {
      cache_ = outer_ && outer_->dtype_ == dtype && outer_->cache_ ? outer_->cache_ : std::make_shared<Cache>();
    });
  detail::autocast_scope = options.enabled ? this : nullptr;
}

Autocast::~Autocast() { detail::autocast_scope = outer_; }

std::optional<DType> autocast_dtype() {
  if (!detail::autocast_scope) return {};
  return detail::autocast_scope->dtype_;
}

namespace detail {

// A backward pass has its dtypes from the forward one: casting there would give operations of float32 outside the
// scope gradients of 16 bits.

bool lowers(const Tensor& x) {
  return !running_node && x.defined() && is_floating(x.dtype()) && x.dtype() != float64 &&
         x.dtype() != autocast_dtype();
}

bool raises(const Tensor& x) {
  return !running_node && x.defined() && is_floating(x.dtype()) && item_size(x.dtype()) < item_size(float32);
}

Tensor cast_to_autocast_dtype(const Tensor& x) {
  const Autocast& scope = *autocast_scope;
  if (!scope.cache_ || x.dtype() != float32 || !x.requires_grad() || !x.is_leaf()) return x.to(scope.dtype_);
  return with_memory_for("Autocast", [&] {
    auto& entries = scope.cache_->entries;
    const auto found = entries.find(&x.impl());
    if (found != entries.end()) {
      const Autocast::Cache::Entry& entry = found->second;
      // What was cast without recording does not lead to the parameter.
      if (entry.version == x.version() && (entry.cast.requires_grad() || !grad_enabled)) return entry.cast;
    }
    const Tensor cast = x.to(scope.dtype_);
    entries.insert_or_assign(&x.impl(), Autocast::Cache::Entry{x, x.version(), cast});
    return cast;
  });
}

}  // namespace detail

}  // namespace xgrad
