#include "create.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../array/random.hpp"

namespace xgrad {

namespace {

void expect_differentiable(const char* op, DType dtype, const TensorOptions& options) {
  check(!options.requires_grad || is_floating(dtype), op, ": a tensor of dtype ", dtype,
        " cannot require a gradient; use float32 or float64");
}

/// Makes the tensor, lets `fill` write its elements, and sets requires_grad.
template <class Fill>
Tensor make(const char* op, const Shape& shape, const TensorOptions& options, Fill&& fill) {
  const DType dtype = options.dtype.value_or(DType::float32);
  expect_differentiable(op, dtype, options);
  Tensor out = detail::empty(shape, dtype);
  fill(out);
  if (options.requires_grad) out.requires_grad_();
  return out;
}

/// make() with fill(pointer, count) for the type of the elements.
template <class Fill>
Tensor make_typed(const char* op, const Shape& shape, const TensorOptions& options, Fill&& fill) {
  return make(op, shape, options, [&](const Tensor& out) {
    dispatch(out.dtype(), [&](auto zero) { fill(out.data<decltype(zero)>(), out.numel()); });
  });
}

void clear(const Tensor& out) {
  if (out.numel() > 0) std::memset(out.impl().data, 0, static_cast<std::size_t>(out.numel()) * item_size(out.dtype()));
}

TensorOptions with_default(DType dtype, const TensorOptions& options) {
  TensorOptions result = options;
  result.dtype = options.dtype.value_or(dtype);
  return result;
}
TensorOptions like(const Tensor& other, const TensorOptions& options) { return with_default(other.dtype(), options); }

/// A new tensor of the shape of another one, with the axes in the order in which they lie there.
Tensor ordered_like(const Tensor& other, Tensor made) {
  if (!other.is_contiguous()) detail::set_order(made.impl(), detail::memory_order(other.shape(), other.strides()));
  return made;
}

Generator& generator_of(const TensorOptions& options) {
  return options.generator ? *options.generator : default_generator();
}

/// sample(generator, pointer, count) in float or double.
template <class Sample>
Tensor make_random(const char* op, const Shape& shape, const TensorOptions& options, Sample&& sample) {
  const DType dtype = options.dtype.value_or(DType::float32);
  check(is_floating(dtype), op, ": expected a floating dtype, got ", dtype);
  return make(op, shape, options, [&](const Tensor& out) {
    const DType computed = detail::compute_dtype(dtype);
    const Tensor numbers = dtype == computed ? out : detail::empty(shape, computed);
    dispatch_floating(op, computed, [&](auto zero) {
      sample(generator_of(options), numbers.data<decltype(zero)>(), numbers.numel());
    });
    if (dtype != computed) detail::overwrite(out, numbers);
  });
}

/// How many bits a number of this dtype has without its sign and exponent.
int precision_of(DType dtype) {
  return dispatch(dtype, [](auto zero) { return std::numeric_limits<decltype(zero)>::digits; });
}

/// Whether the dtype has all integers in [low, high).
bool holds_all(DType dtype, std::int64_t low, std::int64_t high) {
  return dispatch(dtype, [&](auto zero) {
    using Limits = std::numeric_limits<decltype(zero)>;
    if constexpr (Limits::is_integer)
      return low >= std::int64_t{Limits::min()} && high - 1 <= std::int64_t{Limits::max()};
    else
      return low >= -(std::int64_t{1} << Limits::digits) && high - 1 <= std::int64_t{1} << Limits::digits;
  });
}

/// Random integers in [low, high), written by draw(generator, pointer, count).
template <class Draw>
Tensor make_integers(const char* op, std::int64_t low, std::int64_t high, const Shape& shape,
                     const TensorOptions& options, Draw&& draw) {
  const DType dtype = options.dtype.value_or(DType::int64);
  check(holds_all(dtype, low, high), op, ": ", dtype, " does not hold all integers from ", low, " to ", high - 1,
        " exactly");
  Tensor out = detail::empty(shape, int64);
  draw(generator_of(options), out.data<std::int64_t>(), out.numel());
  out = out.to(dtype);
  if (options.requires_grad) out.requires_grad_();
  return out;
}

/// The first `count` numbers value(0), value(1), ..., which differ.
template <class Value>
Tensor make_range(std::int64_t count, const TensorOptions& options, const Value& value) {
  return make_typed("arange", count, options, [&](auto* data, std::int64_t n) {
    using T = std::remove_reference_t<decltype(*data)>;
    for (std::int64_t i = 0; i < n; ++i) {
      data[i] = detail::checked_cast<T>("arange", value(i));
      check(i == 0 || data[i] != data[i - 1], "arange: ", dtype_of<T>(), " does not tell ", value(i - 1), " from ",
            value(i), "; use a larger step or another dtype");
    }
  });
}

Tensor integer_range(std::int64_t begin, std::int64_t end, std::int64_t step, const TensorOptions& options) {
  const auto from = static_cast<std::uint64_t>(begin), to = static_cast<std::uint64_t>(end),
             pace = static_cast<std::uint64_t>(step);  // differences of any two, and no overflow, without sign
  std::uint64_t count = 0;
  if (step > 0 && begin < end) count = (to - from - 1) / pace + 1;
  if (step < 0 && begin > end) count = (from - to - 1) / (0 - pace) + 1;
  check(count <= INT64_MAX, "arange: from ", begin, " to ", end, " by ", step, " has more than 2^63 - 1 elements");
  return make_range(static_cast<std::int64_t>(count), options, [=](std::int64_t i) {
    return static_cast<std::int64_t>(from + pace * static_cast<std::uint64_t>(i));
  });
}

Tensor floating_range(double begin, double end, double step, const TensorOptions& options) {
  check(std::isfinite(begin) && std::isfinite(end) && std::isfinite(step), "arange: from ", begin, " to ", end, " by ",
        step, " is no finite sequence");
  const double steps = std::isfinite(end - begin) ? (end - begin) / step : end / step - begin / step;
  check(steps < 0x1p63, "arange: from ", begin, " to ", end, " by ", step, " has more than 2^63 - 1 elements");
  const auto value = [=](std::int64_t i) { return begin + step * static_cast<double>(i); };
  auto count = static_cast<std::int64_t>(std::max(0.0, std::ceil(steps)));
  dispatch(options.dtype.value_or(DType::float32), [&](auto zero) {
    using T = decltype(zero);
    const auto rounded = [](double x) { return static_cast<double>(element_cast<T>(x)); };
    const double bound = std::numeric_limits<T>::is_integer ? end : rounded(end);
    const auto reaches_end = [&](std::int64_t i) {
      const double last = rounded(value(i));
      return step > 0 ? last >= bound : last <= bound;
    };
    for (int last = 0; last < 2 && count > 0 && reaches_end(count - 1); ++last) --count;
  });
  return make_range(count, options, value);
}

}  // namespace

Tensor full(const Shape& shape, Scalar value, const TensorOptions& options) {
  return make("full", shape, options, [&](const Tensor& out) {
    alignas(8) std::byte element[8];
    detail::store("full", value, out.dtype(), element);
    detail::dispatch_size(item_size(out.dtype()), [&](auto bits) {
      std::memcpy(&bits, element, sizeof bits);
      auto* const data = reinterpret_cast<decltype(bits)*>(out.impl().data);
      std::fill(data, data + out.numel(), bits);
    });
  });
}

Tensor zeros(const Shape& shape, const TensorOptions& options) { return make("zeros", shape, options, clear); }

Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }

