#include "index.hpp"

#include <algorithm>

#include "../autograd/primitives.hpp"
#include "../kernels/gather.hpp"

namespace xgrad::detail {

Tensor checked_index(const char* op, const Tensor& index, const Shape& shape, std::size_t axis) {
  check(kind_of(index.dtype()) == Kind::integer, op, ": indices of dtype ", index.dtype(),
        "; convert them with .to(int64)");
  const MaybeOwned numbers = converted(index, int64);
  const Tensor memory = dense(numbers);
  const std::int64_t* const at = memory.data<std::int64_t>();
  const std::int64_t n = memory.numel(), size = shape[axis];
  if (all_within(n, at, size)) return memory;
  const std::int64_t* const first = std::find_if(at, at + n, [=](std::int64_t i) { return i < 0 || i >= size; });
  Shape position = index.shape();
  std::int64_t rest = first - at;
  for (std::size_t k = position.size(); k-- > 0; rest /= index.shape()[k]) position[k] = rest % index.shape()[k];
  fail(op, ": index ", *first, " at ", position, " is out of range for axis ", axis, " of shape ", shape);
}

}  // namespace xgrad::detail
