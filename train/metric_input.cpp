#include "metric_input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::train::detail {

Rows rows(const char* op, const Tensor& prediction) {
  check(prediction.defined() && prediction.dim() > 0, op, ": predictions have the samples as first axis");
  Rows out{prediction.detach().to(float64).contiguous(), prediction.size(0)};
  for (std::size_t axis = 1; axis < prediction.dim(); ++axis) out.width *= prediction.shape()[axis];
  return out;
}

std::vector<std::int64_t> class_numbers(const char* op, const Tensor& target, std::int64_t samples,
                                        std::int64_t classes) {
  check(target.defined(), op, ": the targets are an undefined tensor");
  const Shape& shape = target.shape();
  check((shape.size() == 1 || (shape.size() == 2 && shape[1] == 1)) && shape[0] == samples, op, ": targets of shape ",
        shape, " do not go along with the predictions of ", samples,
        " samples; they are class numbers of shape (N,) or (N, 1)");
  const auto expect = [&](double number) {
    check(number >= 0 && number < static_cast<double>(classes) && number == std::floor(number), op, ": ", number,
          " is no class; there are ", classes, ", from 0");
  };
  if (is_floating(target.dtype()))
    for (const double number : target.detach().to_vector<double>()) expect(number);
  std::vector<std::int64_t> numbers = target.detach().to_vector<std::int64_t>();
  for (const std::int64_t number : numbers) expect(static_cast<double>(number));
  return numbers;
}

namespace {

double epsilon(DType dtype) {
  return dtype == float32    ? std::numeric_limits<float>::epsilon()
         : dtype == float16  ? std::ldexp(1, -10)
         : dtype == bfloat16 ? std::ldexp(1, -7)
                             : std::numeric_limits<double>::epsilon();
}

double log_sum_exp(std::span<const double> scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - largest);
  return largest + std::log(sum);
}

double log_sigmoid(double score) { return std::min(score, 0.0) - std::log1p(std::exp(-std::abs(score))); }

}  // namespace

std::vector<double> target_log_probabilities(const char* op, const Tensor& prediction, const Tensor& target,
                                             bool from_logits) {
  const Rows scores = rows(op, prediction);
  check(prediction.dim() <= 2 && is_floating(prediction.dtype()) && (scores.width > 0 || scores.count == 0), op,
        ": predictions of shape ", prediction.shape(), " and dtype ", prediction.dtype(),
        "; (N, C) scores of C classes, or (N,) of class 1, are needed");
  const bool binary = scores.width == 1;
  const std::vector<std::int64_t> labels = class_numbers(op, target, scores.count, binary ? 2 : scores.width);
  const double least = epsilon(prediction.dtype());
  std::vector<double> out(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const double> row = scores[static_cast<std::int64_t>(i)];
    if (from_logits) {
      out[i] = binary ? log_sigmoid(labels[i] ? row[0] : -row[0])
                      : row[static_cast<std::size_t>(labels[i])] - log_sum_exp(row);
      continue;
    }
    for (const double p : row)
      check(p >= 0 && p <= 1, op, ": ", p, " is no probability; for scores of any size say {.from_logits = true}");
    const double p = binary ? (labels[i] ? row[0] : 1 - row[0]) : row[static_cast<std::size_t>(labels[i])];
    out[i] = std::log(std::clamp(p, least, 1 - least));
  }
  return out;
}

}  // namespace xgrad::train::detail
