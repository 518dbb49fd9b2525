#include "create.hpp"

#include <cmath>
#include <cstring>

#include "../core/random.hpp"

namespace xgrad {

namespace {

/// Makes the tensor, lets `fill` write its elements through a typed pointer, and sets requires_grad.
template <class Fill>
Tensor make(const char* op, const Shape& shape, const TensorOptions& options, Fill&& fill) {
  check(!options.requires_grad || is_floating(options.dtype), op, ": a tensor of dtype ", options.dtype,
        " cannot require a gradient; use float32 or float64");
  Tensor out = detail::empty(shape, options.dtype);
  dispatch(options.dtype, [&](auto zero) { fill(out.data<decltype(zero)>(), out.numel()); });
  if (options.requires_grad) out.requires_grad_();
  return out;
}

template <class F>
Tensor generate(const char* op, std::int64_t n, const TensorOptions& options, F&& value) {
  return make(op, {n}, options, [&](auto* data, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) data[i] = element_cast<std::remove_reference_t<decltype(*data)>>(value(i));
  });
}

template <class Sample>
Tensor make_random(const char* op, const Shape& shape, const TensorOptions& options, Sample&& sample) {
  check(is_floating(options.dtype), op, ": expected a floating dtype, got ", options.dtype);
  return make(op, shape, options, [&](auto* data, std::int64_t n) {
    if constexpr (std::is_floating_point_v<std::remove_reference_t<decltype(*data)>>) sample(data, n);
  });
}

}  // namespace

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  return make("full", shape, options, [&](auto* data, std::int64_t n) {
    std::fill(data, data + n, element_cast<std::remove_reference_t<decltype(*data)>>(value));
  });
}

Tensor zeros(const Shape& shape, const TensorOptions& options) {
  return make("zeros", shape, options, [](auto* data, std::int64_t n) {
    if (n > 0) std::memset(static_cast<void*>(data), 0, static_cast<std::size_t>(n) * sizeof(*data));
  });
}

Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }

Tensor empty(const Shape& shape, const TensorOptions& options) {
  return make("empty", shape, options, [](auto*, std::int64_t) {});
}

Tensor zeros_like(const Tensor& other) { return zeros(other.shape(), {.dtype = other.dtype()}); }
Tensor ones_like(const Tensor& other) { return ones(other.shape(), {.dtype = other.dtype()}); }
Tensor empty_like(const Tensor& other) { return empty(other.shape(), {.dtype = other.dtype()}); }
Tensor full_like(const Tensor& other, double value) { return full(other.shape(), value, {.dtype = other.dtype()}); }

Tensor arange(double begin, double end, double step, const TensorOptions& options) {
  check(step != 0 && std::isfinite(begin) && std::isfinite(end) && std::isfinite(step), "arange: from ", begin, " to ",
        end, " by ", step, " is no finite sequence");
  const double count = std::max(0.0, std::ceil((end - begin) / step));
  check(count < 0x1p63, "arange: from ", begin, " to ", end, " by ", step, " has more than 2^63 - 1 elements");
  return generate("arange", static_cast<std::int64_t>(count), options,
                  [&](std::int64_t i) { return begin + step * static_cast<double>(i); });
}

Tensor arange(std::int64_t n, const TensorOptions& options) {
  return generate("arange", n, options, [](std::int64_t i) { return i; });
}

Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options) {
  const double last = static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  return generate("linspace", count, options, [&](std::int64_t i) {
    const double t = static_cast<double>(i) / last;  // from either end, so that both are met exactly
    return t < 0.5 ? begin + (end - begin) * t : count == 1 ? begin : end - (end - begin) * (1 - t);
  });
}

Tensor eye(std::int64_t n, const TensorOptions& options) {
  return make("eye", {n, n}, options, [&](auto* data, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) data[i] = i % (n + 1) == 0;
  });
}

Tensor rand(const Shape& shape, const TensorOptions& options) {
  return make_random("rand", shape, options,
                     [](auto* data, std::int64_t n) { default_generator().uniform(data, n, 0, 1); });
}

Tensor randn(const Shape& shape, const TensorOptions& options) {
  return make_random("randn", shape, options,
                     [](auto* data, std::int64_t n) { default_generator().normal(data, n, 0, 1); });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape) {
  check(low < high, "randint: the range from ", low, " to ", high, " is empty");
  Tensor out = detail::empty(shape, int64);
  default_generator().integers(out.data<std::int64_t>(), out.numel(), low, high);
  return out;
}

Tensor randperm(std::int64_t n) {
  Tensor out = detail::empty({n}, int64);
  default_generator().permutation(out.data<std::int64_t>(), n);
  return out;
}

struct NestedReader {
  Shape shape;
  std::vector<const NestedNumbers*> leaves = {};

  void measure(const NestedNumbers& numbers) {
    if (!numbers.nested_) return;
    shape.push_back(static_cast<std::int64_t>(numbers.items_.size()));
    if (!numbers.items_.empty()) measure(numbers.items_.front());
  }
  void collect(const NestedNumbers& numbers, std::size_t axis) {
    const bool ends = axis == shape.size();
    check(numbers.nested_ != ends && (ends || static_cast<std::int64_t>(numbers.items_.size()) == shape[axis]),
          "tensor: the lists do not form a rectangle of shape ", shape);
    if (ends) return leaves.push_back(&numbers);
    for (const NestedNumbers& item : numbers.items_) collect(item, axis + 1);
  }
  template <class T>
  static T value(const NestedNumbers& number) {
    return number.integral_ ? static_cast<T>(number.integer_) : element_cast<T>(number.value_);
  }
};

Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options) {
  NestedReader reader;
  reader.measure(numbers);
  reader.collect(numbers, 0);
  return make("tensor", reader.shape, options, [&](auto* data, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
      data[i] =
          NestedReader::value<std::remove_reference_t<decltype(*data)>>(*reader.leaves[static_cast<std::size_t>(i)]);
  });
}

template <class T, DType>
Tensor from_values(std::span<const T> values, const Shape& shape, bool requires_grad) {
  check(static_cast<std::int64_t>(values.size()) == shape.numel(), "from_values: ", values.size(), " values for shape ",
        shape);
  return make("from_values", shape, {dtype_of<T>(), requires_grad}, [&](auto* data, std::int64_t) {
    if (!values.empty()) std::memcpy(static_cast<void*>(data), values.data(), values.size_bytes());
  });
}
template Tensor from_values(std::span<const float>, const Shape&, bool);
template Tensor from_values(std::span<const double>, const Shape&, bool);
template Tensor from_values(std::span<const std::int64_t>, const Shape&, bool);
template Tensor from_values(std::span<const bool>, const Shape&, bool);

}  // namespace xgrad
