#include "root.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/create.hpp"
#include "../autograd/derivatives.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/extrema.hpp"
#include "../ops/linalg/solve.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"

namespace xgrad {

namespace {

using Function = std::function<Tensor(const Tensor&)>;

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item<double>(); }

Tensor value(const char* op, const Function& f, const Tensor& x) {
  const Tensor y = f(x);
  check(y.defined() && y.shape() == x.shape() && y.dtype() == x.dtype(), op, ": the function gave a tensor of shape ",
        y.defined() ? y.shape() : Shape(), " for x of shape ", x.shape(), "; shape and dtype must be equal");
  return y;
}

/// By how much Newton's method changes x.
Tensor newton_step(const Function& f, const Tensor& x, const Tensor& y) {
  const std::int64_t n = x.numel();
  const Tensor slopes = reshape(jacobian(f, x), {n, n});
  return reshape(linalg::solve(slopes, reshape(y, {n})), x.shape());
}

/// x with its derivatives: a step of Newton's method from a root is no step, but has the derivative of the root, and
/// from a point whose first derivatives are right one whose derivatives up to the third are.
Tensor with_derivatives(const Function& f, const Tensor& x) {
  if (x.numel() == 0 || !is_grad_enabled() || !f(x).requires_grad()) return x;
  const Tensor first = x - newton_step(f, x, f(x));
  return first - newton_step(f, first, f(first));
}

double tolerance_for(const char* op, const Tensor& x0, const RootOptions& options) {
  check(x0.defined() && (x0.dtype() == float32 || x0.dtype() == float64), op, ": x0 is ",
        x0.defined() ? name(x0.dtype()) : "undefined", ", expected a tensor of float32 or float64");
  check(options.tolerance >= 0 && options.max_iterations > 0, op, ": tolerance is ", options.tolerance,
        ", max_iterations ", options.max_iterations);
  return x0.dtype() == float32 ? std::max(options.tolerance, 1e-5) : options.tolerance;
}

}  // namespace

Tensor root(const Function& f, const Tensor& x0, const RootOptions& options) {
  const double tolerance = tolerance_for("root", x0, options);
  Tensor x = x0.detach();
  {
    const NoGrad no_grad;
    Tensor y = value("root", f, x);
    for (std::int64_t i = 0; !(largest(y) <= tolerance); ++i) {
      check(i < options.max_iterations && std::isfinite(largest(y)), "root: after ", i,
            " iterations an element of f is ", largest(y), "; another x0 may help");
      const Tensor step = newton_step(f, x, y);
      double length = 1;
      Tensor next, at_next;
      for (;; length /= 2) {
        check(length > 1e-8, "root: no step brings f nearer to 0 than ", largest(y), "; another x0 may help");
        next = x - length * step, at_next = value("root", f, next);
        if (sum(square(at_next)).item<double>() < sum(square(y)).item<double>()) break;
      }
      x = next, y = at_next;
    }
  }
  return with_derivatives(f, x);
}

Tensor fixed_point(const Function& g, const Tensor& x0, const RootOptions& options) {
  const double tolerance = tolerance_for("fixed_point", x0, options);
  Tensor x = x0.detach();
  {
    const NoGrad no_grad;
    for (std::int64_t i = 0;; ++i) {
      const Tensor next = value("fixed_point", g, x);
      const double change = largest(next - x);
      x = next;
      if (change <= tolerance) break;
      check(i < options.max_iterations && std::isfinite(change), "fixed_point: after ", i,
            " iterations x still changes by ", change, "; root() may find it");
    }
  }
  return with_derivatives([&](const Tensor& at) { return at - g(at); }, x);
}

}  // namespace xgrad
