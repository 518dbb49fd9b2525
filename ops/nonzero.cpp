#include "nonzero.hpp"

#include "../kernels/search.hpp"
#include "comparison.hpp"

namespace xgrad {

namespace detail {

Tensor places_of_nonzero(const Tensor& x) {
  const Tensor is = x.dtype() == bool_ ? x : ne(x, 0);
  const Array elements = row_major(is.array());
  const Tensor places = empty(find_true(elements, nullptr), int64);
  find_true(elements, places.data<std::int64_t>());
  return places;
}

}  // namespace detail

Tensor nonzero(Operand x) {
  const Tensor places = detail::places_of_nonzero(*x);
  const Tensor out = detail::empty({places.numel(), static_cast<std::int64_t>(x->dim())}, int64);
  detail::split_places(x->shape(), places.span<const std::int64_t>(), out.data<std::int64_t>());
  return out;
}

}  // namespace xgrad
