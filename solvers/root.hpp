#pragma once
// Solutions of equations, with derivatives by what the equations depend on (the implicit function theorem).

#include <functional>

#include "../autograd/tensor.hpp"

namespace xgrad {

struct RootOptions {
  double tolerance = 1e-10;           // no element of f, or of x - g(x), is larger in the end
  std::int64_t max_iterations = 100;  // more are an Error
};

/// An x near x0 with f(x) = 0, for f that gives the shape and dtype of x: by Newton's method, with shorter steps where
/// a whole one does not bring f nearer to 0. It has derivatives, up to the third, by what f captures, not by x0; they
/// do not depend on the way to x. Throws Error where it does not get there, and where the Jacobian is singular. float32
/// and float64; the tolerance of float32 is not below 1e-5.
///
///     const Tensor x = root([&](const Tensor& x) { return x * exp(x) - a; }, ones_like(a));  // Lambert's W of a
Tensor root(const std::function<Tensor(const Tensor& x)>& f, const Tensor& x0, const RootOptions& options = {});

/// An x near x0 with g(x) = x, by going from x to g(x) again and again, which must bring it nearer: an Error otherwise.
/// Derivatives and dtypes are those of root().
Tensor fixed_point(const std::function<Tensor(const Tensor& x)>& g, const Tensor& x0, const RootOptions& options = {});

}  // namespace xgrad
