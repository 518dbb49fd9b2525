#pragma once
// Differences, integrals, slopes, convolution and interpolation of numbers along an axis, as NumPy has them.

#include <vector>

#include "../array/axes.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

struct DiffOptions {
  std::int64_t n = 1;                // how often
  Tensor prepend = {}, append = {};  // are joined to x along the axis first
};
/// x[i + 1] - x[i] along an axis, n times over: shorter by n, down to nothing.
Tensor diff(Operand x, std::int64_t axis = -1, const DiffOptions& options = {});

/// The integral of y along an axis by the trapezoidal rule, for points `dx` apart, or at `x`: (n,), or broadcast to y.
Tensor trapezoid(Operand y, double dx = 1, std::int64_t axis = -1);
Tensor trapezoid(Operand y, const Tensor& x, std::int64_t axis = -1);
/// The integrals up to each point but the first.
Tensor cumulative_trapezoid(Operand y, double dx = 1, std::int64_t axis = -1);
Tensor cumulative_trapezoid(Operand y, const Tensor& x, std::int64_t axis = -1);

struct GradientOptions {
  std::vector<Tensor> spacing = {};  // one for all axes or one for each: the distance, (), or where points are, (n,)
  Axes axes = {};                    // all by default
  std::int64_t edge_order = 1;       // 1 or 2: of the accuracy at both ends
};
/// The slopes of x along axes, one tensor for each: differences of both neighbours, to second order, as np.gradient has
/// them; at the ends from one side. Throws Error for axes of edge_order or fewer points.
std::vector<Tensor> gradient(Operand x, const GradientOptions& options = {});

enum class ConvolveMode {
  full,  // wherever the two overlap
  same,  // as many as the longer has, the middle of full
  valid  // where they overlap entirely
};
/// The sum over k of a[k] v[i - k], for vectors that are not empty; as np.convolve. Integers count as float32.
Tensor convolve(Operand a, const Tensor& v, ConvolveMode mode = ConvolveMode::full);

/// The piecewise linear function through the points (xp, fp) at x; beyond the ends fp of the end. xp, (n,), increases;
/// fp is (n,), n at least 1. All three have gradients. As np.interp. Throws Error where xp does not increase.
Tensor interp(Operand x, const Tensor& xp, const Tensor& fp);

}  // namespace xgrad
