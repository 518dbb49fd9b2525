#include "margin_loss.hpp"

#include <algorithm>
#include <limits>

#include "../autograd/autocast.hpp"
#include "distance.hpp"
#include "elementwise.hpp"
#include "gather.hpp"
#include "loss_terms.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Scores (N, C) of scores (N, C) or (C,).
Tensor as_rows(const char* op, const Tensor& x) {
  check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; scores are floating numbers");
  check((x.dim() == 1 || x.dim() == 2) && x.size(-1) > 0, op, ": input has shape ", x.shape(),
        ", expected (N, C) or (C,) with C above 0");
  return x.dim() == 1 ? unsqueeze(x, 0) : x;
}

/// Row-major int64 class indices, which are from `low` on and below `classes`.
Tensor as_classes(const char* op, const Tensor& target, std::int64_t low, std::int64_t classes) {
  check(!is_floating(target.dtype()), op, ": target is ", target.dtype(), "; class indices are integers");
  Tensor labels = target.to(int64).contiguous();
  const std::int64_t* at = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    check(at[i] >= low && at[i] < classes, op, ": target ", at[i], " at position ", i,
          " of the targets is none of the ", classes, " classes, which are numbered from 0");
  return labels;
}

/// The rows' losses reduced; those of one row without an axis are a number.
Tensor reduced_rows(const Tensor& losses, const Tensor& input, Reduction reduction) {
  return detail::reduced(input.dim() == 1 ? squeeze(losses, 0) : losses, reduction);
}

}  // namespace

Tensor hinge_embedding_loss(Operand given, const Tensor& wanted, const HingeEmbeddingLossOptions& options) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "hinge_embedding_loss";
  detail::expect_equal_shapes(op, *input, target);
  const auto loss = elementwise(op, [margin = options.margin](auto x, auto t) {
    return where(t != 1, clamp(margin - x, 0, infinity), 0) + where(t != -1, x, 0);
  });
  return detail::reduced(loss(*input, target), options.reduction);
}

Tensor cosine_embedding_loss(Operand a, const Tensor& b, const Tensor& target,
                             const CosineEmbeddingLossOptions& options) {
  const detail::MaybeOwned x1 = detail::in_float32(*a);
  const Tensor x2 = detail::in_float32(b);
  constexpr const char* op = "cosine_embedding_loss";
  detail::expect_equal_shapes(op, *x1, x2, "x2");
  check(x1->dim() == 1 || x1->dim() == 2, op, ": the inputs have shape ", x1->shape(), ", expected (N, D) or (D,)");
  Shape rows = x1->shape();
  rows.erase(rows.size() - 1);
  check(target.shape() == rows, op, ": target has shape ", target.shape(), "; inputs of shape ", x1->shape(), " need ",
        rows);
  constexpr double eps = 1e-12;  // PyTorch's, which makes the cosine of a zero vector 0
  const auto squares = [](const Tensor& x) { return sum(square(x), -1) + eps; };
  const Tensor cosine = sum(*x1 * x2, -1) / sqrt(squares(*x1) * squares(x2));
  const auto loss = elementwise(op, [margin = options.margin](auto c, auto t) {
    return where(t == 1, 1 - c, 0) + where(t == -1, clamp(c - margin, 0, infinity), 0);
  });
  return detail::reduced(loss(cosine, target), options.reduction);
}

Tensor margin_ranking_loss(Operand a, const Tensor& b, const Tensor& target, const MarginRankingLossOptions& options) {
  const detail::MaybeOwned x1 = detail::in_float32(*a);
  const Tensor x2 = detail::in_float32(b);
  constexpr const char* op = "margin_ranking_loss";
  detail::expect_equal_shapes(op, *x1, x2, "x2");
  detail::expect_equal_shapes(op, *x1, target);
  const auto loss = elementwise(
      op, [margin = options.margin](auto v, auto w, auto t) { return clamp(t * (w - v) + margin, 0, infinity); });
  return detail::reduced(loss(*x1, x2, target), options.reduction);
}

Tensor triplet_margin_with_distance_loss(Operand given, const Tensor& same, const Tensor& other,
                                         const TripletMarginWithDistanceLossOptions& options) {
  const detail::MaybeOwned anchor = detail::in_float32(*given);
  const Tensor positive = detail::in_float32(same), negative = detail::in_float32(other);
  constexpr const char* op = "triplet_margin_loss";
  detail::expect_equal_shapes(op, *anchor, positive, "positive");
  detail::expect_equal_shapes(op, *anchor, negative, "negative");
  check(options.margin > 0, op, ": margin is ", options.margin, ", expected a number above 0");
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return options.distance_function ? options.distance_function(a, b) : pairwise_distance(a, b);
  };
  const Tensor near = distance(*anchor, positive);
  Tensor far = distance(*anchor, negative);
  check(near.shape() == far.shape(), op, ": the distance function gave shapes ", near.shape(), " and ", far.shape());
  if (options.swap) far = minimum(far, distance(positive, negative));
  return detail::reduced(clamp(near - far + options.margin, 0), options.reduction);
}

