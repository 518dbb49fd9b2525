#pragma once
// Images read at points between their elements, as a spatial transformer does (Jaderberg et al., arXiv 1506.02025).

#include "../autograd/operand.hpp"

namespace xgrad {

/// bilinear: of the elements around a point, four of an image, eight of a volume; nearest: the nearest one; bicubic: of
/// the 4 x 4 around it, by cubic convolution with a = -3/4, for images.
enum class GridSampleMode { bilinear, nearest, bicubic };

/// What lies outside: zeros; the elements at the border; or the image mirrored at it.
enum class GridSamplePadding { zeros, border, reflection };

struct GridSampleOptions {
  GridSampleMode mode = GridSampleMode::bilinear;
  GridSamplePadding padding_mode = GridSamplePadding::zeros;
  bool align_corners = false;  // whether -1 and 1 are the centres of the first and last elements, or their outer edges
};

/// x (N, C, H, W) at the points of grid (N, H', W', 2), whose last axis holds the place along width and that along
/// height, from -1 to 1: (N, C, H', W'). Or x (N, C, D, H, W) at grid (N, D', H', W', 3), width first. x is read as it
/// lies where that is row-major or with the channels innermost, and the result lies so too. Gradients of every order
/// flow to x and to the grid, to which nearest gives none but 0. Throws Error for other shapes, sizes of a batch and
/// dtypes that are not equal, integer tensors, bicubic volumes, and images without elements.
Tensor grid_sample(Operand x, Operand grid, const GridSampleOptions& options = {});

struct AffineGridOptions {
  bool align_corners = false;  // as of grid_sample
};

/// The points for grid_sample by which an image of `size` (N, C, H, W) comes from one that theta (N, 2, 3) maps it
/// into: theta (x, y, 1)^T for each of its places, (N, H, W, 2). For size (N, C, D, H, W) theta is (N, 3, 4). Throws
/// Error for other shapes, sizes that are not positive, and integer tensors.
Tensor affine_grid(Operand theta, const Shape& size, const AffineGridOptions& options = {});

}  // namespace xgrad
