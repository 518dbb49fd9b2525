#include "sorting.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/sort.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "division.hpp"
#include "gather.hpp"
#include "indexing.hpp"
#include "math.hpp"
#include "rearranging.hpp"
#include "shape.hpp"

namespace xgrad {

namespace {

using detail::Rank;

/// The elements along an axis, which a kernel reads as rows.
struct Lines {
  Lines(const char* op, const Tensor& x, std::int64_t along)
      : without_axes(x.dim() == 0), all(without_axes ? reshape(x, {1}) : x) {
    axis = static_cast<std::int64_t>(normalize_axis(op, along, all.dim()));
    size = all.shape()[static_cast<std::size_t>(axis)];
    rows = detail::row_major(transpose(all.detach(), axis, -1).array());
  }

  /// Positions from find(to), `count` in each row.
  template <class F>
  Tensor positions(std::int64_t count, const F& find) const {
    Shape shape = rows.shape;
    shape[shape.size() - 1] = count;
    const Tensor found = detail::empty(shape, int64);
    find(found.data<std::int64_t>());
    return transpose(found, axis, -1).contiguous();
  }
  ValuesAndIndices at(const Tensor& positions, bool keepdim = true) const {
    ValuesAndIndices found{gather(all, axis, positions), positions};
    if (without_axes) return {reshape(found.values, {}), reshape(found.indices, {})};
    if (!keepdim) return {squeeze(found.values, axis), squeeze(found.indices, axis)};
    return found;
  }

  bool without_axes;
  Tensor all;
  std::int64_t axis, size;
  detail::Array rows;
};

Tensor sorted_positions(const Lines& lines, bool descending) {
  return lines.positions(lines.size,
                         [&](std::int64_t* to) { detail::sort_rows(lines.rows, lines.size, descending, to); });
}

ValuesAndIndices ranked(const char* op, const Tensor& x, std::int64_t axis, const Rank& rank, bool keepdim) {
  const Lines lines(op, x, axis);
  check(lines.size > 0, op, ": axis ", axis, " of shape ", x.shape(), " has no elements");
  check(rank.k >= 0 && rank.k < lines.size, op, ": k is ", rank.k + 1, ", and axis ", axis, " of shape ", x.shape(),
        " has ", lines.size, " elements; k counts from 1");
  const auto find = [&](std::int64_t* to) { detail::find_ranked(lines.rows, lines.size, rank, to); };
  return lines.at(lines.positions(1, find), keepdim);
}

Tensor median_of_all(const char* op, const Tensor& x, Rank::Kind kind) {
  if (x.numel() == 0 && is_floating(x.dtype())) return mean(x);  // NaN
  check(x.numel() > 0, op, ": shape ", x.shape(), " has no elements");
  return ranked(op, reshape(x, {-1}), 0, {kind}, false).values;
}

/// Equal rows among rows of n elements.
struct Groups {
  Groups(const detail::Array& x, std::int64_t rows, std::int64_t n) : inverse(detail::empty(rows, int64)) {
    const detail::Array elements = detail::row_major(x);
    const Tensor positions = detail::empty(rows, int64), begins = detail::empty(rows, int64);
    std::int64_t *const at = positions.data<std::int64_t>(), *const begin = begins.data<std::int64_t>();
    if (n == 1)
      detail::sort_rows(elements, rows, false, at);
    else
      detail::order_rows(elements, rows, n, at);
    const std::int64_t found = detail::group_equal(elements, rows, n, at, begin, inverse.data<std::int64_t>());
    counts = detail::empty(found, int64), firsts = detail::empty(found, int64);
    for (std::int64_t i = 0; i < found; ++i) {
      counts.data<std::int64_t>()[i] = (i + 1 < found ? begin[i + 1] : rows) - begin[i];
      firsts.data<std::int64_t>()[i] = at[begin[i]];
    }
  }
  Tensor inverse, counts, firsts;  // the group of each row, how large each is, and its first row
};

/// The places in sorted order between which the quantile lies, and how far it is from the first to the second.
struct Places {
  Tensor lower, upper, weight;
};
Places places_of(const Tensor& rank, const Tensor& last, Interpolation interpolation) {
  const Tensor below = floor(rank), above = minimum(below + 1, last), part = rank - below;
  switch (interpolation) {
    case Interpolation::linear:
      return {below, above, part};
    case Interpolation::lower:
      return {below, below, zeros_like(part)};
    case Interpolation::higher:
      return {where(part > 0, above, below), below, zeros_like(part)};
    case Interpolation::midpoint:
      return {below, where(part > 0, above, below), full_like(part, 0.5)};
    case Interpolation::nearest: {
      const Tensor even = remainder(below, 2) == 0, down = logical_or(part < 0.5, logical_and(part == 0.5, even));
      return {where(down, below, above), below, zeros_like(part)};
    }
  }
  fail("quantile: this is no Interpolation");
}

Tensor quantile_of(const char* op, const Tensor& x, const Tensor& q, const QuantileOptions& options, bool skip_nans) {
  check(is_floating(x.dtype()), op, ": expected a floating tensor, got dtype ", x.dtype(),
        "; convert it with .to(float32)");
  check(q.dim() <= 1, op, ": q has shape ", q.shape(), "; it is a number or a vector");
  check(!q.requires_grad(), op, ": q requires a gradient, but is a constant here; detach it");
  const Tensor fractions = reshape(q.to(float64), {-1});
  for (const double fraction : fractions.span<double>())
    check(fraction >= 0 && fraction <= 1, op, ": q is ", fraction, "; it must lie between 0 and 1");

  const bool along = options.axis.has_value() && x.dim() > 0;
  const Tensor all = along ? x : reshape(x, {-1});
  const auto at = along ? normalize_axis(op, *options.axis, x.dim()) : 0;
  const auto axis = static_cast<std::int64_t>(at);
  const std::int64_t size = all.shape()[at];
  check(size > 0, op, ": axis ", axis, " of shape ", all.shape(), " has no elements");
  const Tensor rows = transpose(sort(all, axis).values, axis, -1);

  const Tensor nans = sum(isnan(rows.detach()), -1, {.keepdim = true}).to(float64);
  const Tensor last = skip_nans ? maximum(static_cast<double>(size - 1) - nans, 0) : full_like(nans, size - 1);
  Tensor rank = fractions * last;
  if (!skip_nans) rank = where(nans > 0, last, rank);
  const Places places = places_of(rank, last, options.interpolation);
  const Tensor lower = gather(rows, -1, places.lower.to(int64)), upper = gather(rows, -1, places.upper.to(int64));
  const Tensor weight = places.weight.to(x.dtype());
  Tensor values = where(weight > 0, lower + weight * (upper - lower), lower);  // the difference of infinities is NaN

  values = transpose(values, axis, -1);
  Shape order = {axis}, shape = q.shape();  // that of the quantiles first
  for (std::size_t i = 0; i < all.dim(); ++i)
    if (i != at) order.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < x.dim(); ++i) {
    const bool reduced = !along || i == at;
    if (!reduced || options.keepdim) shape.push_back(reduced ? 1 : x.shape()[i]);
  }
  return reshape(permute(values, order), shape);
}

}  // namespace

