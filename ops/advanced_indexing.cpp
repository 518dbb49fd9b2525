#include "advanced_indexing.hpp"

#include <array>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/search.hpp"
#include "arithmetic.hpp"
#include "nonzero.hpp"
#include "runs.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

using Kind = TensorIndex::Kind;
using Items = std::vector<TensorIndex>;

/// The elements that a slice picks of an axis: first, first + step, ...
struct Span {
  Span(const Slice& slice, std::int64_t size) : step(slice.step) {
    check(step != 0 && step != INT64_MIN, "index: the step of a slice is ", step);
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    const auto position = [&](const std::optional<std::int64_t>& at, std::int64_t otherwise) {
      if (!at) return otherwise;
      return std::clamp<std::int64_t>(*at < 0 ? *at + size : *at, low, high);
    };
    first = position(slice.begin, step > 0 ? low : high);
    const std::int64_t last = position(slice.end, step > 0 ? high : low);
    const std::int64_t length = step > 0 ? last - first : first - last, by = step > 0 ? step : -step;
    count = length > 0 ? (length - 1) / by + 1 : 0;
  }
  std::int64_t first, step, count;
};

bool is_mask(const TensorIndex& item) { return item.kind == Kind::tensor && item.tensor.dtype() == bool_; }

std::size_t axes_of(const TensorIndex& item) {
  switch (item.kind) {
    case Kind::integer:
    case Kind::slice:
      return 1;
    case Kind::tensor:
      return is_mask(item) ? item.tensor.dim() : 1;
    case Kind::new_axis:
    case Kind::rest:
      return 0;
  }
  fail("index: this is no item");
}

std::int64_t checked_integer(std::int64_t at, const Shape& shape, std::size_t axis) {
  const std::int64_t size = shape[axis];
  check(at >= -size && at < size, "index: index ", at, " is out of range for axis ", axis, " of shape ", shape);
  return at < 0 ? at + size : at;
}

/// How many axes an ellipsis stands for, or are left over at the end.
std::size_t left_over(const Items& items, const Shape& shape) {
  std::size_t named = 0, ellipses = 0;
  for (const TensorIndex& item : items) {
    if (item.kind == Kind::tensor)
      check(detail::kind_of(item.tensor.dtype()) != detail::Kind::floating, "index: a tensor of dtype ",
            item.tensor.dtype(), "; positions are integers, a mask is bool");
    named += axes_of(item);
    ellipses += item.kind == Kind::rest;
  }
  check(ellipses <= 1, "index: ", static_cast<std::int64_t>(ellipses), " ellipses; there can be one");
  check(named <= shape.size(), "index: ", static_cast<std::int64_t>(named), " axes are named of shape ", shape);
  return shape.size() - named;
}

bool has_tensors(const Items& items) {
  return std::any_of(items.begin(), items.end(), [](const TensorIndex& item) { return item.kind == Kind::tensor; });
}

Tensor view_of(const Tensor& x, const Items& items) {
  const std::size_t rest = left_over(items, x.shape());
  Tensor part = x;
  std::int64_t axis = 0;
  std::size_t original = 0;
  for (const TensorIndex& item : items) {
    switch (item.kind) {
      case Kind::integer:
        part = select(part, axis, checked_integer(item.integer, x.shape(), original));
        break;
      case Kind::slice: {
        const Span span(item.slice, part.size(axis));
        if (span.step > 0) {
          part = slice(part, axis, span.first, span.first + (span.count > 0 ? (span.count - 1) * span.step + 1 : 0),
                       span.step);
        } else {
          const std::int64_t last = span.first + (span.count - 1) * span.step;
          part = span.count == 0 ? slice(part, axis, 0, 0) : slice(part, axis, last, span.first + 1, -span.step);
          part = flip(part, {axis});
        }
        ++axis;
        break;
      }
      case Kind::new_axis:
        part = unsqueeze(part, axis++);
        break;
      case Kind::rest:
        axis += static_cast<std::int64_t>(rest);
        original += rest;
        break;
      case Kind::tensor:
        break;
    }
    original += axes_of(item);
  }
  return part;
}

/// What the items name, as runs of neighbouring elements in row-major memory, and the shape of it all.
struct Picked {
  Tensor begins;
  std::int64_t length = 1;
  Shape shape;
};

