#include "nadam.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void NAdamOptions::validate() const {
  detail::check_betas("NAdam", beta1, beta2);
  detail::check_option("NAdam", "eps", eps);
  detail::check_option("NAdam", "weight_decay", weight_decay);
  detail::check_option("NAdam", "momentum_decay", momentum_decay);
}

NamedTensors NAdamOptions::buffers(const Tensor& parameter) const {
  return {{"exp_avg", zeros_like(parameter)},
          {"exp_avg_sq", zeros_like(parameter)},
          {"mu_product", ones({}, {.dtype = float64})}};
}

void NAdamOptions::update(ParameterUpdate& one) const {
  const auto t = static_cast<double>(one.step);
  const auto mu_at = [&](double step) { return beta1 * (1 - 0.5 * std::pow(0.96, step * momentum_decay)); };
  double& product = *one.buffers["mu_product"].data<double>();
  product *= mu_at(t);
  const double by_gradient = lr * (1 - mu_at(t)) / (1 - product);
  const double by_moment = lr * mu_at(t + 1) / (1 - product * mu_at(t + 1));
  const double shrink = lr * weight_decay, root_of_correction = std::sqrt(1 - std::pow(beta2, t));
  one.each([=, *this]<class T>(T& p, T g, T& m, T& v) {
    const T rate = static_cast<T>(lr), now = static_cast<T>(by_gradient), past = static_cast<T>(by_moment);
    const T coupled = decoupled_weight_decay ? T(0) : static_cast<T>(weight_decay);
    const T keep = decoupled_weight_decay ? static_cast<T>(1 - shrink) : T(1);
    const T d = (maximize ? -g : g) + unless_off(coupled, coupled * p);
    m = running_average(static_cast<T>(beta1), static_cast<T>(1 - beta1), m, d);
    v = running_average(static_cast<T>(beta2), static_cast<T>(1 - beta2), v, d * d);
    const T root = std::sqrt(v) / static_cast<T>(root_of_correction) + static_cast<T>(eps);
    p = keep * p - unless_off(rate, now * d / root + past * m / root);
  });
}

template class OptimizerOf<NAdamOptions>;

}  // namespace xgrad::optim
