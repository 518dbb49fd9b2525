#include "pad.hpp"

#include <algorithm>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "indexing.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

/// x amidst elements of one value; the sizes are not negative.
struct ConstantPad {
  static constexpr const char* name = "pad";
  Shape before, shape;  // of the result
  double value;
  Shape inner = {};  // of x

  Tensor forward(const Tensor& x) {
    inner = x.shape();
    Shape order = detail::memory_order(inner, x.strides());  // in front of it the axes that had size 1
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (inner[axis] == 1) order.insert(0, static_cast<std::int64_t>(axis));
    detail::Array out;
    detail::allocate_array_in_order(out, shape, x.dtype(), order);
    Tensor result(out);
    result.fill_(value);
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) offset += before[axis] * result.strides()[axis];
    detail::overwrite(detail::view(result, inner, result.strides(), offset), x);
    return result;
  }
  Tensor backward(const Tensor& grad) const {
    Tensor part = grad;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (shape[axis] != inner[axis]) part = narrow(part, static_cast<std::int64_t>(axis), before[axis], inner[axis]);
    return part;
  }
  Tensor jvp(const Tensor& dx) const { return apply(ConstantPad{before, shape, 0}, dx); }
};

/// Which element of an axis of `size` stands at `at`, which may be before or behind it.
std::int64_t source(PadMode mode, std::int64_t at, std::int64_t size) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(at, 0, size - 1);
  if (mode == PadMode::circular) return (at + size) % size;
  return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
}

Tensor padded_by_elements(const Tensor& x, std::int64_t axis, std::int64_t before, std::int64_t after, PadMode mode) {
  const std::int64_t size = x.size(axis), widest = std::max(before, after);
  check(size > 0, "pad: input of shape ", x.shape(), " has no elements along axis ", axis, " to make a border of");
  check(mode != PadMode::reflect || widest < size, "pad: a border of ", widest, " along axis ", axis,
        " of an input of shape ", x.shape(), "; PadMode::reflect takes at most ", size - 1);
  check(mode != PadMode::circular || widest <= size, "pad: a border of ", widest, " along axis ", axis,
        " of an input of shape ", x.shape(), "; PadMode::circular takes at most ", size);
  const Tensor index = detail::empty({before + size + after}, int64);
  for (std::int64_t i = 0; i < index.numel(); ++i) index.data<std::int64_t>()[i] = source(mode, i - before, size);
  return index_select(x, axis, index);
}

}  // namespace

Tensor pad(Operand x, const Shape& sizes, const PadOptions& options) {
  check(sizes.size() % 2 == 0 && sizes.size() <= 2 * x->dim(), "pad: ", sizes.size(), " sizes ", sizes,
        " for an input of shape ", x->shape(), "; two are needed for each axis that is padded, at most ", 2 * x->dim());
  Tensor y = *x;
  Shape before = Shape::filled(x->dim(), 0), shape = x->shape();
  for (std::size_t i = 0; i < sizes.size(); i += 2) {
    const std::size_t at = x->dim() - 1 - i / 2;
    const auto axis = static_cast<std::int64_t>(at);
    const std::int64_t first = sizes[i], last = sizes[i + 1], size = x->size(axis),
                       begin = std::max<std::int64_t>(0, -first),
                       kept = size - begin - std::max<std::int64_t>(0, -last);
    check(first <= 2147483647 && last <= 2147483647 && first >= -size && last >= -size && kept >= 0, "pad: sizes ",
          sizes, " take more from axis ", axis, " than an input of shape ", x->shape(),
          " has, or add more than 2^31 - 1");
    if (kept != size) y = narrow(y, axis, begin, kept);
    before[at] = std::max<std::int64_t>(0, first);
    shape[at] = before[at] + kept + std::max<std::int64_t>(0, last);
  }
  if (options.mode == PadMode::constant)
    return y.shape() == shape ? y : apply(ConstantPad{before, shape, options.value}, y);
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (const std::int64_t size = y.shape()[axis], added = shape[axis] - size; added > 0)
      y = padded_by_elements(y, static_cast<std::int64_t>(axis), before[axis], added - before[axis], options.mode);
  return y;
}

}  // namespace xgrad
