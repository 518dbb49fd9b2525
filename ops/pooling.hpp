#pragma once
// Pooling: windows that slide over the spatial axes give one element of each channel.
//
// x is (N, C, L), (N, C, H, W) or (N, C, D, H, W), or the same without N, for one example, of float32 or float64. In
// memory results have the channels innermost, as those of convolution. Kernel and options give a number for all spatial
// axes, or one for each; an empty stride is the kernel's size. Along each axis the size of the result is
//   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1,
// rounded up under ceil_mode, unless the last window would begin in the padding at the end.
//
// Each function throws Error for numbers out of range, a padding over half the kernel, a window larger than the padded
// input, and an input that is empty along a spatial axis. An empty batch gives an empty result.

#include "../autograd/operand.hpp"
#include "extrema.hpp"

namespace xgrad {

struct MaxPoolOptions {
  Shape stride = {};
  Shape padding = 0;  // of -infinity
  Shape dilation = 1;
  bool ceil_mode = false;
};

/// The largest element of each window, or NaN where there is one. The first of equal ones gets the gradient.
Tensor max_pool1d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool2d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool3d(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});

/// The same with the place of each, int64: among the elements of its channel of its example, in row-major order.
ValuesAndIndices max_pool1d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});
ValuesAndIndices max_pool2d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});
ValuesAndIndices max_pool3d_with_indices(Operand x, const Shape& kernel_size, const MaxPoolOptions& options = {});

struct MaxUnpoolOptions {
  Shape stride = {};
  Shape padding = 0;
  Shape output_size = {};  // of the spatial axes; empty for the smallest that pooling would have made x of
};

/// The elements of x at the places that max_poolNd_with_indices gave, 0 elsewhere. Elements at one place are added up.
/// Throws Error for indices of another shape than x, or out of range.
Tensor max_unpool1d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options = {});
Tensor max_unpool2d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options = {});
Tensor max_unpool3d(Operand x, const Tensor& indices, const Shape& kernel_size, const MaxUnpoolOptions& options = {});

struct AvgPoolOptions {
  Shape stride = {};
  Shape padding = 0;  // zeros
  bool ceil_mode = false;
  bool count_include_pad = true;      // whether zeros of the padding count in the mean
  std::int64_t divisor_override = 0;  // divides the sum instead of the number of elements, where not 0
};

/// The mean of each window.
Tensor avg_pool1d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool2d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool3d(Operand x, const Shape& kernel_size, const AvgPoolOptions& options = {});

/// The mean of each of output_size windows that cover the input, all nearly of one size: window i of n goes from
/// floor(i size / n) to ceil((i + 1) size / n). -1 keeps the size of an axis.
Tensor adaptive_avg_pool1d(Operand x, const Shape& output_size);
Tensor adaptive_avg_pool2d(Operand x, const Shape& output_size);
Tensor adaptive_avg_pool3d(Operand x, const Shape& output_size);

/// The largest element of each of the same windows.
Tensor adaptive_max_pool1d(Operand x, const Shape& output_size);
Tensor adaptive_max_pool2d(Operand x, const Shape& output_size);
Tensor adaptive_max_pool3d(Operand x, const Shape& output_size);

struct LPPoolOptions {
  Shape stride = {};
  bool ceil_mode = false;
};

/// (sum of x^p over each window)^(1/p), with p = norm_type: 2 for the Euclidean norm; the largest absolute value for
/// infinity. Where the sum is 0, so is the gradient.
Tensor lp_pool1d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options = {});
Tensor lp_pool2d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options = {});
Tensor lp_pool3d(Operand x, double norm_type, const Shape& kernel_size, const LPPoolOptions& options = {});

}  // namespace xgrad
