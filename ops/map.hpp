#pragma once
// A function of numbers, applied to tensors element by element.

#include <array>
#include <concepts>

#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/map.hpp"

namespace xgrad::detail {

/// f(x[i], ...) for every element of tensors of element types In, which broadcast together. f takes duals (see
/// kernels/dual.hpp) and gives a dual, or a mask for a bool tensor; int64 and bool elements are plain numbers to it. It holds
/// numbers only. Not recorded.
template <class... In, class F>
Tensor map_as(const char* op, const F& f, const std::same_as<Tensor> auto&... inputs) {
  const std::array<const Array*, sizeof...(inputs)> all = {&inputs.array()...};
  Tensor out = unallocated();
  run_map(make_map_loop<F, In...>(op, f), out.impl(), all);
  return out;
}

/// map_as for tensors that are all float32 or all float64; Error for others.
template <class F, std::same_as<Tensor>... Tensors>
Tensor map(const char* op, const F& f, const Tensor& first, const Tensors&... more) {
  return dispatch_floating(op, first.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return map_as<T, std::conditional_t<true, T, Tensors>...>(op, f, first, more...);
  });
}

/// map for tensors that are all float32, float64, int64 or bool; bool elements are seen as int64, and a result of int64
/// becomes bool again.
template <class F, std::same_as<Tensor>... Tensors>
Tensor map_numbers(const char* op, const F& f, const Tensor& first, const Tensors&... more) {
  using Integer = std::int64_t;
  if (is_floating(first.dtype())) return map(op, f, first, more...);
  if (first.dtype() == DType::int64)
    return map_as<Integer, std::conditional_t<true, Integer, Tensors>...>(op, f, first, more...);
  return map_as<Integer, std::conditional_t<true, Integer, Tensors>...>(op, f, first.to(DType::int64),
                                                                        more.to(DType::int64)...)
      .to(DType::bool_);
}

/// f of the tensors (each a Tensor or Saved): in one pass over memory when nothing is recorded, and as operations on
/// tensors when a gradient of the result may be wanted. So a formula is written once, for duals and tensors alike. The
/// tensors are all float32 or all float64.
template <class F, std::convertible_to<MaybeOwned>... Tensors>
Tensor fused(const char* op, const F& f, const Tensors&... inputs) {
  const auto run = [&](const std::same_as<MaybeOwned> auto&... tensors) {
    return is_grad_enabled() ? f(*tensors...) : map(op, f, *tensors...);
  };
  return run(MaybeOwned(inputs)...);
}

}  // namespace xgrad::detail
