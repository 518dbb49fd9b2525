#include "scatter.hpp"

#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "division.hpp"
#include "gather.hpp"
#include "index.hpp"
#include "reduce.hpp"
#include "runs.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

using detail::Combine;

/// Where the elements that an index picks lie in row-major memory.
Tensor checked_places(const char* op, const Tensor& x, std::size_t axis, const Tensor& index) {
  check(index.dim() == x.dim(), op, ": an index of shape ", index.shape(), " for shape ", x.shape(),
        "; they must have as many axes");
  for (std::size_t i = 0; i < x.dim(); ++i)
    check(i == axis || index.shape()[i] <= x.shape()[i], op, ": an index of shape ", index.shape(), " for shape ",
          x.shape(), " is larger along axis ", i);
  const Tensor at = detail::checked_index(op, index, x.shape(), axis);
  const Tensor places = detail::empty(index.numel(), int64);
  detail::places_along(index.shape(), at.data<std::int64_t>(), row_major_strides(x.shape()), axis,
                       places.data<std::int64_t>());
  return places;
}

/// The part of `source` that the index picks a place for.
Tensor part_of_source(const char* op, const Tensor& source, const Tensor& index) {
  check(source.dim() == index.dim(), op, ": source ", source.shape(), " and index ", index.shape(),
        " must have as many axes");
  Tensor part = source;
  for (std::size_t i = 0; i < index.dim(); ++i) {
    check(index.shape()[i] <= source.shape()[i], op, ": source ", source.shape(), " is smaller than index ",
          index.shape(), " along axis ", i);
    part = narrow(part, static_cast<std::int64_t>(i), 0, index.shape()[i]);
  }
  return part;
}

/// x with the products or the extremes of its elements and of those of the source at `places`.
struct CombineAt {
  const char* name;
  Combine how;
  Saved places;
  Saved x = {}, source = {}, y = {};

  Tensor forward(const Tensor& in, const Tensor& from) {
    const DType computed = detail::compute_dtype(in.dtype());
    const Tensor out = detail::empty(in.shape(), computed);
    detail::overwrite(out, in);
    detail::combine_runs(how, detail::runs_of(places, 1), detail::row_major(detail::as_dtype(from, computed)), out);
    const Tensor rounded = out.to(in.dtype());
    x = in, source = from, y = rounded;
    return rounded;
  }

  std::array<Tensor, 2> backward(const Tensor& grad) const {
    return how == Combine::multiply ? of_products(grad) : of_extremes(grad);
  }

 private:
  Tensor taken(const Tensor& from) const { return detail::take_runs(name, from, places, 1, source.shape()); }
  Tensor added(const Tensor& to) const { return detail::add_runs(name, x.shape(), places, 1, to); }

  std::array<Tensor, 2> of_extremes(const Tensor& grad) const {
    const Tensor values = y.get().detach();
    const Tensor of_x = x.get().detach() == values, of_source = source.get().detach() == taken(values);
    const Tensor share = grad / (of_x.to(grad.dtype()) + added(of_source.to(grad.dtype())));
    return {where(of_x, share, 0), where(of_source, taken(share), 0)};
  }

  /// The product of the others is the product of those that are not 0, if there is no 0 among the others.
  std::array<Tensor, 2> of_products(const Tensor& grad) const {
    const Tensor zero_x = x.get().detach() == 0, zero_source = source.get().detach() == 0;
    if (!any(zero_x).item<bool>() && !any(zero_source).item<bool>()) {
      const Tensor product = grad * y.get();
      return {product / x.get(), taken(product) / source.get()};
    }
    check(!is_grad_enabled(), name, ": the gradient of products in which an element is 0 has no derivatives");
    const Tensor others_x = where(zero_x, 1, x.get()), others_source = where(zero_source, 1, source.get());
    const Tensor product = grad * apply(CombineAt{name, how, places}, others_x, others_source);
    const Tensor zeros_x = zero_x.to(int64), zeros_source = zero_source.to(int64),
                 zeros = zeros_x + added(zeros_source);
    return {where(zeros == zeros_x, product / others_x, 0),
            where(taken(zeros) == zeros_source, taken(product) / others_source, 0)};
  }
};

