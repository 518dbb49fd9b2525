#include "adamax.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void AdamaxOptions::validate() const {
  detail::check_betas("Adamax", beta1, beta2);
  detail::check_option("Adamax", "eps", eps);
  detail::check_option("Adamax", "weight_decay", weight_decay);
}

template <class T>
void AdamaxOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr / (1 - std::pow(beta1, static_cast<double>(elements.step))));
  const T keep = static_cast<T>(beta1), fresh = static_cast<T>(1 - beta1), fade = static_cast<T>(beta2);
  const T small = static_cast<T>(eps), decay = static_cast<T>(weight_decay), sign = maximize ? T(-1) : T(1);
  elements.each([=](T& p, T g, T& m, T& u) {
    const T d = sign * g + unless_off(decay, decay * p);
    m = running_average(keep, fresh, m, d);
    const T before = unless_off(fade, fade * u), now = std::abs(d) + small;
    u = before > now ? before : now;
    p -= unless_off(rate, rate * m / u);
  });
}

template class OptimizerOf<AdamaxOptions>;

}  // namespace xgrad::optim
