#include "position.hpp"

#include <cmath>
#include <vector>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/rotary.hpp"

namespace xgrad {

namespace {

struct Rope {
  static constexpr const char* name = "rope";
  static constexpr bool linear = true;
  detail::Rotation rotation;
  Saved cosines, sines;  // (places, pairs)
  Shape table;           // strides over the places, by leading axis of x

  Tensor forward(const Tensor& x) {
    const bool rows_are_dense = x.size(-1) == 1 || x.strides()[x.dim() - 1] == 1;
    const Tensor from = rows_are_dense ? x : *detail::dense(x), c = cosines, s = sines;
    Tensor out = detail::empty_like(from, from.dtype());
    if (out.size(-1) > 1 && out.strides()[out.dim() - 1] != 1) out = detail::empty(from.shape(), from.dtype());
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::rotate<T>(rotation, from, out, c.data<T>(), s.data<T>(), table);
    });
    return out;
  }
  Tensor backward(const Tensor& grad) const {
    return apply(Rope{{rotation.pairs, rotation.interleaved, -rotation.sign}, cosines, sines, table}, grad);
  }
};

TensorOptions floating(const char* op, TensorOptions options) {
  if (!options.dtype) options.dtype = float32;
  check(is_floating(*options.dtype), op, ": dtype is ", *options.dtype, "; a floating one is needed");
  return options;
}

/// A tensor of these numbers as options want it.
Tensor finished(const Tensor& numbers, const TensorOptions& options) {
  return numbers.to(*options.dtype).requires_grad_(options.requires_grad);
}

}  // namespace

Tensor rope(Operand x, const RopeOptions& options) {
  constexpr const char* op = Rope::name;
  check(x->dim() >= 2, op, ": x has shape ", x->shape(), "; (..., length, width) is needed");
  check(is_floating(x->dtype()), op, ": x is ", x->dtype(), "; convert it with .to(float32)");
  const std::int64_t width = options.width.value_or(x->size(-1)), pairs = width / 2;
  check(width >= 0 && width % 2 == 0 && width <= x->size(-1), op, ": a width of ", width, " for x ", x->shape(),
        "; an even one is needed that is not larger than its last size");
  check(options.base > 0, op, ": base is ", options.base, "; it must be positive");
  return detail::with_memory_for(op, [&] {
    const Shape leading(x->shape().begin(), x->dim() - 1);
    std::vector<double> places, frequencies;
    Shape strides = Shape::filled(leading.size(), 0);
    if (options.positions.defined()) {
      const Tensor& given = options.positions;
      check(broadcast_shapes(op, given.shape(), leading) == leading, op, ": positions ", given.shape(),
            " do not broadcast to ", leading);
      places = given.to(float64).to_vector<double>();
      const Shape own = row_major_strides(given.shape());
      const std::size_t ahead = leading.size() - given.dim();
      for (std::size_t axis = 0; axis < given.dim(); ++axis)
        strides[ahead + axis] = given.shape()[axis] == 1 ? 0 : own[axis];
    } else {
      for (std::int64_t i = 0; i < x->size(-2); ++i)
        places.push_back(static_cast<double>(options.offset) + static_cast<double>(i));
      strides[leading.size() - 1] = 1;
    }
    if (options.frequencies.defined()) {
      check(options.frequencies.shape() == Shape{pairs}, op, ": frequencies have shape ", options.frequencies.shape(),
            "; (", pairs, ",) is needed");
      frequencies = options.frequencies.to(float64).to_vector<double>();
    } else {
      for (std::int64_t i = 0; i < pairs; ++i)
        frequencies.push_back(std::pow(options.base, -2.0 * static_cast<double>(i) / static_cast<double>(width)));
    }
    const Shape table{static_cast<std::int64_t>(places.size()), pairs};
    const Tensor cosines = detail::empty(table, float64), sines = detail::empty(table, float64);
    for (std::size_t place = 0, at = 0; place < places.size(); ++place)
      for (const double frequency : frequencies) {
        cosines.data<double>()[at] = std::cos(places[place] * frequency);
        sines.data<double>()[at++] = std::sin(places[place] * frequency);
      }
    const DType dtype = detail::compute_dtype(x->dtype());
    const Rope rotary{{pairs, options.interleaved, 1}, cosines.to(dtype), sines.to(dtype), strides};
    return detail::narrowed(apply(rotary, detail::widened(*x)), x->dtype());
  });
}

Tensor alibi_mask(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t query_offset,
                  const TensorOptions& options) {
  constexpr const char* op = "alibi_mask";
  check(heads >= 0 && query_offset >= 0, op, ": ", heads, " heads and a query_offset of ", query_offset,
        "; neither may be negative");
  const TensorOptions floats = floating(op, options);
  const Tensor out = empty({heads, queries, keys}, {.dtype = float64});
  double* to = out.data<double>();
  std::int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  for (std::int64_t head = 0; head < heads; ++head) {
    // Beyond a power of two, every other slope of twice as many heads.
    const std::int64_t step = head < power ? head + 1 : 2 * (head - power) + 1, all = head < power ? power : 2 * power;
    const double slope = std::exp2(-8 * static_cast<double>(step) / static_cast<double>(all));
    for (std::int64_t query = 0; query < queries; ++query)
      for (std::int64_t key = 0; key < keys; ++key)
        *to++ = -slope * std::abs(static_cast<double>(query_offset) + static_cast<double>(query - key));
  }
  return finished(out, floats);
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, double base, const TensorOptions& options) {
  constexpr const char* op = "sinusoidal_positions";
  check(base > 0, op, ": base is ", base, "; it must be positive");
  const TensorOptions floats = floating(op, options);
  const Tensor out = empty({length, width}, {.dtype = float64});
  double* to = out.data<double>();
  for (std::int64_t place = 0; place < length; ++place)
    for (std::int64_t i = 0; i < width; ++i) {
      const double angle =
          static_cast<double>(place) * std::pow(base, -static_cast<double>(i - i % 2) / static_cast<double>(width));
      *to++ = i % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  return finished(out, floats);
}

}  // namespace xgrad
