#pragma once
// One tensor of several. Axes may be counted from the back: -1 is the last.

#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad {

/// The tensors one after the other along an axis. They have the same shape otherwise, and are brought to one dtype.
/// The result is row-major. Throws Error for none, and for shapes that differ along other axes.
Tensor concat(const std::vector<Tensor>& tensors, std::int64_t axis = 0,
              detail::CallSite site = detail::CallSite::here());
/// PyTorch's other name for concat.
inline Tensor cat(const std::vector<Tensor>& tensors, std::int64_t axis = 0,
                  detail::CallSite site = detail::CallSite::here()) {
  return concat(tensors, axis, site);
}
/// The tensors, all of one shape, one after the other along a new axis. Throws Error for none, and for shapes that
/// differ.
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis = 0,
             detail::CallSite site = detail::CallSite::here());

}  // namespace xgrad
