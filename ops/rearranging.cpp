#include "rearranging.hpp"

#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "cumulative.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "reduce.hpp"
#include "searching.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

Tensor rolled(const Tensor& x, std::int64_t shift, std::size_t along) {
  const auto axis = static_cast<std::int64_t>(along);
  const std::int64_t size = x.shape()[along];
  if (size == 0) return x;
  const std::int64_t by = (shift % size + size) % size;
  if (by == 0) return x;
  return detail::with_memory_for("roll", [&] {
    return concat({slice(x, axis, size - by), slice(x, axis, 0, size - by)}, axis);
  });
}

/// In memory of its own, as that of x is not what a copy was asked for.
Tensor apart_from(const Tensor& x, const Tensor& out) {
  return out.impl().storage == x.impl().storage ? out.clone() : out;
}

/// x[..., axis, ...] with `outer` before the axis made one, and the same `count` times along a new axis behind that.
Tensor repeated(const Tensor& x, std::size_t outer, std::int64_t count, const Shape& result) {
  result.numel();
  if (count == 1) return reshape(x, result);
  const std::int64_t before = Shape(x.shape().begin(), outer).numel(),
                     behind = Shape(x.shape().begin() + outer, x.dim() - outer).numel();
  return reshape(expand(reshape(x, {before, 1, behind}), {before, count, behind}), result);
}

Tensor repeated(const char* op, const Tensor& x, const Shape& repeats) {
  Shape shape = x.shape();
  while (shape.size() < repeats.size()) shape.insert(0, 1);
  Tensor out = reshape(x, shape);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const std::int64_t count = repeats[axis];
    check(count >= 0, op, ": ", count, " repetitions along axis ", axis, "; there cannot be less than 0");
    check(shape[axis] == 0 || count <= INT64_MAX / shape[axis], op, ": ", x.shape(), " times ", repeats,
          " has more elements than a tensor can");
    shape[axis] *= count;
    out = repeated(out, axis, count, shape);
  }
  return apart_from(x, out);
}

}  // namespace

Tensor roll(Operand x, const Shape& shifts, const Shape& axes) {
  if (axes.empty()) {
    check(shifts.size() == 1, "roll: ", shifts.size(), " shifts without axes; there must be one");
    return reshape(rolled(reshape(*x, {-1}), shifts[0], 0), x->shape());
  }
  check(shifts.size() == axes.size(), "roll: shifts ", shifts, " for axes ", axes, "; each axis has one");
  Tensor out = *x;
  for (std::size_t i = 0; i < axes.size(); ++i) out = rolled(out, shifts[i], normalize_axis("roll", axes[i], x->dim()));
  return out;
}

Tensor rot90(Operand x, std::int64_t k, const Shape& axes) {
  check(axes.size() == 2, "rot90: axes ", axes, "; a plane has two");
  const auto first = static_cast<std::int64_t>(normalize_axis("rot90", axes[0], x->dim())),
             second = static_cast<std::int64_t>(normalize_axis("rot90", axes[1], x->dim()));
  check(first != second, "rot90: axes ", axes, " of shape ", x->shape(), " are the same; a plane has two");
  switch ((k % 4 + 4) % 4) {
    case 1:
      return flip(transpose(*x, first, second), {first});
    case 2:
      return flip(*x, {first, second});
    case 3:
      return flip(transpose(*x, first, second), {second});
    default:
      return *x;
  }
}

Tensor repeat(Operand x, const Shape& repeats) {
  check(repeats.size() >= x->dim(), "repeat: ", repeats, " for shape ", x->shape(),
        "; there is a number for each axis, or more (see tile)");
  return repeated("repeat", *x, repeats);
}

Tensor tile(Operand x, const Shape& repeats) {
  Shape all = repeats;
  while (all.size() < x->dim()) all.insert(0, 1);
  return repeated("tile", *x, all);
}

Tensor repeat_interleave(Operand x, std::int64_t repeats, std::int64_t axis) {
  constexpr const char* op = "repeat_interleave";
  const std::size_t at = normalize_axis(op, axis, x->dim());
  check(repeats >= 0, op, ": ", repeats, " repetitions; there cannot be less than 0");
  Shape shape = x->shape();
  check(shape[at] == 0 || repeats <= INT64_MAX / shape[at], op, ": ", x->shape(), " times ", repeats,
        " has more elements than a tensor can");
  shape[at] *= repeats;
  return apart_from(*x, repeated(*x, at + 1, repeats, shape));
}

Tensor repeat_interleave(Operand x, const Tensor& repeats, std::int64_t axis) {
  constexpr const char* op = "repeat_interleave";
  const std::size_t at = normalize_axis(op, axis, x->dim());
  check(repeats.shape() == Shape{x->shape()[at]} && detail::kind_of(repeats.dtype()) == detail::Kind::integer, op,
        ": repetitions of shape ", repeats.shape(), " and dtype ", repeats.dtype(), " for axis ", axis, " of shape ",
        x->shape(), "; an integer for each part is needed");
  const Tensor counts = repeats.to(int64).contiguous();
  for (const std::int64_t count : counts.span<const std::int64_t>())
    check(count >= 0, op, ": ", count, " repetitions; there cannot be less than 0");
  const Tensor which =
      searchsorted(cumsum(counts, 0), arange(sum(counts).item<std::int64_t>(), {.dtype = int64}), {.right = true});
  return index_select(*x, axis, which);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors, const MeshgridOptions& options,
                             detail::CallSite site) {
  const detail::CallSiteScope scope(site);
  return detail::with_memory_for("meshgrid", [&] {
    const bool exchange = options.indexing == MeshgridOptions::xy && vectors.size() >= 2;
    const auto axis_of = [&](std::size_t i) { return exchange && i < 2 ? 1 - i : i; };
    Shape shape = Shape::filled(vectors.size(), 1);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      check(vectors[i].dim() <= 1, "meshgrid: tensor ", i, " has shape ", vectors[i].shape(), "; it must be a vector");
      shape[axis_of(i)] = vectors[i].numel();
    }
    std::vector<Tensor> grids;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      Shape alone = Shape::filled(vectors.size(), 1);
      alone[axis_of(i)] = vectors[i].numel();
      grids.push_back(expand(reshape(vectors[i], alone), shape));
    }
    return grids;
  });
}

Tensor movedim(Operand x, const Shape& source, const Shape& destination) {
  check(source.size() == destination.size(), "movedim: axes ", source, " to ", destination,
        "; there must be as many of both");
  const std::size_t rank = x->dim();
  Shape order = Shape::filled(rank, -1);
  bool moved[Shape::max_rank] = {};
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::size_t from = normalize_axis("movedim", source[i], rank),
                      to = normalize_axis("movedim", destination[i], rank);
    check(!moved[from] && order[to] == -1, "movedim: axes ", source, " to ", destination, " of shape ", x->shape(),
          "; an axis is named twice");
    order[to] = static_cast<std::int64_t>(from);
    moved[from] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& axis : order) {
    if (axis != -1) continue;
    while (moved[next]) ++next;
    axis = static_cast<std::int64_t>(next++);
  }
  return permute(*x, order);
}

Tensor swapaxes(Operand x, std::int64_t axis0, std::int64_t axis1) { return transpose(*x, axis0, axis1); }

}  // namespace xgrad
