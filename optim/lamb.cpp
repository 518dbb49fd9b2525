#include "lamb.hpp"

#include <cmath>

#include "../ops/arithmetic.hpp"
#include "../ops/math.hpp"
#include "../ops/norm.hpp"

namespace xgrad::optim {

using detail::running_average;
using detail::unless_off;

void LAMBOptions::validate() const {
  detail::check_betas("LAMB", beta1, beta2);
  detail::check_option("LAMB", "eps", eps);
  detail::check_option("LAMB", "weight_decay", weight_decay);
}

void LAMBOptions::update(ParameterUpdate& one) const {
  const auto t = static_cast<double>(one.step);
  const double correction1 = 1 - std::pow(beta1, t), correction2 = std::sqrt(1 - std::pow(beta2, t));
  one.each([=, *this]<class T>(T&, T g, T& m, T& v) {
    m = running_average(static_cast<T>(beta1), static_cast<T>(1 - beta1), m, g);
    v = running_average(static_cast<T>(beta2), static_cast<T>(1 - beta2), v, g * g);
  });
  if (lr == 0) return;
  const Tensor &m = one.buffers["exp_avg"], &v = one.buffers["exp_avg_sq"];
  Tensor direction = (m / correction1) / (sqrt(v) / correction2 + double(eps));
  if (weight_decay != 0) direction.add_(one.parameter, {.alpha = double(weight_decay)});
  const double length = norm(one.parameter).item(), step = norm(direction).item();
  const double ratio = length > 0 && step > 0 ? length / step : 1;
  one.parameter.sub_(direction, {.alpha = lr * ratio});
}

template class OptimizerOf<LAMBOptions>;

}  // namespace xgrad::optim
