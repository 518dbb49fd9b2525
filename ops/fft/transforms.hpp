#pragma once
// Discrete Fourier transforms.
//
// Complex numbers are a last axis of two, real and imaginary part, as torch.view_as_real() shows them; axes are counted
// without it: -1 is the axis before the parts. A complex tensor of real numbers is `stack({x, zeros_like(x)}, -1)`.
// Transforms of any length take n log n steps. Gradients are transforms again, and have derivatives of every order.
// Needs row-major memory, and copies x where it lies otherwise. Every function throws Error for elements that are not
// floating, for axes that x does not have or that are named twice, and for a length below 1.

#include <optional>

#include "../../array/axes.hpp"
#include "../../autograd/operand.hpp"

namespace xgrad::fft {

/// What of 1 / N, N being the length, or the product of the lengths, is a factor of which direction: `backward` all of
/// it of the inverse, `forward` all of it of the other, `ortho` its square root of both.
enum class Norm { backward, ortho, forward };

struct FftOptions {
  std::optional<std::int64_t> n = {};  // to which the axis is cut or filled up with zeros; else its size
  std::int64_t axis = -1;
  Norm norm = Norm::backward;
};
/// y_k = sum over j of x_j exp(-2 pi i j k / n) along an axis, complex to complex.
Tensor fft(Operand x, const FftOptions& options = {});
/// The inverse, y_j = 1/n sum over k of x_k exp(2 pi i j k / n).
Tensor ifft(Operand x, const FftOptions& options = {});
/// y_k for k from 0 to n / 2 of a real x: the others are conjugates of these. The last axis is added.
Tensor rfft(Operand x, const FftOptions& options = {});
/// The inverse of rfft: real numbers, n of them, 2 (size - 1) where none is given. Of y_0, and y_(n/2) of an even n,
/// the imaginary parts do not count.
Tensor irfft(Operand x, const FftOptions& options = {});
/// fft of an x that is conjugate-symmetric, given as its first half as by rfft: real numbers, n of them, 2 (size - 1)
/// where none is given.
Tensor hfft(Operand x, const FftOptions& options = {});
/// The inverse of hfft: ifft of a real x, for j from 0 to n / 2. The last axis is added.
Tensor ihfft(Operand x, const FftOptions& options = {});

struct FftnOptions {
  Shape n = {};    // one for each of the axes, -1 for its size; none are all sizes
  Axes axes = {};  // none are the last ones, as many as n has; or all
  Norm norm = Norm::backward;
};
/// The transforms along several axes, one after the other. The real ones are real along the last of the axes.
Tensor fftn(Operand x, const FftnOptions& options = {});
Tensor ifftn(Operand x, const FftnOptions& options = {});
Tensor rfftn(Operand x, const FftnOptions& options = {});
Tensor irfftn(Operand x, const FftnOptions& options = {});
Tensor hfftn(Operand x, const FftnOptions& options = {});
Tensor ihfftn(Operand x, const FftnOptions& options = {});
/// The same along the last two axes, where none are named.
Tensor fft2(Operand x, const FftnOptions& options = {});
Tensor ifft2(Operand x, const FftnOptions& options = {});
Tensor rfft2(Operand x, const FftnOptions& options = {});
Tensor irfft2(Operand x, const FftnOptions& options = {});
Tensor hfft2(Operand x, const FftnOptions& options = {});
Tensor ihfft2(Operand x, const FftnOptions& options = {});

}  // namespace xgrad::fft
