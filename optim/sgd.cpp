#include "sgd.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

void SGDOptions::validate() const {
  detail::check_option("SGD", "momentum", momentum);
  detail::check_option("SGD", "weight_decay", weight_decay);
  check(std::isfinite(dampening), "SGD: dampening is ", double(dampening), "; it must be finite");
  check(!nesterov || (momentum > 0 && dampening == 0), "SGD: nesterov needs momentum > 0 and dampening 0, they are ",
        double(momentum), " and ", double(dampening));
}

GradientKind SGDOptions::gradients() const {
  return momentum == 0 && weight_decay == 0 ? GradientKind::any : GradientKind::dense;
}

NamedTensors SGDOptions::buffers(const Tensor& parameter) const {
  if (momentum == 0) return {};
  return {{"momentum_buffer", zeros_like(parameter)}};
}

template <class T>
void SGDOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr), decay = static_cast<T>(weight_decay), beta = static_cast<T>(momentum);
  const T sign = maximize ? T(-1) : T(1);
  if (!elements.buffers[0]) {
    elements.each([=](T& p, T g) { p -= unless_off(rate, rate * (sign * g + unless_off(decay, decay * p))); });
    return;
  }
  if (nesterov) {
    elements.each([=](T& p, T g, T& v) {
      const T d = sign * g + unless_off(decay, decay * p);
      v = beta * v + d;
      p -= unless_off(rate, rate * (d + beta * v));
    });
    return;
  }
  const T fresh = elements.first ? T(1) : static_cast<T>(1 - dampening);
  elements.each([=](T& p, T g, T& v) {
    v = beta * v + unless_off(fresh, fresh * (sign * g + unless_off(decay, decay * p)));
    p -= unless_off(rate, rate * v);
  });
}

template class OptimizerOf<SGDOptions>;

}  // namespace xgrad::optim
