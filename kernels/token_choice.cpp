#include "token_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace xgrad::detail {

void penalize_repetition(std::span<double> logits, std::span<const std::int64_t> seen, double penalty) {
  if (penalty == 1) return;
  std::vector<std::int64_t> once(seen.begin(), seen.end());
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  for (const std::int64_t token : once) {
    double& logit = logits[static_cast<std::size_t>(token)];
    logit = logit > 0 ? logit / penalty : logit * penalty;
  }
}

std::int64_t TokenChoice::operator()(std::span<const float> logits, std::span<const std::int64_t> seen,
                                     double uniform) {
  weights_.assign(logits.begin(), logits.end());
  penalize_repetition(weights_, seen, rule_.repetition_penalty);
  std::int64_t largest = -1;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (std::isnan(weights_[i]) || weights_[i] == std::numeric_limits<double>::infinity()) return -1;
    if (weights_[i] >
        (largest < 0 ? -std::numeric_limits<double>::infinity() : weights_[static_cast<std::size_t>(largest)]))
      largest = static_cast<std::int64_t>(i);
  }
  if (largest < 0 || rule_.temperature == 0) return largest;

  const double top = weights_[static_cast<std::size_t>(largest)];
  for (double& weight : weights_) weight = std::exp((weight - top) / rule_.temperature);
  order_.resize(weights_.size());
  std::iota(order_.begin(), order_.end(), 0);
  const auto weight_of = [&](std::int64_t token) { return weights_[static_cast<std::size_t>(token)]; };
  const auto larger = [&](std::int64_t a, std::int64_t b) {
    return weight_of(a) != weight_of(b) ? weight_of(a) > weight_of(b) : a < b;
  };
  if (rule_.top_k > 0 && rule_.top_k < static_cast<std::int64_t>(order_.size())) {
    std::nth_element(order_.begin(), order_.begin() + rule_.top_k, order_.end(), larger);
    order_.resize(static_cast<std::size_t>(rule_.top_k));
  }
  const auto sum = [&] {
    return std::accumulate(order_.begin(), order_.end(), 0.0,
                           [&](double s, std::int64_t i) { return s + weight_of(i); });
  };
  if (rule_.top_p < 1) {  // as many as are needed, from a heap, for they are most often few
    const double wanted = rule_.top_p * sum();
    const auto smaller = [&](std::int64_t a, std::int64_t b) { return larger(b, a); };
    std::make_heap(order_.begin(), order_.end(), smaller);
    auto end = order_.end();
    double mass = 0;
    do {
      std::pop_heap(order_.begin(), end--, smaller);
      mass += weight_of(*end);
    } while (mass < wanted && end != order_.begin());
    order_.erase(order_.begin(), end);
  }
  std::sort(order_.begin(), order_.end());
  double left = uniform * sum();
  std::int64_t chosen = largest;
  for (const std::int64_t token : order_) {
    if (weight_of(token) == 0) continue;
    chosen = token;
    left -= weight_of(token);
    if (left < 0) break;
  }
  return chosen;
}

}  // namespace xgrad::detail