/// The tensors among the items, and the integers beside them, as one: the place to which they lead from the first
/// element of x, for each element of their common shape.
class Positions {
 public:
  /// Names positions along an axis of x; for a mask of no axes, whose positions are 0, there is none.
  void add(const Tensor& positions, std::int64_t stride, std::size_t axis, std::int64_t size) {
    check(count_ < terms_.size(), "index: more than ", static_cast<std::int64_t>(terms_.size()), " tensors");
    shape_ = broadcast_shapes("index", shape_, positions.shape());
    terms_[count_++] = {positions, stride, axis, size};
  }
  void add_mask(const Tensor& mask, const Shape& of, const Shape& strides, std::size_t axis) {
    for (std::size_t i = 0; i < mask.dim(); ++i)
      check(mask.shape()[i] == of[axis + i], "index: a mask of shape ", mask.shape(), " for axis ",
            static_cast<std::int64_t>(axis), " and following of shape ", of, "; their sizes must be the same");
    const Tensor places = detail::places_of_nonzero(mask);
    if (mask.dim() == 0) return add(places, 0, 0, 1);
    const auto rank = static_cast<std::int64_t>(mask.dim());
    const Tensor split = detail::empty({places.numel(), rank}, int64);
    detail::split_places(mask.shape(), places.span<const std::int64_t>(), split.data<std::int64_t>());
    for (std::int64_t i = 0; i < rank; ++i) {
      const std::size_t at = axis + static_cast<std::size_t>(i);
      add(select(split, 1, i), strides[at], at, of[at]);
    }
  }
  const Shape& shape() const { return shape_; }
  Tensor places(const Shape& of_x) const {
    const Tensor sum = zeros(shape_.numel(), {.dtype = int64});
    for (std::size_t i = 0; i < count_; ++i) {
      const Term& term = terms_[i];
      const Tensor at = expand(term.positions.to(int64), shape_).contiguous();
      const std::int64_t* const index = at.data<std::int64_t>();
      const std::int64_t bad = detail::add_index(at.numel(), index, term.size, term.stride, sum.data<std::int64_t>());
      check(bad == at.numel(), "index: index ", bad < at.numel() ? index[bad] : 0, " is out of range for axis ",
            static_cast<std::int64_t>(term.axis), " of shape ", of_x);
    }
    return sum;
  }

 private:
  struct Term {
    Tensor positions;
    std::int64_t stride;
    std::size_t axis;
    std::int64_t size;
  };
  std::array<Term, Shape::max_rank + 8> terms_;  // masks of no axes come on top of the axes
  std::size_t count_ = 0;
  Shape shape_;
};

Picked pick(const Tensor& x, const Items& items) {
  const Shape &of = x.shape(), strides = row_major_strides(of);
  const std::size_t rest = left_over(items, of);
  const bool advanced = has_tensors(items);
  Positions positions;
  Shape sizes, steps;  // of the axes that slices and the like leave
  std::int64_t offset = 0;
  std::size_t axis = 0, front = 0;  // how many of these come before the positions
  enum { before, inside, after } where = before;
  bool apart = false;
  const auto keep = [&](std::int64_t size, std::int64_t step) {
    sizes.push_back(size), steps.push_back(step);
    if (where == inside) where = after;
  };
  const auto keep_whole = [&](std::size_t count) {
    for (; count > 0; --count, ++axis) keep(of[axis], strides[axis]);
    if (where == inside) where = after;
  };
  const auto meet_positions = [&] {
    if (where == before) front = sizes.size();
    apart = apart || where == after;
    where = inside;
  };
  bool rest_is_kept = false;
  for (const TensorIndex& item : items) {
    switch (item.kind) {
      case Kind::integer:
        offset += checked_integer(item.integer, of, axis) * strides[axis];
        if (advanced) meet_positions();
        ++axis;
        break;
      case Kind::slice: {
        const Span span(item.slice, of[axis]);
        offset += span.count > 0 ? span.first * strides[axis] : 0;
        keep(span.count, span.count > 1 ? span.step * strides[axis] : 0);
        ++axis;
        break;
      }
      case Kind::new_axis:
        keep(1, 0);
        break;
      case Kind::rest:
        keep_whole(rest);
        rest_is_kept = true;
        break;
      case Kind::tensor:
        meet_positions();
        if (is_mask(item))
          positions.add_mask(item.tensor, of, strides, axis);
        else
          positions.add(item.tensor, strides[axis], axis, of[axis]);
        axis += axes_of(item);
        break;
    }
  }
  if (!rest_is_kept) keep_whole(rest);
  if (apart || !advanced) front = 0;

  Picked picked;
  const Shape& named = positions.shape();
  for (std::size_t i = 0; i <= sizes.size(); ++i) {
    if (i == front)
      for (const std::int64_t size : named) picked.shape.push_back(size);
    if (i < sizes.size()) picked.shape.push_back(sizes[i]);
  }
  Tensor begins = positions.places(of);
  if (picked.shape.numel() == 0) {
    picked.begins = detail::empty(0, int64);
    return picked;
  }
  std::size_t end = sizes.size();
  for (; end > front && (sizes[end - 1] == 1 || steps[end - 1] == picked.length); --end)
    picked.length *= sizes[end - 1];
  Shape outer;
  if (advanced) outer.push_back(begins.numel());
  for (std::size_t i = end; i-- > front;) outer.push_back(1);
  begins = reshape(begins + offset, outer);
  for (std::size_t i = 0; i < end; ++i) {
    const std::size_t behind = (i < front ? front : end) - i - 1 + (i < front ? outer.size() : 0);
    const Tensor along = mul(arange(sizes[i], {.dtype = int64}), steps[i]);
    Shape shape = {sizes[i]};
    for (std::size_t k = 0; k < behind; ++k) shape.push_back(1);
    begins = begins + reshape(along, shape);
  }
  picked.begins = reshape(begins, {-1});
  return picked;
}