Tensor triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options) {
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return pairwise_distance(a, b, {.p = options.p, .eps = options.eps});
  };
  return triplet_margin_with_distance_loss(
      *anchor, positive, negative,
      {.distance_function = distance, .margin = options.margin, .swap = options.swap, .reduction = options.reduction});
}

Tensor soft_margin_loss(Operand given, const Tensor& wanted, Reduction reduction) {
  const detail::MaybeOwned input = detail::in_float32(*given);
  const Tensor target = detail::in_float32(wanted);
  constexpr const char* op = "soft_margin_loss";
  detail::expect_equal_shapes(op, *input, target);
  constexpr auto loss = elementwise(op, [](auto x, auto t) { return softplus(-t * x); });
  return detail::reduced(loss(*input, target), reduction);
}

Tensor multi_margin_loss(Operand input, const Tensor& target, const MultiMarginLossOptions& options) {
  constexpr const char* op = "multi_margin_loss";
  const detail::MaybeOwned scores = detail::in_float32(*input);
  const Tensor x = as_rows(op, *scores);
  const std::int64_t classes = x.size(1);
  Shape expected = input->shape();
  expected.erase(expected.size() - 1);
  check(target.shape() == expected, op, ": target has shape ", target.shape(), "; input of shape ", input->shape(),
        " needs class indices of shape ", expected);
  check(options.p == 1 || options.p == 2, op, ": p is ", options.p, ", expected 1 or 2");
  check(!options.weight.defined() || options.weight.shape() == Shape{classes}, op, ": weight has shape ",
        options.weight.defined() ? options.weight.shape() : Shape(), "; ", classes, " classes need (", classes, ",)");
  const Tensor labels = reshape(as_classes(op, target, 0, classes), {x.size(0), 1});
  const Tensor behind = relu(x - (gather(x, 1, labels) - options.margin));
  const Tensor others = where(arange(classes, {.dtype = int64}) == labels, 0, options.p == 1 ? behind : square(behind));
  Tensor losses = sum(others, 1) / static_cast<double>(classes);
  if (options.weight.defined()) losses = losses * gather(options.weight, 0, reshape(labels, {-1}));
  return reduced_rows(losses, *input, options.reduction);
}

Tensor multilabel_margin_loss(Operand input, const Tensor& target, Reduction reduction) {
  constexpr const char* op = "multilabel_margin_loss";
  const detail::MaybeOwned scores = detail::in_float32(*input);
  const Tensor x = as_rows(op, *scores);
  const std::int64_t rows = x.size(0), classes = x.size(1);
  check(target.shape() == input->shape(), op, ": target has shape ", target.shape(), "; it must be that of the input, ",
        input->shape());
  Tensor labels = reshape(as_classes(op, target, -1, classes), {rows, classes}).clone();
  const Tensor is_label = zeros({rows, classes}, {.dtype = bool_}), is_other = ones({rows, classes}, {.dtype = bool_});
  std::int64_t most = 1;  // labels of one row
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t* of_row = labels.data<std::int64_t>() + row * classes;
    const std::int64_t count = std::find(of_row, of_row + classes, -1) - of_row;
    most = std::max(most, count);
    std::fill_n(is_label.data<bool>() + row * classes, count, true);
    for (std::int64_t i = 0; i < count; ++i) is_other.data<bool>()[row * classes + of_row[i]] = false;
    std::fill(of_row + count, of_row + classes, 0);
  }
  // (N, target, other)
  const Tensor of_target = unsqueeze(gather(x, 1, slice(labels, 1, 0, most)), 2), of_other = unsqueeze(x, 1);
  const Tensor counts = unsqueeze(slice(is_label, 1, 0, most), 2) && unsqueeze(is_other, 1);
  const Tensor losses = sum(where(counts, relu(of_other - of_target + 1), 0), {1, 2}) / static_cast<double>(classes);
  return reduced_rows(losses, *input, reduction);
}

Tensor multilabel_soft_margin_loss(Operand input, const Tensor& target,
                                   const MultilabelSoftMarginLossOptions& options) {
  constexpr const char* op = "multilabel_soft_margin_loss";
  detail::expect_equal_shapes(op, *input, target);
  check(input->dim() > 0, op, ": input has no axis of classes");
  const Tensor losses =
      binary_cross_entropy_with_logits(*input, target, {.weight = options.weight, .reduction = Reduction::none});
  return detail::reduced(mean(losses, -1), options.reduction);
}

}  // namespace xgrad
