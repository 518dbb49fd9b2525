#pragma once
// The density estimate of TPE.

#include <cstdint>
#include <utility>
#include <vector>

#include "../trials/distribution.hpp"
#include "../trials/draws.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune {

/// A mixture of one kernel an observation, and one prior kernel, over some parameters at once: Bergstra et al.,
/// "Algorithms for hyper-parameter optimization", with the weights and bandwidths of Optuna's TPESampler.
///   - Kernel k is a product over the parameters. On an axis z it is a normal at the observation, truncated to the
///   range;
///     sigma is the larger gap to a neighbour, where the ends of the range are neighbours of the outermost observations
///     only if there is one observation, clipped to [width / min(100, n + 2), width]. The prior: middle and width.
///   - With steps, the probability is that of the cell half a step to each side.
///   - A choice among c: probability proportional to 1 / (n + 1), plus 1 for the one observed.
///   - Weights in the order of trial numbers: 1 if n < 25, else from 1/n rising linearly to 1, and 1 for the last 25;
///     the prior has weight 1.
/// Observations are added and taken out one by one at O(n) simple moves and a constant number of kernels made anew.
class ParzenEstimator {
 public:
  /// `equal_weights`: no ramp, all observations have weight 1.
  explicit ParzenEstimator(std::vector<Distribution> space, bool equal_weights = false);

  std::size_t size() const { return numbers_.size(); }  ///< observations
  bool contains(std::int64_t number) const;

  /// Adds the observation of trial `number`: a value for each distribution, which contains it.
  void insert(std::int64_t number, const std::vector<double>& values);
  void erase(std::int64_t number);

  /// Numbers of the observations, ascending.
  const std::vector<std::int64_t>& numbers() const { return numbers_; }
  /// Gives the observations these weights, in the order of their numbers, until one is added or taken out.
  void set_weights(std::vector<double> weights);

  /// A draw: one value for each distribution.
  std::vector<double> sample(Draws& draws) const;

  /// Logarithm of the density at `values`, in z on continuous axes. `scratch` is memory that calls may share.
  double log_density(const std::vector<double>& values, std::vector<double>& scratch) const;

  /// Bandwidth on the axis of parameter `dimension` of each observation, in the order of trial numbers.
  const std::vector<double>& sigmas(std::size_t dimension) const { return dimensions_[dimension].sigma; }
  /// Weights of the observations, which together with the prior's 1 are not normalised.
  const std::vector<double>& weights() const { return weights_; }

 private:
  struct Dimension {
    std::int64_t choices;  // 0: on an axis
    Axis axis;
    std::size_t steps = 0;  // if there are not too many
    double prior_mu = 0, prior_sigma = 0, prior_log_norm = 0;
    std::vector<double> mu = {}, sigma = {}, inverse = {}, log_norm = {};  // by slot; of choices only mu, the index
    std::vector<std::uint32_t> cell = {};                                  // by slot: on which step
    std::vector<std::pair<double, std::int64_t>> sorted = {};              // (mu, trial number)
  };

  std::size_t slot(std::int64_t number) const;
  void set_kernel(Dimension& d, std::size_t slot, double sigma) const;
  void update_sigma(Dimension& d, std::size_t rank);
  void update_around(Dimension& d, std::size_t rank);
  void update_weights();
  void accumulate_weights();
  static double smallest_sigma(const Dimension& d);
  static double log_probability(const Dimension& d, double value, double mu, double inverse);
  void add_steps(const std::vector<double>& values, double prior, std::vector<double>& q) const;

  std::vector<Dimension> dimensions_;
  bool equal_weights_;
  std::vector<std::int64_t> numbers_;  // ascending; the position in it is the slot of an observation
  std::vector<double> weights_, cumulative_, log_norm_;
};

}  // namespace xgrad::tune