/// The values as they are put.
Tensor fitting(const Tensor& x, const Tensor& values, const Shape& shape) {
  check(promote(x.dtype(), values.dtype()) == x.dtype(), "index_put: values of dtype ", values.dtype(),
        " for a tensor of dtype ", x.dtype(), "; convert them with .to(", x.dtype(), ")");
  check(broadcasts_to(values.shape(), shape), "index_put: values of shape ", values.shape(),
        " do not broadcast to shape ", shape, ", which the indices name");
  return expand(values.to(x.dtype()), shape);
}

Tensor number_for(const Tensor& x, const Scalar& value) {
  check(promote(x.dtype(), value) == x.dtype(), "index_put: the number ", value, " for a tensor of dtype ", x.dtype(),
        "; convert the tensor first");
  return full({}, value, {.dtype = x.dtype()});
}

}  // namespace

Tensor index(Operand x, const std::vector<TensorIndex>& items) {
  if (!has_tensors(items)) return view_of(*x, items);
  const Picked picked = pick(*x, items);
  return detail::take_runs("index", *x, picked.begins, picked.length, picked.shape);
}

Tensor index_put(Operand x, const std::vector<TensorIndex>& items, Operand values, const IndexPutOptions& options) {
  const Picked picked = pick(*x, items);
  return detail::put_runs("index_put", *x, picked.begins, picked.length, fitting(*x, *values, picked.shape),
                          options.accumulate);
}

Tensor index_put(Operand x, const std::vector<TensorIndex>& items, Scalar value, const IndexPutOptions& options) {
  return index_put(*x, items, number_for(*x, value), options);
}

Tensor& index_put_(Tensor& x, const std::vector<TensorIndex>& items, Operand values, const IndexPutOptions& options) {
  const Picked picked = pick(x, items);
  detail::put_runs_in_place("index_put_", x, picked.begins, picked.length, fitting(x, *values, picked.shape),
                            options.accumulate);
  return x;
}

Tensor& index_put_(Tensor& x, const std::vector<TensorIndex>& items, Scalar value, const IndexPutOptions& options) {
  return index_put_(x, items, number_for(x, value), options);
}

Tensor Tensor::index(const std::vector<TensorIndex>& items, detail::CallSite site) const {
  const detail::CallSiteScope scope(site);
  return xgrad::index(*this, items);
}
Tensor& Tensor::index_put_(const std::vector<TensorIndex>& items, const Tensor& values, detail::CallSite site) {
  return index_put_(items, values, {}, site);
}
Tensor& Tensor::index_put_(const std::vector<TensorIndex>& items, const Scalar& value, detail::CallSite site) {
  return index_put_(items, value, {}, site);
}
Tensor& Tensor::index_put_(const std::vector<TensorIndex>& items, const Tensor& values, const IndexPutOptions& options,
                           detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  return xgrad::index_put_(*this, items, values, options);
}
Tensor& Tensor::index_put_(const std::vector<TensorIndex>& items, const Scalar& value, const IndexPutOptions& options,
                           detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  return xgrad::index_put_(*this, items, value, options);
}

namespace {

void expect_mask(const char* op, const Tensor& mask) {
  check(mask.dtype() == bool_, op, ": a mask of dtype ", mask.dtype(), "; it must be bool");
}

}  // namespace

Tensor masked_select(Operand x, const Tensor& mask) {
  expect_mask("masked_select", mask);
  const Shape shape = broadcast_shapes("masked_select", x->shape(), mask.shape());
  const Tensor places = detail::places_of_nonzero(expand(mask, shape));
  return detail::take_runs("masked_select", expand(*x, shape), places, 1, places.shape());
}

Tensor masked_scatter(Operand x, const Tensor& mask, Operand source) {
  expect_mask("masked_scatter", mask);
  check(broadcasts_to(mask.shape(), x->shape()), "masked_scatter: a mask of shape ", mask.shape(),
        " does not broadcast to shape ", x->shape());
  check(x->dtype() == source->dtype(), "masked_scatter: a source of dtype ", source->dtype(), " for dtype ", x->dtype(),
        "; convert it with .to(", x->dtype(), ")");
  const Tensor places = detail::places_of_nonzero(expand(mask, x->shape()));
  check(places.numel() <= source->numel(), "masked_scatter: the source has ", source->numel(), " elements for ",
        places.numel(), " places");
  return detail::put_runs("masked_scatter", *x, places, 1, narrow(reshape(*source, {-1}), 0, 0, places.numel()), false);
}

}  // namespace xgrad
