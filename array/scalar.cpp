#include "scalar.hpp"

#include <algorithm>

namespace xgrad::detail {

void store(const char* op, const Scalar& number, DType dtype, std::byte* to) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    *reinterpret_cast<T*>(to) = number.to<T>(op);
  });
}

Scalar saturated(const Scalar& number, DType dtype) {
  return dispatch(dtype, [&](auto zero) -> Scalar {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      return std::clamp<std::int64_t>(number.integer(), std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    else
      return number;
  });
}

}  // namespace xgrad::detail
