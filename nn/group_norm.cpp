#include "group_norm.hpp"

#include "../autograd/create.hpp"
#include "../ops/group_norm.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options)
    : num_groups(groups), num_channels(channels), eps(options.eps) {
  check(groups > 0 && channels % groups == 0, "GroupNorm: ", channels, " channels are not divisible into ", groups,
        " groups");
  if (!options.affine) return;
  weight = ones({channels}, {.dtype = options.dtype, .requires_grad = true});
  bias = zeros({channels}, {.dtype = options.dtype, .requires_grad = true});
}

Tensor GroupNorm::operator()(Operand x) const {
  return detail::locate(weight, [&] {
    check(x->dim() >= 2 && x->size(1) == num_channels, "GroupNorm: input has shape ", x->shape(), "; (N, ",
          num_channels, ", ...) is needed");
    return group_norm(*x, num_groups, weight, bias, eps);
  });
}

}  // namespace xgrad::nn
