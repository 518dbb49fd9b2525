#pragma once
// Initial values that are not drawn one by one: orthogonal, sparse, identities; and normal ones without tails.

#include "init.hpp"

/// As the functions of init.hpp: each overwrites a leaf in place, with numbers from default_generator(), and returns
/// it.
namespace xgrad::nn::init {

/// Normal, drawn again where a value is not in [low, high]. Throws Error for std not above 0 and for bounds that are
/// not in order or lie more than 8 standard deviations from the mean.
Tensor& trunc_normal_(Tensor& tensor, double mean = 0, double std = 1, double low = -2, double high = 2);
/// A matrix of ones on the diagonal and zeros elsewhere.
Tensor& eye_(Tensor& tensor);
/// The weight of a convolution, of 3 to 5 axes, that leaves each of `groups` groups of channels as it is: a one in the
/// middle of the kernel from channel i to channel i of the group. Throws Error where groups do not divide the channels.
Tensor& dirac_(Tensor& tensor, std::int64_t groups = 1);
/// gain times a matrix with orthonormal rows or columns, whichever are fewer, uniformly distributed among these; of a
/// tensor of shape (rows, ...) the matrix (rows, the rest). Throws Error for fewer than 2 axes.
Tensor& orthogonal_(Tensor& tensor, double gain = 1);
/// A matrix, normal with mean 0, of whose columns each has the part `sparsity` of zeros, rounded up. Throws Error for
/// other than 2 axes and for a sparsity outside [0, 1].
Tensor& sparse_(Tensor& tensor, double sparsity, double std = 0.01);

}  // namespace xgrad::nn::init
