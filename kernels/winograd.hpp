#pragma once
// Convolutions of 3 x 3 without stride by fewer products (Lavin and Gray, arXiv 1509.09308): of a tile of 2 x 2 outputs
// and its 4 x 4 inputs, both transformed, an output's sum over channels takes 16 products instead of 36.
//
// Rounding: on normal numbers the error stays below 2^-24 * (largest |x|) * (sum of the channel's |weight|); the
// gradient of weight has |grad| in the place of |weight|. An infinity or NaN among the inputs makes all outputs of its
// tiles NaN.

#include "convolution.hpp"
#include "correlation.hpp"

namespace xgrad::detail {

/// Whether winograd can compute it, and is the faster way.
bool suits_winograd(const Correlation<float>& of);

/// At each output the sum over taps and channels of x * weight, plus bias, which may be null. Runs in parallel; bit for
/// bit the same for any number of threads.
void winograd(const Correlation<float>& of, const float* x, const float* bias, float* y);

/// The same two of the gradient of weight.
bool suits_winograd_weight_grad(const ConvolutionSize& size);
void winograd_weight_grad(const ConvolutionSize& size, const float* x, const float* grad, float* weight_grad);

}  // namespace xgrad::detail