ValuesAndIndices sort(Operand x, std::int64_t axis, const SortOptions& options) {
  const Lines lines("sort", *x, axis);
  return lines.at(sorted_positions(lines, options.descending));
}

Tensor argsort(Operand x, std::int64_t axis, const SortOptions& options) {
  const Lines lines("argsort", *x, axis);
  const Tensor positions = sorted_positions(lines, options.descending);
  return lines.without_axes ? reshape(positions, {}) : positions;
}

ValuesAndIndices topk(Operand x, std::int64_t k, std::int64_t axis, const TopkOptions& options) {
  const Lines lines("topk", *x, axis);
  check(k >= 0 && k <= lines.size, "topk: k is ", k, ", and axis ", axis, " of shape ", x->shape(), " has ", lines.size,
        " elements");
  const auto find = [&](std::int64_t* to) { detail::sort_first(lines.rows, lines.size, k, options.largest, to); };
  return lines.at(lines.positions(k, find));
}

ValuesAndIndices kthvalue(Operand x, std::int64_t k, std::int64_t axis, const ReduceOptions& options) {
  check(k >= 1, "kthvalue: k is ", k, "; it counts from 1");
  return ranked("kthvalue", *x, axis, {Rank::kth, k - 1}, options.keepdim);
}

Tensor median(Operand x) { return median_of_all("median", *x, Rank::median); }
ValuesAndIndices median(Operand x, Axis axis, const ReduceOptions& options) {
  return ranked("median", *x, axis, {Rank::median}, options.keepdim);
}
Tensor nanmedian(Operand x) { return median_of_all("nanmedian", *x, Rank::nanmedian); }
ValuesAndIndices nanmedian(Operand x, Axis axis, const ReduceOptions& options) {
  return ranked("nanmedian", *x, axis, {Rank::nanmedian}, options.keepdim);
}

ValuesAndIndices mode(Operand x, std::int64_t axis, const ReduceOptions& options) {
  const Lines lines("mode", *x, axis);
  check(lines.size > 0, "mode: axis ", axis, " of shape ", x->shape(), " has no elements");
  const auto find = [&](std::int64_t* to) { detail::find_mode(lines.rows, lines.size, to); };
  return lines.at(lines.positions(1, find), options.keepdim);
}

Tensor quantile(Operand x, const Tensor& q, const QuantileOptions& options) {
  return quantile_of("quantile", *x, q, options, false);
}
Tensor quantile(Operand x, double q, const QuantileOptions& options) {
  return quantile_of("quantile", *x, full({}, q, {.dtype = float64}), options, false);
}
Tensor nanquantile(Operand x, const Tensor& q, const QuantileOptions& options) {
  return quantile_of("nanquantile", *x, q, options, true);
}
Tensor nanquantile(Operand x, double q, const QuantileOptions& options) {
  return quantile_of("nanquantile", *x, full({}, q, {.dtype = float64}), options, true);
}

UniqueValues unique(Operand x) {
  const Groups groups(reshape(*x, {-1}).array(), x->numel(), 1);
  return {gather(reshape(*x, {-1}), 0, groups.firsts), reshape(groups.inverse, x->shape()), groups.counts};
}

UniqueValues unique(Operand x, Axis axis) {
  const std::size_t at = normalize_axis("unique", axis, x->dim());
  const std::int64_t count = x->shape()[at];
  const Groups groups(movedim(x->detach(), {axis}, {0}).array(), count, count > 0 ? x->numel() / count : 0);
  return {index_select(*x, axis, groups.firsts), groups.inverse, groups.counts};
}

}  // namespace xgrad
