#pragma once
// Channels that become places, places that become channels, and channels in another order.
//
// Each result is a copy, which lies as x does: with the channels innermost in memory where they are so in x.

#include "../autograd/operand.hpp"

namespace xgrad {

/// (..., C r r, H, W) to (..., C, H r, W r), with r = upscale_factor:
/// out[c, h r + i, w r + j] = x[c r r + i r + j, h, w] (Shi et al., arXiv 1609.05158). Throws Error for fewer than
/// three axes, a factor below 1, and channels that are no multiple of r r.
Tensor pixel_shuffle(Operand x, std::int64_t upscale_factor);
/// The inverse: (..., C, H r, W r) to (..., C r r, H, W), with r = downscale_factor. Throws Error for fewer than three
/// axes, a factor below 1, and sizes that are no multiples of it.
Tensor pixel_unshuffle(Operand x, std::int64_t downscale_factor);

/// The channels of x (N, C, ...) dealt out in turn from `groups` equal parts: channel i groups + g of the result is
/// channel g C / groups + i of x (Zhang et al., arXiv 1707.01083). Throws Error for fewer than three axes, and for
/// groups below 1 or that do not divide the channels.
Tensor channel_shuffle(Operand x, std::int64_t groups);

}  // namespace xgrad
