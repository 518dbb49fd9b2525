#pragma once
// Reductions (see reduce.hpp) of arrays.

#include "../array/array.hpp"
#include "../array/axes.hpp"
#include "reduce.hpp"

namespace xgrad::detail {

/// The shapes of a reduction.
class ReducedShape {
 public:
  /// Throws Error in the name of `op` for axes that the shape does not have.
  ReducedShape(const char* op, const Shape& shape, const Axes& axes, bool keepdim);

  const Shape& input() const { return input_; }
  bool keepdim() const { return keepdim_; }
  /// The reduced axes, ascending.
  Shape axes() const;
  bool is_reduced(std::size_t axis) const { return (reduced_ >> axis & 1) != 0; }
  /// The shape with size 1 for the reduced axes.
  Shape kept() const;
  /// The shape of the result: with keepdim `kept`, else without the reduced axes.
  Shape result() const;
  /// Number of elements behind each result.
  std::int64_t count() const;
  /// The same reduction with keepdim.
  ReducedShape keeping() const;
  /// Throws Error where there are results but no elements behind them, for operations that have no value then.
  void expect_elements(const char* op) const;
  /// Strides of the shape `input` or `kept` that make it a view of a result with these strides.
  Shape strides_of_result(const Shape& strides) const;

 private:
  Shape input_;
  std::uint8_t reduced_ = 0;  // a bit an axis
  bool keepdim_;
};

/// Dense memory of this shape as (outer, reduced, inner), the middle axis being `axis`.
ReducedSize size_along(const Shape& shape, std::size_t axis);
/// The same of an array that is dense in any order of its axes.
ReducedSize size_along(const Array& x, std::size_t axis);

/// The elements of an array in their order in memory, for reduction. Dense memory is read as it lies, whatever the
/// order of the axes is; other memory is copied.
struct ReductionMemory {
  ReductionMemory(const Array& x, const ReducedShape& of);
  /// Gives `out` new elements for the result, in the order of the memory.
  void allocate_result(Array& out, const ReducedShape& of, DType dtype) const;

  const std::byte* data;    // of x or a copy
  Reference<Storage> copy;  // where there is one
  Shape order;              // axes longer than 1 as they lie in memory, outermost first
  Shape shape, reduced;     // sizes before and after, in that order
};

template <class Partial>
constexpr DType dtype_of_partial() {
  if constexpr (std::is_same_v<Partial, std::uint64_t>)
    return DType::int64;
  else
    return dtype_of<Partial>();
}

/// Reduces x, whose elements are computed with as the reduction's.
template <class R>
Array run_reduction(const R& reduction, const Array& x, const ReducedShape& shape) {
  using Partial = typename R::Partial;
  const ReductionMemory in(x, shape);
  Array out;
  in.allocate_result(out, shape, dtype_of_partial<Partial>());
  reduce_axes(reduction, in.shape, in.reduced, Stored<typename R::Element>(x.dtype, in.data),
              reinterpret_cast<Partial*>(out.data));
  return out;
}

/// Replaces every element of a dense array that no one else holds by f of it.
template <class T, class F>
void change_elements(const Array& x, const F& f) {
  T* const at = first_element<T>(x);
  parallel_for(x.numel, 16384, [&](std::int64_t begin, std::int64_t end) {
    vectorized([at, begin, end, f] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = begin; i < end; ++i) at[i] = f(at[i]);
    });
  });
}

}  // namespace xgrad::detail