Tensor empty(const Shape& shape, const TensorOptions& options) {
  return make("empty", shape, options, [](const Tensor&) {});
}

Tensor zeros_like(const Tensor& other, const TensorOptions& options) {
  return ordered_like(other, zeros(other.shape(), like(other, options)));
}
Tensor ones_like(const Tensor& other, const TensorOptions& options) {
  return ordered_like(other, ones(other.shape(), like(other, options)));
}
Tensor empty_like(const Tensor& other, const TensorOptions& options) {
  return ordered_like(other, empty(other.shape(), like(other, options)));
}
Tensor full_like(const Tensor& other, Scalar value, const TensorOptions& options) {
  return ordered_like(other, full(other.shape(), value, like(other, options)));
}

Tensor arange(Scalar begin, Scalar end, Scalar step, const TensorOptions& options) {
  check(step.value() != 0, "arange: from ", begin, " to ", end, " by 0 comes to no end");
  if (is_floating(promote(promote(begin.kind(), end.kind()), step.kind())))
    return floating_range(begin.value(), end.value(), step.value(), options);
  return integer_range(begin.integer(), end.integer(), step.integer(), options);
}

Tensor arange(Scalar begin, Scalar end, const TensorOptions& options) { return arange(begin, end, 1, options); }

Tensor arange(Scalar end, const TensorOptions& options) {
  check(!(end.value() < 0), "arange: ", end, " is negative; from 0 to there name a negative step");
  return arange(0, end, 1, options);
}

Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options) {
  const double last = static_cast<double>(std::max<std::int64_t>(count, 2) - 1);
  const double way = std::isfinite(end - begin) ? end - begin : INFINITY;
  const auto value = [&](std::int64_t i) {
    const double t = static_cast<double>(i) / last;  // from either end, so that both are met exactly
    if (std::isfinite(begin) && std::isfinite(end) && std::isinf(way)) return begin * (1 - t) + end * t;
    return t < 0.5 ? begin + way * t : count == 1 ? begin : end - way * (1 - t);
  };
  return make_typed("linspace", count, options, [&](auto* data, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
      data[i] = detail::checked_cast<std::remove_reference_t<decltype(*data)>>("linspace", value(i));
  });
}

