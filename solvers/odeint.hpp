#pragma once
// Solutions of ordinary differential equations, with derivatives.

#include <functional>
#include <limits>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad {

enum class OdeMethod {
  dopri5,  // Dormand and Prince's method of order 5(4), with steps as long as the tolerances allow
  rk4      // the classical method of order 4, with steps of equal length
};

struct OdeintOptions {
  OdeMethod method = OdeMethod::dopri5;
  /// Of dopri5: a step's error, its root mean square over the elements, stays below atol + rtol |y|.
  double rtol = 1e-6, atol = 1e-9;
  /// Of dopri5: 0 for one that is found; of rk4: the longest, 0 for one step from each time to the next.
  double first_step = 0;
  double max_step = std::numeric_limits<double>::infinity();  // of dopri5
  std::int64_t max_steps = 100000;                            // more are an Error
  /// Gradients by the adjoint equation, solved backwards with the same method and tolerances: memory does not grow with
  /// the steps; the gradients are right to the tolerances, have no derivatives themselves, and are those of y0 and of
  /// `adjoint_parameters`, which f captures. Otherwise they go through the steps, to everything and to any order.
  bool adjoint = false;
  std::vector<Tensor> adjoint_parameters = {};
};

/// y(t) for dy/dt = f(t, y), y(t[0]) = y0: at the times t, which increase or decrease, as a tensor (times, shape of y0)
/// whose first row is y0. Steps, and values between them, are those of SciPy's solve_ivp(method="RK45"). y0 is float32
/// or float64; f gives its shape and dtype. Gradients are those of y0 and of what f captures; the lengths of steps
/// count as constants.
///
///     const Tensor y = odeint([&](double, const Tensor& y) { return net(y); }, y0, {0, 0.5, 1});
///
/// Throws Error where f gives what does not fit, times that are not in order, and where a step would be too short for
/// the tolerances to hold.
Tensor odeint(const std::function<Tensor(double t, const Tensor& y)>& f, const Tensor& y0, const std::vector<double>& t,
              const OdeintOptions& options = {});

}  // namespace xgrad
