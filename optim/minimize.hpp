#pragma once
// Minima of functions of tensors.

#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

#include "../nn/derivatives.hpp"
#include "lbfgs.hpp"
#include "nelder_mead.hpp"
#include "newton_cg.hpp"

namespace xgrad::optim {

struct MinimizeOptions {
  std::variant<LBFGS, NewtonCG, NelderMead> method = LBFGS{};
  /// Converged where no element of the gradient is larger; for NelderMead, where neither the elements of the simplex's
  /// corners nor their values differ by more.
  double tolerance = 1e-5;
  std::optional<std::int64_t> max_iterations = {};  // by default 15000; for NewtonCG and NelderMead 200 for each number
};

struct MinimizeResult {
  bool converged = false;  // to the tolerance, or as far as rounding lets values decrease
  std::int64_t iterations = 0;
  std::int64_t evaluations = 0;       // of the function, with or without its gradient
  std::int64_t hessian_products = 0;  // of NewtonCG
  double value = 0;                   // at the minimum
  double gradient = 0;                // its largest element there; NaN for NelderMead
  std::string message = {};           // why it ended
};
/// "converged after 12 iterations and 15 evaluations: value -3.25, largest gradient 2.1e-09: ..."
std::ostream& operator<<(std::ostream& out, const MinimizeResult& result);

/// With where the minimum is.
template <class X>
struct Minimum : MinimizeResult {
  X x = {};
};

namespace detail {

/// The inputs of the function are where it starts, and at the end where the minimum is.
MinimizeResult minimize(const xgrad::detail::FunctionAt& function, const MinimizeOptions& options);
/// Tensors of one's own for the inputs to be written over; throws Error for what has no derivatives.
std::vector<Tensor> own(const std::vector<Tensor>& inputs);

}  // namespace detail

/// A local minimum of f near x0, in SciPy's manner: `const auto result = minimize(f, x0); result.x`. f gives one
/// element (an Error otherwise); what it captures is constant. It may be infinite or NaN where it is not defined: steps
/// there are made shorter. All is computed in float64, and f in the dtype of x0. That it does not converge is no error:
/// see `converged` and `message`. What f throws is thrown.
template <xgrad::detail::Function F>
Minimum<Tensor> minimize(F f, const Tensor& x0, const MinimizeOptions& options = {}) {
  const xgrad::detail::FunctionAt function = xgrad::detail::at(std::move(f), detail::own({x0})[0]);
  Minimum<Tensor> result{detail::minimize(function, options)};
  result.x = function.inputs[0];
  return result;
}
/// Of a function of several tensors, or of a vector of them: result.x is a vector.
template <xgrad::detail::Function F>
Minimum<std::vector<Tensor>> minimize(F f, const std::vector<Tensor>& x0, const MinimizeOptions& options = {}) {
  const xgrad::detail::FunctionAt function = xgrad::detail::at(std::move(f), detail::own(x0));
  Minimum<std::vector<Tensor>> result{detail::minimize(function, options)};
  result.x = function.inputs;
  return result;
}
/// Of a function of a module by its parameters, which are changed in place: they end where the minimum is, or where
/// they were if f throws.
template <xgrad::detail::Function F, nn::detail::Differentiable M>
MinimizeResult minimize(F f, M& module, const MinimizeOptions& options = {}) {
  return detail::minimize(nn::detail::at_parameters(f, module, nn::named_parameters(module)), options);
}

}  // namespace xgrad::optim
