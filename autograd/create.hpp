#pragma once
// New tensors.

#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tensor.hpp"

namespace xgrad {

// Elements lie in row-major order, but for the functions named after another tensor. Every one throws Error for a
// negative size, over 2^63 - 1 elements, `requires_grad` with an integer dtype, and a number that an integer dtype
// cannot hold.

/// All of one value.
Tensor full(const Shape& shape, Scalar value, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
/// Uninitialised elements.
Tensor empty(const Shape& shape, const TensorOptions& options = {});
/// Of the shape of another tensor, with its order of axes in memory, and of its dtype where options name none.
Tensor zeros_like(const Tensor& other, const TensorOptions& options = {});
Tensor ones_like(const Tensor& other, const TensorOptions& options = {});
Tensor empty_like(const Tensor& other, const TensorOptions& options = {});
Tensor full_like(const Tensor& other, Scalar value, const TensorOptions& options = {});

/// begin, begin + step, ... as long as below `end` (above, for a negative step), which no element reaches by rounding
/// either. Integers are exact; else each element is computed as begin + i * step in float64. Throws Error for a step of
/// 0, and where the dtype cannot tell two elements apart.
Tensor arange(Scalar begin, Scalar end, Scalar step = 1, const TensorOptions& options = {});
Tensor arange(Scalar begin, Scalar end, const TensorOptions& options);
/// 0, 1, ... below `end`, which is not negative.
Tensor arange(Scalar end, const TensorOptions& options = {});
/// `count` numbers from begin to end, both included, evenly spaced.
Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options = {});
/// The (n, n) identity.
Tensor eye(std::int64_t n, const TensorOptions& options = {});

// Random numbers come from the generator that options name, or else from the calling thread's default_generator() (see
// array/random.hpp, manual_seed).
/// Uniform in [0, 1).
Tensor rand(const Shape& shape, const TensorOptions& options = {});
/// Normal with mean 0 and standard deviation 1.
Tensor randn(const Shape& shape, const TensorOptions& options = {});
/// Uniform integers in [low, high); int64 where options name no dtype. Throws Error for an empty range, and for
/// integers that the dtype does not hold exactly.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const TensorOptions& options = {});
/// A random permutation of 0, ..., n - 1, shape (n,); as randint.
Tensor randperm(std::int64_t n, const TensorOptions& options = {});
/// Of the shape of another tensor, with its order of axes in memory, in which elements are drawn, and of its dtype
/// where options name none.
Tensor rand_like(const Tensor& other, const TensorOptions& options = {});
Tensor randn_like(const Tensor& other, const TensorOptions& options = {});
Tensor randint_like(const Tensor& other, std::int64_t low, std::int64_t high, const TensorOptions& options = {});

/// Elements of another owner as a tensor, without a copy: `memory` points to the first, and is kept as long as a tensor
/// uses it. Strides count elements; without any, the order is row-major. The tensor sees what is written elsewhere, as
/// what is written through data(), unseen by the graph. Throws Error for a number of strides that is not that of the
/// axes, for negative ones, and for a pointer that is null or not aligned for the dtype.
/// `const Tensor pixels = from_blob(std::shared_ptr<void>(frame, frame->pixels), {3, 480, 640}, uint8);`
Tensor from_blob(std::shared_ptr<void> memory, const Shape& shape, DType dtype, std::optional<Shape> strides = {});

/// Numbers in braces, nested as deep as the tensor has axes.
class NestedNumbers {
 public:
  template <class T>
  requires detail::is_number<T> NestedNumbers(T value) : value_(value) {}
  NestedNumbers(std::initializer_list<NestedNumbers> items) : items_(items), nested_(true) {}

 private:
  friend struct NestedReader;
  Scalar value_ = 0;
  std::vector<NestedNumbers> items_;
  bool nested_ = false;
};

namespace detail {

/// The type of the numbers in a range, or in ranges of ranges; void for what has other things in it, or a shape of its
/// own, as xtensor's arrays have.
template <class T>
constexpr auto number_in() {
  if constexpr (is_number<T>) {
    return T{};
  } else if constexpr (ForwardRange<T> && !requires(const T& range) { range.shape(); }) {
    using Item = RangeValue<T>;
    if constexpr (!std::is_same_v<Item, T> && !std::is_same_v<Item, char>) return number_in<Item>();
  }
}
template <class R>
using NumberIn = decltype(number_in<R>());
template <class R>
concept Numbers = !is_number<R> && is_number<NumberIn<R>>;

template <class R>
void measure(const R& range, Shape& shape) {
  shape.push_back(static_cast<std::int64_t>(std::distance(std::begin(range), std::end(range))));
  if constexpr (Numbers<RangeValue<R>>)
    if (shape.back() > 0) measure(*std::begin(range), shape);
}

template <class T, class R>
void write_numbers(const char* op, const R& range, const Shape& shape, std::size_t axis, T*& to) {
  if constexpr (Numbers<RangeValue<R>>) {
    for (const auto& item : range) {
      check(axis + 1 < shape.size() && std::distance(std::begin(item), std::end(item)) == shape[axis + 1], op,
            ": the ranges do not form a rectangle of shape ", shape);
      write_numbers(op, item, shape, axis + 1, to);
    }
  } else {
    for (const auto item : range) *to++ = checked_cast<T>(op, static_cast<NumberIn<R>>(item));
  }
}

/// New elements, row-major, as options want them. Throws Error for numbers that an integer dtype cannot hold.
Tensor with_options(const char* op, const Tensor& numbers, const TensorOptions& options);

template <class R>
Tensor from_range(const char* op, const R& range, const Shape& measured, const Shape& shape,
                  const TensorOptions& options) {
  using T = ElementOf<NumberIn<R>>;
  const Tensor numbers = empty(shape, dtype_of<T>());
  T* to = numbers.data<T>();
  write_numbers(op, range, measured, 0, to);
  return with_options(op, numbers, options);
}

}  // namespace detail

/// A tensor of the numbers as written: tensor(2.5), tensor({1, 2, 3}), tensor({{1, 2}, {3, 4}}, {.dtype = float64}).
/// Where options name no dtype, it is bool for bools, int64 for integers and float32 as soon as one number has a
/// floating type, or a gradient is required. Throws Error for lists of differing lengths.
Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options = {});
/// A copy of the numbers in a std::vector, std::array or other range, or range of ranges. Where options name no dtype,
/// the type of the numbers says it: that of dtype_of(), but int64 for int, as for numbers in braces, and for every
/// integer type that no tensor has.
template <detail::Numbers R>
Tensor tensor(const R& numbers, const TensorOptions& options = {}) {
  Shape shape;
  detail::measure(numbers, shape);
  return detail::from_range("tensor", numbers, shape, shape, options);
}

/// A copy of `values`, row-major, in the given shape; the dtype is that of T.
template <class T, DType = dtype_of<T>()>
Tensor from_values(std::span<const T> values, const Shape& shape, bool requires_grad = false);
/// A copy of the numbers in a std::vector, std::array or other range, row-major, in the given shape; the dtype is that
/// of options, or as of tensor().
template <detail::Numbers R>
requires(!detail::Numbers<detail::RangeValue<R>>) Tensor
    from_values(const R& values, const Shape& shape, const TensorOptions& options = {}) {
  const auto count = static_cast<std::int64_t>(std::distance(std::begin(values), std::end(values)));
  check(count == shape.numel(), "from_values: ", count, " values for shape ", shape);
  return detail::from_range("from_values", values, count, shape, options);
}

}  // namespace xgrad
