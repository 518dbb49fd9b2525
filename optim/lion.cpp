#include "lion.hpp"

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void LionOptions::validate() const {
  detail::check_betas("Lion", beta1, beta2);
  detail::check_option("Lion", "weight_decay", weight_decay);
}

template <class T>
void LionOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr), keep = static_cast<T>(1 - lr * weight_decay), sign = maximize ? T(-1) : T(1);
  const T keep1 = static_cast<T>(beta1), fresh1 = static_cast<T>(1 - beta1);
  const T keep2 = static_cast<T>(beta2), fresh2 = static_cast<T>(1 - beta2);
  elements.each([=](T& p, T g, T& m) {
    const T c = running_average(keep1, fresh1, m, sign * g);
    p = keep * p - (c > 0 ? rate : c < 0 ? -rate : unless_off(rate, c));  // NaN stays NaN
    m = running_average(keep2, fresh2, m, sign * g);
  });
}

template class OptimizerOf<LionOptions>;

}  // namespace xgrad::optim
