#pragma once
// L-BFGS: Newton's method with a Hessian made of the last steps.

#include <functional>
#include <memory>

#include "optimizer.hpp"

namespace xgrad::optim {

namespace detail {
class StepHistory;
}

struct LBFGSOptions {
  double lr = 1;                   // of the first step length that is tried
  std::int64_t max_iter = 20;      // steps in one step()
  std::int64_t max_eval = 0;       // calls of the closure in one step(); 0 for max_iter * 5 / 4
  double tolerance_grad = 1e-7;    // a gradient without an element above it ends a step()
  double tolerance_change = 1e-9;  // so does a smaller change of the loss, and of every parameter
  std::int64_t history_size = 100;
};

/// Minimises a function that is the same each time, by few evaluations: on all data, not on mini-batches. As
/// torch.optim.LBFGS with line_search_fn="strong_wolfe":
///
///     optim::LBFGS optimizer(net);
///     for (int i = 0; i < 10; ++i)
///       optimizer.step([&] {
///         optimizer.zero_grad();
///         const Tensor loss = mse_loss(net(x), y);
///         loss.backward();
///         return loss;
///       });
///
/// Without parameters, `LBFGS{}` names the method for minimize(), which takes the history_size of the options.
class LBFGS {
 public:
  LBFGS(const LBFGSOptions& options = {});
  /// Throws Error where there are no parameters, or one is no floating leaf, and for options that are out of range.
  LBFGS(const Parameters& parameters, const LBFGSOptions& options = {});

  /// Up to max_iter steps. The closure computes the loss, a Tensor of one element, and its gradients, by zero_grad()
  /// and backward(); it is called several times. What it gave first is returned. Where it throws, the parameters are
  /// what they were before.
  double step(const std::function<Tensor()>& closure);
  /// Removes the gradients.
  void zero_grad() const;

  /// What has to be saved to go on later: `steps`, the last steps of all parameters' elements, and `changes`, by which
  /// the gradient changed along them, float64 of shape (steps, elements). The options are the program's.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict() of an optimizer over parameters with as many elements. Throws Error, with nothing
  /// changed, for entries that are missing, unexpected, misshaped, or more steps than history_size.
  void load_state_dict(const NamedTensors& state);

  const LBFGSOptions& options() const { return options_; }
  const std::vector<Tensor>& parameters() const { return parameters_; }

 private:
  LBFGSOptions options_;
  std::vector<Tensor> parameters_;
  std::shared_ptr<detail::StepHistory> history_;  // none without parameters
};

}  // namespace xgrad::optim
