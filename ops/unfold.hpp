#pragma once
// Windows that slide over images, as columns, and columns added up to images: convolution as a product of matrices.

#include "../autograd/operand.hpp"

namespace xgrad {

/// Numbers for height and width, or one for both.
struct UnfoldOptions {
  Shape dilation = 1;
  Shape padding = 0;  // of zeros
  Shape stride = 1;
};

/// The elements under each window on images x (N, C, H, W) or (C, H, W), as columns: (N, C kh kw, L) or (C kh kw, L),
/// where kernel_size is (kh, kw) and L = rows columns the number of windows,
///   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
/// of them along each axis, in row-major order. x is read however it lies in memory. Throws Error for numbers out of
/// range, integer tensors, and a window larger than the padded input.
Tensor unfold(Operand x, const Shape& kernel_size, const UnfoldOptions& options = {});

/// The adjoint of unfold: columns x (N, C kh kw, L) or (C kh kw, L) added up to images of the given height and width,
/// (N, C, H, W) or (C, H, W). Throws Error for sizes that unfold does not make such columns of.
Tensor fold(Operand x, const Shape& output_size, const Shape& kernel_size, const UnfoldOptions& options = {});

}  // namespace xgrad
