#include "collate.hpp"

namespace xgrad::data::internal {

Tensor stack_field(std::string_view field, const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors) {
    check(tensor.defined() && tensors[0].defined(), "collate: field ", field, ": a tensor is undefined");
    check(tensor.shape() == tensors[0].shape() && tensor.dtype() == tensors[0].dtype(), "collate: field ", field,
          ": tensors ", tensor.shape(), " of ", tensor.dtype(), " and ", tensors[0].shape(), " of ", tensors[0].dtype(),
          "; the samples of a batch have one shape and dtype (pad them, by map())");
  }
  return stack(tensors);
}

}  // namespace xgrad::data::internal
