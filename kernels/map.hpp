#pragma once
// A function of numbers, applied to arrays element by element in one pass over memory.

#include <array>
#include <span>
#include <utility>

#include "../array/array.hpp"
#include "../array/scalar.hpp"
#include "../core/instruction_set.hpp"
#include "dual.hpp"

namespace xgrad::detail {

// Functions see floating elements as duals, integers and bool as themselves; a mask is stored as bool.
template <class T>
[[gnu::always_inline]] inline auto to_dual(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return real<T>{value};
  else
    return value;
}
template <class T>
[[gnu::always_inline]] inline T to_element(const real<T>& dual) {
  return dual.v;
}
template <class T>
[[gnu::always_inline]] inline bool to_element(const mask<T, 0>& dual) {
  return dual.v;
}
template <class T>
requires std::is_integral_v<T>
[[gnu::always_inline]] inline T to_element(T value) { return value; }

/// The element type of the result of f on elements of types In.
template <class F, class... In>
using MapResult = decltype(to_element(std::declval<const F&>()(to_dual(In{})...)));

template <std::size_t I, class T>
struct MapInput {
  const T* at;
  [[gnu::always_inline]] auto number(std::int64_t i) const { return to_dual(at[i]); }
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
            __attribute__((always_inline)) { out[i] = to_element(flattened(f, MapInput<I, In>::number(i)...)); },
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

/// Runs a loop over arrays that broadcast together; the result has their common shape, and the order in memory of the
/// first input of that shape that repeats no element. Inputs of a dtype that is computed in the loop's are converted on
/// the way, and so is a result of the dtype that they are computed in: it gets theirs. Throws Error for inputs of other
/// dtypes.
void run_map(const MapLoop& loop, Array& out, std::span<const Array* const> inputs);
/// The same into `out`, which the inputs broadcast to; it may be one of them, but not overlap one in another way. Its
/// dtype is the loop's result, or is computed in that.
void run_map_into(const MapLoop& loop, const Array& out, std::span<const Array* const> inputs);

/// f with a number as second or first argument: for duals the number itself, for int64 its integer.
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
