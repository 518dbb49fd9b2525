#include "lbfgs.hpp"

#include <cmath>

#include "../autograd/create.hpp"
#include "quasi_newton.hpp"

namespace xgrad::optim {

LBFGS::LBFGS(const LBFGSOptions& options) : options_(options) {
  check(std::isfinite(options.lr) && options.lr > 0, "LBFGS: the learning rate is ", options.lr,
        "; it must be positive and finite");
  check(options.max_iter >= 1 && options.max_eval >= 0 && options.history_size >= 1, "LBFGS: max_iter is ",
        options.max_iter, ", max_eval ", options.max_eval, ", history_size ", options.history_size,
        "; max_iter and history_size must be at least 1, max_eval not negative");
  detail::check_option("LBFGS", "tolerance_grad", options.tolerance_grad);
  detail::check_option("LBFGS", "tolerance_change", options.tolerance_change);
}

LBFGS::LBFGS(const Parameters& parameters, const LBFGSOptions& options) : LBFGS(options) {
  for (const auto& [name, tensor] : parameters.named()) parameters_.push_back(tensor);
  check(!parameters_.empty(), "LBFGS: there are no parameters");
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    check(parameters_[i].defined() && parameters_[i].is_leaf() && parameters_[i].requires_grad(), "LBFGS: parameter ",
          i, " is no leaf that requires a gradient");
  history_ = std::make_shared<detail::StepHistory>(options.history_size);
}

void LBFGS::zero_grad() const {
  for (const Tensor& parameter : parameters_) parameter.zero_grad();
}

double LBFGS::step(const std::function<Tensor()>& closure) {
  check(history_ != nullptr, "LBFGS: step() of an optimizer that was made without parameters");
  const detail::Objective objective({{}, parameters_});
  const detail::Vector before = objective.elements();
  double first_loss = 0;
  bool called = false;
  const auto evaluate = [&](const detail::Vector& x, detail::Vector& gradient) {
    if (called) objective.set_elements(x);
    const Tensor loss = closure();
    check(loss.defined() && loss.numel() == 1, "LBFGS: the closure must return the loss, a tensor of one element");
    gradient.clear();
    for (const Tensor& parameter : parameters_) {
      const Tensor grad = parameter.grad();
      const std::vector<double> elements = (grad.defined() ? grad : zeros_like(parameter)).to_vector<double>();
      gradient.insert(gradient.end(), elements.begin(), elements.end());
    }
    if (!called) first_loss = loss.item();
    called = true;
    return loss.item();
  };
  try {
    const detail::Stops stops{
        options_.max_iter,       options_.max_eval > 0 ? options_.max_eval : options_.max_iter * 5 / 4,
        options_.tolerance_grad, options_.tolerance_change,
        objective.noise(),       options_.lr};
    objective.set_elements(detail::minimize_by_steps(evaluate, before, *history_, stops).x);
  } catch (...) {
    objective.set_elements(before);
    throw;
  }
  return first_loss;
}

}  // namespace xgrad::optim
