#include "radam.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void RAdamOptions::validate() const {
  detail::check_betas("RAdam", beta1, beta2);
  detail::check_option("RAdam", "eps", eps);
  detail::check_option("RAdam", "weight_decay", weight_decay);
}

template <class T>
void RAdamOptions::update(const Elements<T>& elements) const {
  const auto t = static_cast<double>(elements.step);
  const double power = std::pow(beta2, t), n = 2 / (1 - beta2) - 1, r = n - 2 * t * power / (1 - power);
  const bool rectified = r > 5;
  const double rectification = std::sqrt((r - 4) * (r - 2) * n / ((n - 4) * (n - 2) * r));
  const double corrected = lr / (1 - std::pow(beta1, t));
  const T rate = static_cast<T>(rectified ? corrected * rectification * std::sqrt(1 - power) : corrected);
  const T keep1 = static_cast<T>(beta1), fresh1 = static_cast<T>(1 - beta1);
  const T keep2 = static_cast<T>(beta2), fresh2 = static_cast<T>(1 - beta2), small = static_cast<T>(eps);
  const T coupled = decoupled_weight_decay ? T(0) : static_cast<T>(weight_decay);
  const T keep = decoupled_weight_decay ? static_cast<T>(1 - lr * weight_decay) : T(1);
  const T sign = maximize ? T(-1) : T(1);
  elements.each([=](T& p, T g, T& m, T& v) {
    const T d = sign * g + unless_off(coupled, coupled * p);
    m = running_average(keep1, fresh1, m, d);
    v = running_average(keep2, fresh2, v, d * d);
    p = keep * p - unless_off(rate, rectified ? rate * m / (std::sqrt(v) + small) : rate * m);
  });
}

template class OptimizerOf<RAdamOptions>;

}  // namespace xgrad::optim
