#include "minimize.hpp"

#include <cmath>
#include <limits>
#include <ostream>

#include "../autograd/primitives.hpp"
#include "methods.hpp"

namespace xgrad::optim {

namespace {

std::string message_of(detail::Progress::Reason reason, const MinimizeOptions& options) {
  std::string text;
  using xgrad::detail::append;
  switch (reason) {
    case detail::Progress::converged:
      text = std::holds_alternative<NelderMead>(options.method) ? "the simplex is as small as the tolerance "
                                                                : "the gradient is below the tolerance ";
      append(text, options.tolerance);
      return text;
    case detail::Progress::no_further_decrease:
      return "values decrease by no more than rounding errors";
    case detail::Progress::small_change:
      return "values and elements hardly change";
    case detail::Progress::stuck:
      return "no step along the gradient decreases the value enough: is the gradient right, and the function smooth?";
    case detail::Progress::iterations:
    case detail::Progress::evaluations:
      return "as many iterations as max_iterations allows";
    case detail::Progress::not_finite:
      return "the value or the gradient is not finite at the start";
  }
  return text;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const MinimizeResult& result) {
  using xgrad::detail::append;
  std::string text = result.converged ? "converged after " : "not converged after ";
  append(text, result.iterations);
  append(text, " iterations and ");
  append(text, result.evaluations);
  append(text, " evaluations: value ");
  append(text, result.value);
  if (!std::isnan(result.gradient)) {
    append(text, ", largest gradient ");
    append(text, result.gradient);
  }
  return out << text << ": " << result.message;
}

namespace detail {

std::vector<Tensor> own(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> copies;
  for (const Tensor& input : inputs) copies.push_back(input.defined() ? input.detach().clone() : input);
  return copies;
}

MinimizeResult minimize(const xgrad::detail::FunctionAt& function, const MinimizeOptions& options) {
  check(std::isfinite(options.tolerance) && options.tolerance >= 0, "minimize: the tolerance is ", options.tolerance,
        "; it must be finite and not negative");
  check(options.max_iterations.value_or(0) >= 0, "minimize: max_iterations is ", options.max_iterations.value_or(0),
        "; it must not be negative");
  Objective objective(function);
  const Vector start = objective.elements();
  const auto count = static_cast<std::int64_t>(start.size());
  const auto limits = [&](std::int64_t iterations) {
    return Limits{options.tolerance, options.max_iterations.value_or(iterations)};
  };
  const auto run = [&]() -> Progress {
    if (const auto* const method = std::get_if<LBFGS>(&options.method)) {
      StepHistory history(method->options().history_size);
      const Limits limit = limits(15000);
      return minimize_by_steps([&](const Vector& x, Vector& g) { return objective.value_and_gradient(x, g); }, start,
                               history,
                               {.iterations = limit.iterations,
                                .evaluations = std::numeric_limits<std::int64_t>::max(),
                                .gradient = limit.tolerance,
                                .noise = objective.noise()});
    }
    if (const auto* const method = std::get_if<NelderMead>(&options.method))
      return nelder_mead(objective, method->adaptive, limits(200 * count));
    return newton_cg(objective, limits(200 * count));
  };
  try {
    const Progress end = run();
    objective.set_elements(end.x);
    const bool converged = end.reason == Progress::converged || end.reason == Progress::no_further_decrease;
    const bool has_gradient = end.gradient.size() == end.x.size();
    return {.converged = converged,
            .iterations = end.steps,
            .evaluations = objective.evaluations(),
            .hessian_products = objective.hessian_products(),
            .value = end.value,
            .gradient = has_gradient ? largest(end.gradient) : std::numeric_limits<double>::quiet_NaN(),
            .message = message_of(end.reason, options)};
  } catch (...) {
    objective.set_elements(start);
    throw;
  }
}

}  // namespace detail

}  // namespace xgrad::optim
