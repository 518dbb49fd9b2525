#pragma once
// A function of numbers, applied to tensors element by element.

#include <array>
#include <concepts>

#include "../autograd/node.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/map.hpp"

namespace xgrad::detail {

/// f(x[i], ...) for every element of tensors that broadcast together, seen as elements of types In: their own, or those
/// that they are computed in (see run_map). f takes duals (see kernels/dual.hpp) and gives a dual, or a mask for a bool
/// tensor; integer and bool elements are plain numbers to it. It holds numbers only. Not recorded.
template <class... In, class F>
Tensor map_as(const char* op, const F& f, const std::same_as<Tensor> auto&... inputs) {
  const std::array<const Array*, sizeof...(inputs)> all = {&inputs.array()...};
  Tensor out = unallocated();
  run_map(make_map_loop<F, In...>(op, f), out.impl(), all);
  return out;
}

/// map_as for tensors of one floating dtype, which the result has too, computed in float or double; Error for others.
template <class F, std::same_as<Tensor>... Tensors>
Tensor map(const char* op, const F& f, const Tensor& first, const Tensors&... more) {
  return dispatch_floating(op, compute_dtype(first.dtype()), [&](auto zero) {
    using T = decltype(zero);
    return map_as<T, std::conditional_t<true, T, Tensors>...>(op, f, first, more...);
  });
}

/// map for tensors of one dtype, any. Elements of integers and bool are seen as int64; the result wraps around in their
/// dtype, as if it had been computed there.
template <class F, std::same_as<Tensor>... Tensors>
Tensor map_numbers(const char* op, const F& f, const Tensor& first, const Tensors&... more) {
  return dispatch_compute(first.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return map_as<T, std::conditional_t<true, T, Tensors>...>(op, f, first, more...);
  });
}

/// f of the tensors (each a Tensor or Saved): in one pass over memory when nothing is recorded, and as operations on
/// tensors when a gradient of the result may be wanted. So a formula is written once, for duals and tensors alike. The
/// tensors are of one floating dtype.
template <class F, std::convertible_to<MaybeOwned>... Tensors>
Tensor fused(const char* op, const F& f, const Tensors&... inputs) {
  const auto run = [&](const std::same_as<MaybeOwned> auto&... tensors) {
    return is_grad_enabled() ? f(*tensors...) : map(op, f, *tensors...);
  };
  return run(MaybeOwned(inputs)...);
}

}  // namespace xgrad::detail
