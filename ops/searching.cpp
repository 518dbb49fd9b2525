#include "searching.hpp"

#include <cmath>
#include <tuple>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/search.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "extrema.hpp"
#include "gather.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

Tensor find_places(const char* op, const Tensor& sorted, const Tensor& values, bool right) {
  check(sorted.dim() >= 1, op, ": the sorted sequence has no axis");
  const std::int64_t n = sorted.shape().back();
  std::int64_t per_row = values.numel();
  if (sorted.dim() > 1) {
    check(values.dim() == sorted.dim() &&
              std::equal(sorted.shape().begin(), sorted.shape().end() - 1, values.shape().begin()),
          op, ": a sequence of shape ", sorted.shape(), " and values of shape ", values.shape(),
          "; all axes but the last must be the same, or the sequence be a vector");
    per_row = values.shape().back();
  }
  const DType dtype = promote(sorted.dtype(), values.dtype());
  const Tensor places = detail::empty(values.shape(), int64);
  if (values.numel() > 0)
    detail::find_places(detail::row_major(detail::as_dtype(sorted, dtype)), n,
                        detail::row_major(detail::as_dtype(values, dtype)), per_row, right,
                        places.data<std::int64_t>());
  return places;
}

Histogram fill_bins(const Tensor& x, const Tensor& edges, const HistogramOptions& options) {
  const DType computed = detail::compute_dtype(x.dtype());
  const std::int64_t bins = edges.numel() - 1;
  const auto numbers = [computed](const Tensor& of) { return detail::row_major(detail::as_dtype(of, computed)); };
  const Tensor sums = zeros(bins, {.dtype = float64});
  const detail::Array elements = numbers(x), edge = numbers(edges);
  if (options.weight.defined()) {
    check(options.weight.shape() == x.shape() && options.weight.dtype() == x.dtype(), "histogram: weights of shape ",
          options.weight.shape(), " and dtype ", options.weight.dtype(), " for shape ", x.shape(), " and dtype ",
          x.dtype(), "; they must be the same");
    const detail::Array weight = numbers(options.weight);
    detail::add_to_bins(elements, edge, &weight, sums.data<double>());
  } else {
    detail::add_to_bins(elements, edge, nullptr, sums.data<double>());
  }
  if (!options.density) return {sums.to(x.dtype()), edges.to(x.dtype())};
  const Tensor at = edges.to(float64);
  const Tensor density = sums / sum(sums) / (slice(at, 0, 1) - slice(at, 0, 0, -1));
  return {density.to(x.dtype()), edges.to(x.dtype())};
}

void expect_no_gradient(const Tensor& x, const HistogramOptions& options) {
  check(is_floating(x.dtype()), "histogram: expected a floating tensor, got dtype ", x.dtype(),
        "; convert it with .to(float32)");
  check(!is_grad_enabled() || !(x.requires_grad() || options.weight.requires_grad()),
        "histogram: an input requires a gradient, and counts have none; detach it");
}

Tensor count(const Tensor& x, const Tensor* weights, std::int64_t min_length) {
  check(x.dim() == 1 && detail::kind_of(x.dtype()) != detail::Kind::floating, "bincount: a tensor of shape ", x.shape(),
        " and dtype ", x.dtype(), "; a vector of integers is needed");
  check(min_length >= 0, "bincount: min_length is ", min_length, "; it cannot be negative");
  check(!weights || weights->shape() == x.shape(), "bincount: weights of shape ", weights ? weights->shape() : Shape(),
        " for shape ", x.shape(), "; they must be the same");
  const Tensor numbers = x.to(int64);
  std::int64_t length = min_length;
  if (x.numel() > 0) {
    const auto least = min(numbers).item<std::int64_t>(), largest = max(numbers).item<std::int64_t>();
    check(least >= 0, "bincount: ", least, " is negative; only numbers from 0 on are counted");
    check(largest < INT64_MAX, "bincount: ", largest, " is more than can be counted");
    length = std::max(length, largest + 1);
  }
  const Tensor terms = weights ? *weights : ones(x.shape(), {.dtype = int64});
  return scatter_add(zeros(length, {.dtype = terms.dtype()}), 0, numbers, terms);
}

}  // namespace

Tensor searchsorted(const Tensor& sorted, Operand values, const SearchOptions& options) {
  return find_places("searchsorted", sorted, *values, options.right);
}

Tensor bucketize(Operand values, const Tensor& boundaries, const SearchOptions& options) {
  check(boundaries.dim() == 1, "bucketize: boundaries of shape ", boundaries.shape(), "; they are a vector");
  return find_places("bucketize", boundaries, *values, options.right);
}

Histogram histogram(Operand x, std::int64_t bins, const HistogramOptions& options) {
  expect_no_gradient(*x, options);
  check(bins >= 1, "histogram: ", bins, " bins; at least 1 is needed");
  double low = 0, high = 1;
  if (options.range) {
    std::tie(low, high) = *options.range;
  } else if (x->numel() > 0) {
    low = amin(x->detach()).item(), high = amax(x->detach()).item();
  }
  check(std::isfinite(low) && std::isfinite(high) && low <= high, "histogram: the range from ", low, " to ", high,
        " is not one; low and high are finite numbers in this order");
  if (low == high) low -= 0.5, high += 0.5;
  const DType computed = detail::compute_dtype(x->dtype());
  return fill_bins(*x, linspace(low, high, bins + 1, {.dtype = computed}), options);
}

Histogram histogram(Operand x, const Tensor& edges, const HistogramOptions& options) {
  expect_no_gradient(*x, options);
  check(edges.dim() == 1 && edges.numel() >= 2, "histogram: edges of shape ", edges.shape(),
        "; they are a vector of two or more");
  check(!options.range, "histogram: edges and a range are given; the edges say the range");
  const Tensor at = edges.detach().to(float64);
  check(all(slice(at, 0, 1) >= slice(at, 0, 0, -1)).item<bool>(), "histogram: the edges do not ascend");
  return fill_bins(*x, at, options);
}

Tensor bincount(Operand x, std::int64_t min_length) { return count(*x, nullptr, min_length); }
Tensor bincount(Operand x, Operand weights, std::int64_t min_length) { return count(*x, &*weights, min_length); }

}  // namespace xgrad
