#include "distance.hpp"

#include <cmath>

#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "arithmetic.hpp"
#include "math.hpp"
#include "norm.hpp"
#include "shape.hpp"
#include "unary.hpp"

namespace xgrad {

namespace {

/// Both floating, of one dtype.
std::pair<Tensor, Tensor> alike(const Tensor& left, const Tensor& right) {
  const detail::MaybeOwned in_a = detail::in_float32(left), in_b = detail::in_float32(right);
  const Tensor &a = in_a, &b = in_b;
  DType dtype = promote(a.dtype(), b.dtype());
  if (!is_floating(dtype)) dtype = float32;
  return {a.to(dtype), b.to(dtype)};
}

void expect_norm(const char* op, double p) { check(p >= 0, op, ": p is ", p, "; it must not be negative"); }

Tensor distances(const Tensor& a, const Tensor& b, double p) {
  return norm(unsqueeze(a, -2) - unsqueeze(b, -3), p, -1);
}

// Coordinate k of point j lies at columns[k * n + j], so that loops over points are those over neighbours in memory.

/// Squares of the distances of one point to `count` others, for Sum double or T, into `sums`.
template <class Sum, class T>
[[gnu::always_inline]] inline void add_squares(const T* point, std::int64_t d, const T* columns, std::int64_t n,
                                               std::int64_t count, Sum* sums) {
  for (std::int64_t j = 0; j < count; ++j) sums[j] = 0;
  for (std::int64_t k = 0; k < d; ++k) {
    const Sum coordinate = static_cast<Sum>(point[k]);
    const T* const column = columns + k * n;
    XGRAD_INDEPENDENT_ITERATIONS
    for (std::int64_t j = 0; j < count; ++j) {
      const Sum difference = coordinate - static_cast<Sum>(column[j]);
      sums[j] += difference * difference;
    }
  }
}

/// The distances of one point to n others.
template <class T>
void distances_from(const T* point, std::int64_t d, const T* columns, std::int64_t n, T* out) {
  constexpr std::int64_t together = 128;
  vectorized([=] {
    T sums[together];
    double wide_sums[together];
    for (std::int64_t begin = 0; begin < n; begin += together) {
      const std::int64_t count = n - begin < together ? n - begin : together;
      add_squares(point, d, columns + begin, n, count, sums);
      // Squares of float that overflowed or vanished are added up again in double.
      bool in_range = true;
      for (std::int64_t j = 0; j < count; ++j) in_range = in_range && sums[j] > T(1e-30) && sums[j] < T(1e30);
      if (in_range || sizeof(T) == sizeof(double)) {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t j = 0; j < count; ++j) out[begin + j] = elementary::sqrt(sums[j]);
        continue;
      }
      add_squares(point, d, columns + begin, n, count, wide_sums);
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t j = 0; j < count; ++j) out[begin + j] = static_cast<T>(elementary::sqrt(wide_sums[j]));
    }
  });
}

/// The sum over n points j of weights[j] times the difference of one point and these.
template <class T>
void weighted_differences(const T* point, std::int64_t d, const T* columns, const T* weights, std::int64_t n, T* out) {
  constexpr std::int64_t together = 16;
  vectorized([=] {
    for (std::int64_t k = 0; k < d; ++k) {
      const T coordinate = point[k];
      const T* const column = columns + k * n;
      T sums[together] = {}, total = 0;
      std::int64_t begin = 0;
      for (; begin + together <= n; begin += together)
        for (std::int64_t j = 0; j < together; ++j) sums[j] += weights[begin + j] * (coordinate - column[begin + j]);
      for (; begin < n; ++begin) total += weights[begin] * (coordinate - column[begin]);
      for (std::int64_t j = 0; j < together; ++j) total += sums[j];
      out[k] = total;
    }
  });
}

/// f(i, points of the batch) for each point i of a (..., m, d), in parallel, where one costs about n d operations.
template <class F>
void for_each_point(const Tensor& points, std::int64_t n, const F& f) {
  const std::int64_t m = points.size(-2), d = points.size(-1);
  const std::int64_t grain = 16384 / std::max<std::int64_t>(n * d, 1) + 1;
  parallel_for(points.numel() / std::max<std::int64_t>(d, 1), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(i, i / m * n * d);
  });
}

Tensor as_columns(const Tensor& points) { return transpose(points.detach(), -2, -1).contiguous(); }