Tensor eye(std::int64_t n, const TensorOptions& options) {
  return make("eye", {n, n}, options, [&](const Tensor& out) {
    clear(out);
    for (std::int64_t i = 0; i < n; ++i)
      detail::store("eye", 1, out.dtype(),
                    out.impl().data + static_cast<std::size_t>(i * (n + 1)) * item_size(out.dtype()));
  });
}

Tensor rand(const Shape& shape, const TensorOptions& options) {
  const auto sample = [&]<class T>(Generator& generator, T* data, std::int64_t n) {
    generator.uniform(data, n, 0, 1);
    const int precision = precision_of(options.dtype.value_or(DType::float32));
    if (precision == std::numeric_limits<T>::digits) return;
    const T steps = std::ldexp(T(1), precision);  // cut off to one of so many numbers, for 1 is not among them
    for (std::int64_t i = 0; i < n; ++i) data[i] = std::trunc(data[i] * steps) / steps;
  };
  return make_random("rand", shape, options, sample);
}

Tensor randn(const Shape& shape, const TensorOptions& options) {
  return make_random("randn", shape, options,
                     [](Generator& generator, auto* data, std::int64_t n) { generator.normal(data, n, 0, 1); });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const TensorOptions& options) {
  check(low < high, "randint: the range from ", low, " to ", high, " is empty");
  return make_integers("randint", low, high, shape, options, [=](Generator& generator, auto* data, std::int64_t n) {
    generator.integers(data, n, low, high);
  });
}

Tensor randperm(std::int64_t n, const TensorOptions& options) {
  check(n >= 0, "randperm: ", n, " is negative");
  return make_integers("randperm", 0, n, n, options, [](Generator& generator, auto* data, std::int64_t count) {
    generator.permutation(data, count);
  });
}

Tensor rand_like(const Tensor& other, const TensorOptions& options) {
  return ordered_like(other, rand(other.shape(), like(other, options)));
}
Tensor randn_like(const Tensor& other, const TensorOptions& options) {
  return ordered_like(other, randn(other.shape(), like(other, options)));
}
Tensor randint_like(const Tensor& other, std::int64_t low, std::int64_t high, const TensorOptions& options) {
  return ordered_like(other, randint(low, high, other.shape(), like(other, options)));
}

struct NestedReader {
  Shape shape;
  std::vector<Scalar> leaves = {};

