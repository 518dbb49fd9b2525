#include "mapped.hpp"

#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../ops/slicing.hpp"
#include "sample_generator.hpp"

namespace xgrad::data {

Mapped::Mapped(DatasetHandle set, Function function) : set_(std::move(set)), function_(std::move(function)) {}

Batch Mapped::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  const NoGrad no_grad;
  Batch batch = set_->batch_of(epoch, indices);
  Tensor all;
  const auto transformed = [&](std::size_t i) {
    Generator generator = sample_generator(epoch, indices[i], Draws::transform);
    const Tensor y = function_(select(batch.x, 0, static_cast<std::int64_t>(i)), generator);
    check(y.defined(), "map: the function gave an undefined tensor for sample ", indices[i]);
    return y;
  };
  if (indices.empty()) {  // of what shape it would be
    Shape shape = batch.x.shape();
    shape.erase(0);
    Generator generator;
    const Tensor y = function_(zeros(shape, {.dtype = batch.x.dtype()}), generator);
    shape = y.shape();
    shape.insert(0, 0);
    return {empty(shape, {.dtype = y.dtype()}), batch.y};
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Tensor y = transformed(i);
    if (i == 0) {
      Shape shape = y.shape();
      shape.insert(0, static_cast<std::int64_t>(indices.size()));
      all = empty(shape, {.dtype = y.dtype()});
    }
    Tensor to = select(all, 0, static_cast<std::int64_t>(i));
    check(y.shape() == to.shape() && y.dtype() == all.dtype(), "map: sample ", indices[i], " became ", y.shape(),
          " of ", y.dtype(), ", sample ", indices[0], " ", to.shape(), " of ", all.dtype(),
          "; the samples of a batch have one shape and dtype");
    to.copy_(y);
  }
  return {all, batch.y};
}

}  // namespace xgrad::data
