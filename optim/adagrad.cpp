#include "adagrad.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

void AdagradOptions::validate() const {
  detail::check_option("Adagrad", "lr_decay", lr_decay);
  detail::check_option("Adagrad", "weight_decay", weight_decay);
  detail::check_option("Adagrad", "initial_accumulator_value", initial_accumulator_value);
  detail::check_option("Adagrad", "eps", eps);
}

GradientKind AdagradOptions::gradients() const { return weight_decay == 0 ? GradientKind::any : GradientKind::dense; }

NamedTensors AdagradOptions::buffers(const Tensor& parameter) const {
  return {{"sum", full_like(parameter, double(initial_accumulator_value))}};
}

template <class T>
void AdagradOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr / (1 + static_cast<double>(elements.step - 1) * lr_decay));
  const T small = static_cast<T>(eps), decay = static_cast<T>(weight_decay), sign = maximize ? T(-1) : T(1);
  elements.each([=](T& p, T g, T& s) {
    const T d = sign * g + unless_off(decay, decay * p);
    s += d * d;
    p -= unless_off(rate, rate * d / (std::sqrt(s) + small));
  });
}

template class OptimizerOf<AdagradOptions>;

}  // namespace xgrad::optim
