#include "lbfgs.hpp"

#include <algorithm>
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

namespace {

std::int64_t elements_of(const std::vector<Tensor>& parameters) {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters) count += parameter.numel();
  return count;
}

/// Vectors as the rows of a matrix, and back.
template <class VectorAt>
Tensor as_rows(std::size_t rows, std::int64_t columns, const VectorAt& vector) {
  const Tensor matrix = empty({static_cast<std::int64_t>(rows), columns}, {.dtype = float64});
  for (std::size_t i = 0; i < rows; ++i)
    std::copy(vector(i).begin(), vector(i).end(), matrix.data<double>() + static_cast<std::int64_t>(i) * columns);
  return matrix;
}
detail::Vector row(const Tensor& matrix, std::int64_t i) {
  const double* from = matrix.data<double>() + i * matrix.size(1);
  return {from, from + matrix.size(1)};
}

}  // namespace

NamedTensors LBFGS::state_dict() const {
  check(history_ != nullptr, "LBFGS: state_dict() of an optimizer that was made without parameters");
  const std::int64_t n = elements_of(parameters_);
  const auto step = [&](std::size_t i) -> const detail::Vector& { return history_->step(i); };
  const auto change = [&](std::size_t i) -> const detail::Vector& { return history_->change(i); };
  return {{"steps", as_rows(history_->count(), n, step)}, {"changes", as_rows(history_->count(), n, change)}};
}

void LBFGS::load_state_dict(const NamedTensors& state) {
  constexpr const char* op = "LBFGS: load_state_dict";
  check(history_ != nullptr, op, " of an optimizer that was made without parameters");
  const std::int64_t n = elements_of(parameters_);
  Tensor steps, changes;
  for (const auto& [name, value] : state) {
    check(name == "steps" || name == "changes", op, ": unexpected entry ", name);
    Tensor& to = name == "steps" ? steps : changes;
    check(!to.defined(), op, ": ", name, " is given twice");
    check(value.defined() && value.dtype() == float64 && value.dim() == 2 && value.size(1) == n, op, ": ", name,
          " is no float64 tensor of shape (steps, ", n, "), for the ", n, " elements of the parameters");
    to = value.detach().contiguous();
  }
  check(steps.defined() && changes.defined(), op, ": ", steps.defined() ? "changes" : "steps", " is missing");
  check(steps.shape() == changes.shape(), op, ": steps has shape ", steps.shape(), " and changes ", changes.shape(),
        "; they must be equal");
  check(steps.size(0) <= static_cast<std::int64_t>(history_->capacity()), op, ": there are ", steps.size(0),
        " steps; history_size is ", history_->capacity());
  detail::StepHistory history(static_cast<std::int64_t>(history_->capacity()));
  for (std::int64_t i = 0; i < steps.size(0); ++i) history.add(row(steps, i), row(changes, i));
  *history_ = std::move(history);
}

}  // namespace xgrad::optim
