#include "asgd.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

void ASGDOptions::validate() const {
  detail::check_option("ASGD", "lambd", lambd);
  detail::check_option("ASGD", "alpha", alpha);
  detail::check_option("ASGD", "weight_decay", weight_decay);
  check(!std::isnan(t0), "ASGD: t0 is nan");
}

template <class T>
void ASGDOptions::update(const Elements<T>& elements) const {
  const auto before = static_cast<double>(elements.step - 1);
  const double eta = lr / std::pow(1 + lambd * lr * before, alpha), part = 1 / std::max(1.0, before - t0);
  const T rate = static_cast<T>(eta), keep = static_cast<T>(1 - lambd * eta), mu = static_cast<T>(part);
  const T decay = static_cast<T>(weight_decay), sign = maximize ? T(-1) : T(1);
  const bool all = part == 1;
  elements.each([=](T& p, T g, T& ax) {
    p = keep * p - unless_off(rate, rate * (sign * g + unless_off(decay, decay * p)));
    ax = all ? p : ax + (p - ax) * mu;
  });
}

template class OptimizerOf<ASGDOptions>;

}  // namespace xgrad::optim
