#pragma once
// Which parameters mattered.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// PED-ANOVA (Watanabe et al., arXiv 2304.10255, for conditional parameters arXiv 2601.20800): how much each parameter
/// decided whether a trial was among the good ones, the Pearson divergence between the parameter's density in good
/// trials and in all, as Optuna 5.0's PedAnovaImportanceEvaluator; ranges are divided into 50 in their scale.
///
/// Complete trials count, better by their value; and, which Optuna leaves out, pruned and paused ones that reported:
/// behind the complete ones, those that came further before the others, at the same step by what they reported. Under
/// successive halving these are most trials, and what the complete ones have in common is what made them good.
struct PedAnova {
  double quantile = 0.1;  ///< what counts as good: the best ceil(quantile * n) trials, and those equal to the last
};

/// fANOVA (Hutter, Hoos and Leyton-Brown, ICML 2014): which part of the variance of the values each parameter explains
/// by itself. A forest of regression trees, each on a bootstrap sample of the complete trials, is integrated exactly
/// over the other parameters; the variance of that marginal is divided by the tree's. Of the parameters that all
/// complete trials have; where trials are pruned, PedAnova knows more.
///
/// Optuna's FanovaImportanceEvaluator goes by a parameter's value, where here it is its coordinate u (with log_scale
/// every decade counts the same), and of three or more choices also by combinations that no trial can have.
struct Fanova {
  int trees = 64;
  int max_depth = 64;
  std::uint64_t seed = 0;
};

struct ImportanceOptions {
  std::variant<PedAnova, Fanova> evaluator = PedAnova{};
  std::size_t objective = 0;  ///< by which value
};

/// How much each parameter mattered, the most important first; they sum to 1, or are all 0 when nothing is known.
/// Trials whose value is not finite are left out. Throws Error unless 0 < quantile < 1, there is a tree of depth 1, and
/// the study has the objective.
std::vector<std::pair<std::string, double>> importance(const History& history, const ImportanceOptions& options = {});

/// The divergence of one parameter: how far the density of the values `good` is from that of `all`, of which they are a
/// part.
double pearson_divergence(const Distribution& distribution, const std::vector<double>& good,
                          const std::vector<double>& all);

}  // namespace xgrad::tune
