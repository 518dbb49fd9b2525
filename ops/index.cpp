#include "index.hpp"

#include "../autograd/primitives.hpp"

namespace xgrad::detail {

Tensor checked_index(const char* op, const Tensor& index, const Shape& shape, std::size_t axis) {
  check(kind_of(index.dtype()) == Kind::integer, op, ": indices of dtype ", index.dtype(),
        "; convert them with .to(int64)");
  const MaybeOwned numbers = converted(index, int64);
  const Tensor memory = dense(numbers);
  const std::int64_t* at = memory.data<std::int64_t>();
  const auto size = static_cast<std::uint64_t>(shape[axis]);
  for (std::int64_t i = 0; i < memory.numel(); ++i) {
    if (static_cast<std::uint64_t>(at[i]) < size) [[likely]]
      continue;
    Shape position = index.shape();
    for (std::size_t k = position.size(), rest = static_cast<std::size_t>(i); k-- > 0;) {
      position[k] = static_cast<std::int64_t>(rest) % index.shape()[k];
      rest /= static_cast<std::size_t>(index.shape()[k]);
    }
    fail(op, ": index ", at[i], " at ", position, " is out of range for axis ", axis, " of shape ", shape);
  }
  return memory;
}

}  // namespace xgrad::detail
