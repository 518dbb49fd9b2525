#pragma once
// The next token from a row of logits, outside the graph.

#include <cstdint>
#include <span>
#include <vector>

namespace xgrad::detail {

struct TokenRule {
  double temperature;  // logits are divided by it; 0: the largest one wins
  std::int64_t top_k;  // only so many of the largest ones; 0: all
  double top_p;        // only so many of the largest ones as together have this probability
  double repetition_penalty;
};

/// A token that is drawn by `uniform` in [0, 1) and the rule. Equal logits count as larger at the lower number. -1
/// where a logit is NaN or infinite, or all are -infinite. Not for concurrent use.
class TokenChoice {
 public:
  explicit TokenChoice(const TokenRule& rule) : rule_(rule) {}

  /// `seen`, the tokens that were there before, all below the number of logits: theirs are divided by the penalty if
  /// positive, else multiplied by it.
  std::int64_t operator()(std::span<const float> logits, std::span<const std::int64_t> seen, double uniform);

 private:
  const TokenRule rule_;
  std::vector<double> weights_;
  std::vector<std::int64_t> order_;
};

/// The logits with the penalty of a TokenRule.
void penalize_repetition(std::span<double> logits, std::span<const std::int64_t> seen, double penalty);

}  // namespace xgrad::detail
