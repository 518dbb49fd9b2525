#pragma once
// A function of numbers, applied to tensors element by element in one pass over memory.

#include <array>
#include <concepts>
#include <span>
#include <utility>

#include "../../autograd/node.hpp"
#include "../../autograd/primitives.hpp"
#include "../../core/scalar.hpp"
#include "../../core/strided.hpp"
#include "../../core/vectorize.hpp"
#include "lanes.hpp"

namespace xgrad::detail {

// Functions see floating elements as lanes, int64 and bool as themselves; a mask is stored as bool.
template <class T>
[[gnu::always_inline]] inline auto to_lane(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return real<T>{value};
  else
    return value;
}
template <class T>
[[gnu::always_inline]] inline T to_element(const real<T>& lane) {
  return lane.v;
}
template <class T>
[[gnu::always_inline]] inline bool to_element(const mask<T, 0>& lane) {
  return lane.v;
}
[[gnu::always_inline]] inline std::int64_t to_element(std::int64_t value) { return value; }
[[gnu::always_inline]] inline bool to_element(bool value) { return value; }

/// The element type of the result of f on elements of types In.
template <class F, class... In>
using MapResult = decltype(to_element(std::declval<const F&>()(to_lane(In{})...)));

template <std::size_t I, class T>
struct MapInput {
  const T* at;
  [[gnu::always_inline]] auto lane(std::int64_t i) const { return to_lane(at[i]); }
};
/// The inputs of a loop, as a value that a kernel can capture.
template <class Indices, class... In>
struct MapInputs;
template <std::size_t... I, class... In>
struct MapInputs<std::index_sequence<I...>, In...> : MapInput<I, In>... {
  // One by one: they were stored a moment ago, and a load of two at once would wait for both stores to be done.
  explicit MapInputs(std::byte* const volatile* pointers)
      : MapInput<I, In>{reinterpret_cast<const In*>(pointers[I])}... {}
  template <class F, class Out>
  [[gnu::always_inline]] void run(const F& f, std::int64_t n, Out* out) const {
    for_each_streaming(
        n,
        [&](std::int64_t i)
            __attribute__((always_inline)) { out[i] = to_element(flattened(f, MapInput<I, In>::lane(i)...)); },
        out, MapInput<I, In>::at...);
  }
};

template <class F, class... In>
void map_loop(const void* context, std::int64_t n, std::byte* const* pointers) {
  const F f = *static_cast<const F*>(context);
  auto* out = reinterpret_cast<MapResult<F, In...>*>(pointers[0]);
  const MapInputs<std::index_sequence_for<In...>, In...> in(pointers + 1);
  vectorized([=] { in.run(f, n, out); });
}

/// The axes longer than 1 in their order in memory, outermost first; as they come where elements are repeated.
Shape memory_order(const Shape& shape, const Shape& strides);
/// A new tensor of `shape` whose axes lie in memory in this order.
Tensor empty_in_order(const Shape& shape, DType dtype, const Shape& order);

/// What run_map needs to know of a loop.
struct MapLoop {
  const char* op;
  DenseLoop loop;
  const void* context;
  DType result;
  const DType* dtypes;  // of the inputs
};

template <class F, class... In>
MapLoop make_map_loop(const char* op, const F& f) {
  static constexpr DType dtypes[] = {dtype_of<In>()...};
  return {op, map_loop<F, In...>, &f, dtype_of<MapResult<F, In...>>(), dtypes};
}

/// Runs a loop over tensors that broadcast together; the result has their common shape, and the order in memory of the
/// first input of that shape. Throws Error for inputs of other dtypes than the loop's.
Tensor run_map(const MapLoop& loop, std::span<const Tensor* const> inputs);
/// The same into `out`, which the inputs broadcast to; it may be one of them, but not overlap one in another way.
void run_map_into(const MapLoop& loop, const Tensor& out, std::span<const Tensor* const> inputs);

/// f(x[i], ...) for every element of tensors of element types In, which broadcast together. f takes lanes (see
/// lanes.hpp) and gives a lane, or a mask for a bool tensor; int64 and bool elements are plain numbers to it. It holds
/// numbers only. Not recorded.
template <class... In, class F>
Tensor map_as(const char* op, const F& f, const std::same_as<Tensor> auto&... inputs) {
  const std::array<const Tensor*, sizeof...(inputs)> all = {&inputs...};
  return run_map(make_map_loop<F, In...>(op, f), all);
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
/// tensors when a gradient of the result may be wanted. So a formula is written once, for lanes and tensors alike. The
/// tensors are all float32 or all float64.
template <class F, std::convertible_to<Borrowed>... Tensors>
Tensor fused(const char* op, const F& f, const Tensors&... inputs) {
  const auto run = [&](const std::same_as<Borrowed> auto&... tensors) {
    return is_grad_enabled() ? f(*tensors...) : map(op, f, *tensors...);
  };
  return run(Borrowed(inputs)...);
}

/// f with a number as second or first argument: for lanes the number itself, for int64 its integer.
template <class F>
struct WithNumber {
  F f;
  Scalar number;
  template <class T>
  [[gnu::always_inline]] auto operator()(const real<T>& x) const {
    return f(x, number.value());
  }
  [[gnu::always_inline]] auto operator()(std::int64_t x) const { return f(x, number.integer()); }
};
template <class F>
struct OfNumber {
  F f;
  Scalar number;
  template <class T>
  [[gnu::always_inline]] auto operator()(const real<T>& x) const {
    return f(number.value(), x);
  }
  [[gnu::always_inline]] auto operator()(std::int64_t x) const { return f(number.integer(), x); }
};
template <class F>
WithNumber(F, Scalar) -> WithNumber<F>;
template <class F>
OfNumber(F, Scalar) -> OfNumber<F>;

}  // namespace xgrad::detail