/// What does not change the result of a reduction.
Scalar identity(ScatterReduction reduction, DType dtype) {
  const bool largest = reduction == ScatterReduction::amax;
  if (reduction == ScatterReduction::prod) return 1;
  if (reduction != ScatterReduction::amax && reduction != ScatterReduction::amin) return 0;
  if (is_floating(dtype))
    return largest ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return detail::saturated(
      largest ? std::numeric_limits<std::int64_t>::lowest() : std::numeric_limits<std::int64_t>::max(), dtype);
}

}  // namespace

Tensor scatter(Operand x, std::int64_t axis, const Tensor& index, Operand source) {
  const std::size_t at = normalize_axis("scatter", axis, x->dim());
  const Tensor places = checked_places("scatter", *x, at, index), part = part_of_source("scatter", *source, index);
  const DType dtype = promote(x->dtype(), source->dtype());
  return detail::put_runs("scatter", x->to(dtype), places, 1, part.to(dtype), false);
}

Tensor scatter(Operand x, std::int64_t axis, const Tensor& index, Scalar value) {
  const std::size_t at = normalize_axis("scatter", axis, x->dim());
  const Tensor places = checked_places("scatter", *x, at, index);
  const DType dtype = promote(x->dtype(), value);
  return detail::put_runs("scatter", x->to(dtype), places, 1, full(index.shape(), value, {.dtype = dtype}), false);
}

Tensor scatter_reduce(Operand x, std::int64_t axis, const Tensor& index, Operand source, ScatterReduction reduction,
                      const ScatterReduceOptions& options) {
  constexpr const char* op = "scatter_reduce";
  const std::size_t at = normalize_axis(op, axis, x->dim());
  const Tensor places = checked_places(op, *x, at, index);
  const DType dtype = promote(x->dtype(), source->dtype());
  check(dtype != bool_ || reduction == ScatterReduction::amax || reduction == ScatterReduction::amin, op,
        ": bool has no such reduction; convert it with .to(int64)");
  const Tensor part = part_of_source(op, *source, index).to(dtype);
  const auto excluded = [&](const Tensor& self, Scalar value) {
    if (options.include_self) return self;
    return detail::put_runs(op, self, places, 1, full(index.shape(), value, {.dtype = self.dtype()}), false);
  };
  const Tensor self = excluded(x->to(dtype), identity(reduction, dtype));
  switch (reduction) {
    case ScatterReduction::sum:
      return detail::put_runs(op, self, places, 1, part, true);
    case ScatterReduction::mean: {
      const Tensor sums = detail::put_runs(op, self, places, 1, part, true);
      const DType counted = is_floating(dtype) ? dtype : int64;
      const Tensor counts = detail::put_runs(op, excluded(ones(x->shape(), {.dtype = int64}), 0), places, 1,
                                             ones(index.shape(), {.dtype = int64}), true);
      if (is_floating(dtype)) return sums / maximum(counts, 1).to(counted);
      return floor_divide(sums, maximum(counts, 1)).to(dtype);
    }
    case ScatterReduction::prod:
      return apply(CombineAt{op, Combine::multiply, places}, self, part);
    case ScatterReduction::amax:
      return apply(CombineAt{op, Combine::largest, places}, self, part);
    case ScatterReduction::amin:
      return apply(CombineAt{op, Combine::smallest, places}, self, part);
  }
  fail(op, ": this is no ScatterReduction");
}

Tensor take_along_axis(Operand x, const Tensor& index, std::int64_t axis) {
  const std::size_t at = normalize_axis("take_along_axis", axis, x->dim());
  check(index.dim() == x->dim(), "take_along_axis: an index of shape ", index.shape(), " for shape ", x->shape(),
        "; they must have as many axes");
  check(detail::kind_of(index.dtype()) == detail::Kind::integer, "take_along_axis: indices of dtype ", index.dtype(),
        "; convert them with .to(int64)");
  const std::int64_t size = x->shape()[at];
  Shape others = x->shape(), picked = index.shape();
  others[at] = picked[at] = 1;
  const Shape common = broadcast_shapes("take_along_axis", others, picked);
  Shape of_x = common, of_index = common;
  of_x[at] = size, of_index[at] = index.shape()[at];
  const Tensor wide = index.to(int64), counted = where(wide < 0, wide + size, wide);
  const Tensor all = expand(*x, of_x), positions = expand(counted, of_index);
  return gather(all, axis, positions);
}

}  // namespace xgrad
