#pragma once
// The frequencies of a spectrum, and their order.

#include "../../array/axes.hpp"
#include "../../autograd/create.hpp"
#include "../../autograd/operand.hpp"

namespace xgrad::fft {

/// The frequencies of the n elements of fft(), in cycles per unit, where samples are `spacing` apart: 0, 1, ..., then
/// the negative ones up to -1, divided by n * spacing.
Tensor fftfreq(std::int64_t n, double spacing = 1, const TensorOptions& options = {});
/// Those of rfft(): 0, 1, ..., n / 2, divided by n * spacing.
Tensor rfftfreq(std::int64_t n, double spacing = 1, const TensorOptions& options = {});

/// The frequency 0 moved to the middle of axes; no axes mean all, of complex numbers that of their parts too: name
/// them.
Tensor fftshift(Operand x, const Axes& axes = {});
/// The inverse of fftshift.
Tensor ifftshift(Operand x, const Axes& axes = {});

}  // namespace xgrad::fft
