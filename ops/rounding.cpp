#include "rounding.hpp"

#include <cmath>
#include <limits>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../kernels/decimals.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "map.hpp"

namespace xgrad {

namespace {

enum class Toward { ceil, trunc, even, fraction };

/// One number at a time where the processor has no instruction for it.
struct Rounded {
  Toward toward;
  elementary::Decimals decimals = elementary::Decimals(0);
  template <class T>
  [[gnu::always_inline]] real<T> operator()(const real<T>& x) const {
    switch (toward) {
      case Toward::ceil:
        return {std::ceil(x.v)};
      case Toward::trunc:
        return {std::trunc(x.v)};
      case Toward::fraction:
        return {x.v - std::trunc(x.v)};
      case Toward::even:
        break;
    }
    return {decimals(x.v)};
  }
};

struct Rounding {
  const char* name;
  static constexpr bool elementwise = true;
  Rounded f;
  Tensor forward(const Tensor& x) { return detail::map(name, f, x); }
  Tensor backward(const Tensor& grad) const { return f.toward == Toward::fraction ? grad : zeros_like(grad); }
};

Tensor rounded(const char* op, const Tensor& x, const Rounded& f) {
  return is_floating(x.dtype()) ? apply(Rounding{op, f}, x) : x;
}

/// The largest number of a floating dtype.
double largest(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return std::numeric_limits<double>::max();
    case DType::float16:
      return 65504;
    case DType::bfloat16:
      return 0x1.fep127;
    default:
      return std::numeric_limits<float>::max();
  }
}

}  // namespace

Tensor ceil(Operand x) { return rounded("ceil", *x, {Toward::ceil}); }
Tensor trunc(Operand x) { return rounded("trunc", *x, {Toward::trunc}); }
Tensor frac(Operand x) { return is_floating(x->dtype()) ? rounded("frac", *x, {Toward::fraction}) : zeros_like(*x); }

Tensor round(Operand x, std::int64_t decimals) {
  check(decimals > -300 && decimals < 300, "round: decimals is ", decimals, ", expected a number within 300 of 0");
  check(is_floating(x->dtype()) || decimals >= 0, "round: decimals is ", decimals, " for a tensor of ", x->dtype(),
        "; integers are not rounded to tens: convert them to a floating dtype first");
  return rounded("round", *x, {Toward::even, elementary::Decimals(decimals)});
}

Tensor nan_to_num(Operand x, const NanToNumOptions& options) {
  if (!is_floating(x->dtype())) return *x;
  const double top = options.posinf.value_or(largest(x->dtype())),
               bottom = options.neginf.value_or(-largest(x->dtype()));
  const Tensor infinite = where(*x > 0, full({}, top, {.dtype = x->dtype()}), full({}, bottom, {.dtype = x->dtype()}));
  return where(isnan(*x), options.nan, where(isinf(*x), infinite, *x));
}

Tensor nansum(Operand x, const Axes& axes, const SumOptions& options) {
  return is_floating(x->dtype()) ? sum(where(isnan(*x), 0, *x), axes, options) : sum(*x, axes, options);
}

Tensor nanmean(Operand x, const Axes& axes, const SumOptions& options) {
  if (!is_floating(x->dtype())) return mean(*x, axes, options);
  const Tensor total = nansum(*x, axes, options);
  return total / sum(!isnan(*x), axes, {.keepdim = options.keepdim}).to(total.dtype());
}

}  // namespace xgrad
