#include "adadelta.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void AdadeltaOptions::validate() const {
  check(rho >= 0 && rho <= 1, "Adadelta: rho is ", double(rho), "; it must lie between 0 and 1");
  detail::check_option("Adadelta", "eps", eps);
  detail::check_option("Adadelta", "weight_decay", weight_decay);
}

template <class T>
void AdadeltaOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr), keep = static_cast<T>(rho), fresh = static_cast<T>(1 - rho);
  const T small = static_cast<T>(eps), decay = static_cast<T>(weight_decay), sign = maximize ? T(-1) : T(1);
  elements.each([=](T& p, T g, T& s, T& a) {
    const T d = sign * g + unless_off(decay, decay * p);
    s = running_average(keep, fresh, s, d * d);
    const T u = std::sqrt(a + small) / std::sqrt(s + small) * d;
    a = running_average(keep, fresh, a, u * u);
    p -= unless_off(rate, rate * u);
  });
}

template class OptimizerOf<AdadeltaOptions>;

}  // namespace xgrad::optim