  void measure(const NestedNumbers& numbers) {
    if (!numbers.nested_) return;
    shape.push_back(static_cast<std::int64_t>(numbers.items_.size()));
    if (!numbers.items_.empty()) measure(numbers.items_.front());
  }
  void collect(const NestedNumbers& numbers, std::size_t axis) {
    const bool ends = axis == shape.size();
    check(numbers.nested_ != ends && (ends || static_cast<std::int64_t>(numbers.items_.size()) == shape[axis]),
          "tensor: the lists do not form a rectangle of shape ", shape);
    if (ends) return leaves.push_back(numbers.value_);
    for (const NestedNumbers& item : numbers.items_) collect(item, axis + 1);
  }
  /// What holds them all.
  DType dtype() const {
    DType dtype = leaves.empty() ? DType::float32 : DType::bool_;
    for (const Scalar& leaf : leaves) dtype = promote(dtype, leaf.kind());
    return dtype;
  }
};

Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options) {
  NestedReader reader;
  reader.measure(numbers);
  reader.collect(numbers, 0);
  const DType dtype = options.requires_grad ? DType::float32 : reader.dtype();
  return make("tensor", reader.shape, with_default(dtype, options), [&](const Tensor& out) {
    std::byte* to = out.impl().data;
    for (const Scalar& leaf : reader.leaves) {
      detail::store("tensor", leaf, out.dtype(), to);
      to += item_size(out.dtype());
    }
  });
}

Tensor from_blob(std::shared_ptr<void> memory, const Shape& shape, DType dtype, std::optional<Shape> strides) {
  const Shape steps = strides.value_or(row_major_strides(shape));
  check(steps.size() == shape.size(), "from_blob: strides ", steps, " for shape ", shape,
        "; there is one stride for each axis");
  std::int64_t extent = shape.numel() == 0 ? 0 : 1, bytes = 0;
  bool fits = true;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    check(steps[axis] >= 0, "from_blob: strides ", steps, "; they must not be negative");
    std::int64_t along = 0;
    if (extent > 0)
      fits = fits && !__builtin_mul_overflow(shape[axis] - 1, steps[axis], &along) &&
             !__builtin_add_overflow(extent, along, &extent);
  }
  const auto size = static_cast<std::int64_t>(item_size(dtype));
  check(fits && !__builtin_mul_overflow(extent, size, &bytes), "from_blob: shape ", shape, " with strides ", steps,
        " reaches over more than 2^63 - 1 bytes");
  check(bytes == 0 || memory, "from_blob: the pointer is null");
  check(reinterpret_cast<std::uintptr_t>(memory.get()) % item_size(dtype) == 0,
        "from_blob: the pointer is not aligned for elements of ", dtype);
  if (bytes == 0) return empty(shape, {.dtype = dtype});
  return detail::with_memory_for("from_blob", [&] {
    detail::Array array;
    array.storage = detail::Storage::lent(std::move(memory), static_cast<std::size_t>(bytes));
    array.data = array.storage->data();
    array.dtype = dtype;
    array.shape = shape;
    array.numel = shape.numel();
    array.row_major = detail::is_dense_in_order(shape, steps, detail::axes_in(MemoryFormat::contiguous, shape.size()));
    array.strides = array.row_major ? row_major_strides(shape) : steps;  // those of axes of size 1 mean nothing
    return Tensor(std::move(array));
  });
}

Tensor detail::with_options(const char* op, const Tensor& numbers, const TensorOptions& options) {
  const DType from = numbers.dtype();
  if (options.dtype.value_or(from) == from) {
    expect_differentiable(op, from, options);
    Tensor out = numbers;
    return options.requires_grad ? out.requires_grad_() : out;
  }
  return make(op, numbers.shape(), options, [&](const Tensor& out) {
    const Array computed = as_dtype(numbers, compute_dtype(from));
    dispatch_compute(from, [&](auto number) {
      const auto* const at = first_element<decltype(number)>(computed);
      dispatch(out.dtype(), [&]<class T>(T) {
        std::transform(at, at + out.numel(), out.data<T>(), [=](auto value) { return checked_cast<T>(op, value); });
      });
    });
  });
}

template <class T, DType>
Tensor from_values(std::span<const T> values, const Shape& shape, bool requires_grad) {
  check(static_cast<std::int64_t>(values.size()) == shape.numel(), "from_values: ", values.size(), " values for shape ",
        shape);
  return make("from_values", shape, {dtype_of<T>(), requires_grad}, [&](const Tensor& out) {
    if (!values.empty()) std::memcpy(out.impl().data, values.data(), values.size_bytes());
  });
}
#define XGRAD_ROW(name, text, kind, type, compute) \
  template Tensor from_values(std::span<const type>, const Shape&, bool);
XGRAD_DTYPES(XGRAD_ROW)
#undef XGRAD_ROW

}  // namespace xgrad