/// For each point of a the sum over those of b of their differences, weighted by w (..., m, n).
Tensor weighted(const Tensor& w, const Tensor& a, const Tensor& b) {
  const Tensor points = detail::dense(a), columns = as_columns(b), weights = detail::dense(w);
  const Tensor out = zeros_like(points);
  const std::int64_t n = b.size(-2), d = a.size(-1);
  dispatch_floating("cdist", a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_point(points, n, [&](std::int64_t i, std::int64_t batch) {
      weighted_differences(points.data<T>() + i * d, d, columns.data<T>() + batch, weights.data<T>() + i * n, n,
                           out.data<T>() + i * d);
    });
  });
  return out;
}

/// Euclidean distances, without the differences of all pairs in memory.
struct Euclidean {
  static constexpr const char* name = "cdist";
  Saved a = {}, b = {}, y = {};

  Tensor forward(const Tensor& left, const Tensor& right) {
    Shape shape = left.shape();
    const std::int64_t n = right.size(-2), d = left.size(-1);
    shape[shape.size() - 1] = n;
    const Tensor out = zeros(shape, {.dtype = left.dtype()});
    a = left, b = right, y = out;
    if (out.numel() == 0 || d == 0) return out;
    const Tensor points = detail::dense(left), columns = as_columns(right);
    dispatch_floating(name, left.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for_each_point(points, n, [&](std::int64_t i, std::int64_t batch) {
        distances_from(points.data<T>() + i * d, d, columns.data<T>() + batch, n, out.data<T>() + i * n);
      });
    });
    return out;
  }

  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    const auto formula = [](const Tensor& left, const Tensor& right) { return distances(left, right, 2); };
    if (is_grad_enabled()) return detail::composed_backward(formula, std::array<Tensor, 2>{a, b}, grad, needs);
    // The derivative by a point is the difference over the distance.
    const auto weight = [](const auto& g, const auto& distance) {
      return where(distance == 0, 0, g / where(distance == 0, 1, distance));
    };
    const Tensor w = detail::map(name, weight, grad, Tensor(y));
    return {needs[0] ? weighted(w, a, b) : Tensor(), needs[1] ? weighted(transpose(w, -2, -1), b, a) : Tensor()};
  }
};

}  // namespace

Tensor cdist(Operand a, Operand b, double p) {
  constexpr const char* op = "cdist";
  expect_norm(op, p);
  check(a->dim() >= 2 && b->dim() >= 2 && a->size(-1) == b->size(-1), op, ": tensors of shapes ", a->shape(), " and ",
        b->shape(), "; they must be (..., m, d) and (..., n, d)");
  const auto [left, right] = alike(*a, *b);
  if (p != 2) return distances(left, right, p);
  const Shape batch =
      broadcast_shapes(op, Shape(a->shape().begin(), a->dim() - 2), Shape(b->shape().begin(), b->dim() - 2));
  const auto in_batch = [&](const Tensor& x) {
    Shape shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return expand(x, shape);
  };
  const detail::MaybeOwned x = detail::widened(left), y = detail::widened(right);
  return detail::narrowed(apply(Euclidean{}, in_batch(x), in_batch(y)), left.dtype());
}

Tensor pairwise_distance(Operand a, Operand b, const PairwiseDistanceOptions& options) {
  expect_norm("pairwise_distance", options.p);
  const auto [left, right] = alike(*a, *b);
  return norm(left - right + options.eps, options.p, -1, {.keepdim = options.keepdim});
}

Tensor cosine_similarity(Operand a, Operand b, std::int64_t axis, const CosineSimilarityOptions& options) {
  constexpr const char* op = "cosine_similarity";
  check(options.eps >= 0, op, ": eps is ", options.eps, "; it must not be negative");
  const Shape shape = broadcast_shapes(op, a->shape(), b->shape());
  const auto at = static_cast<std::int64_t>(normalize_axis(op, axis, shape.size()));
  const auto [left, right] = alike(*a, *b);
  const auto unit = [&](const Tensor& x) {
    const Tensor all = expand(x, shape);
    return all / maximum(norm(all, 2, at, {.keepdim = true}), options.eps);
  };
  return sum(unit(left) * unit(right), at);
}

Tensor normalize(Operand x, const Axes& axes, const NormalizeOptions& options) {
  expect_norm("normalize", options.p);
  check(options.eps >= 0, "normalize: eps is ", options.eps, "; it must not be negative");
  const detail::MaybeOwned in = detail::floating(*x);
  return *in / maximum(norm(*in, options.p, axes, {.keepdim = true}), options.eps);
}

}  // namespace xgrad
