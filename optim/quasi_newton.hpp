#pragma once
// The steps of L-BFGS, for functions of a vector of numbers.

#include <cstdint>
#include <deque>
#include <functional>

#include "objective.hpp"

namespace xgrad::optim::detail {

/// Steps and the changes of the gradient along them, of which an approximation of the inverse Hessian is made.
class StepHistory {
 public:
  explicit StepHistory(std::int64_t size) : size_(static_cast<std::size_t>(size)) {}
  /// Takes a step in, and the change of the gradient; not where the function curves downwards along it.
  void add(Vector step, Vector change);
  /// The approximate inverse Hessian times the gradient, negated.
  Vector direction(const Vector& gradient) const;
  bool empty() const { return pairs_.empty(); }
  /// What was taken in and is still there, oldest first, and how many there may be.
  std::size_t count() const { return pairs_.size(); }
  const Vector& step(std::size_t i) const { return pairs_[i].step; }
  const Vector& change(std::size_t i) const { return pairs_[i].change; }
  std::size_t capacity() const { return size_; }
  void clear() { pairs_.clear(); }

 private:
  struct Pair {
    Vector step, change;
    double product;
  };
  std::deque<Pair> pairs_;
  std::size_t size_;
};

struct Stops {
  std::int64_t iterations, evaluations;
  double gradient;    // the largest element that is small enough
  double change = 0;  // of the value and of each element, that is too small to go on
  double noise = 0;   // of the value, relative
  double first_step = 1;
};

/// Where a method has got to, and why it ended.
struct Progress {
  enum Reason { converged, no_further_decrease, small_change, stuck, iterations, evaluations, not_finite };
  Reason reason = iterations;
  Vector x, gradient;
  double value = 0;
  std::int64_t steps = 0;
};

/// Goes from x to a minimum. `evaluate` gives the value and writes the gradient.
Progress minimize_by_steps(const std::function<double(const Vector& x, Vector& gradient)>& evaluate, Vector x,
                           StepHistory& history, const Stops& stops);

}  // namespace xgrad::optim::detail
