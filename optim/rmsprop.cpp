#include "rmsprop.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

void RMSpropOptions::validate() const {
  check(alpha >= 0 && alpha <= 1, "RMSprop: alpha is ", double(alpha), "; it must lie between 0 and 1");
  detail::check_option("RMSprop", "eps", eps);
  detail::check_option("RMSprop", "weight_decay", weight_decay);
  detail::check_option("RMSprop", "momentum", momentum);
}

NamedTensors RMSpropOptions::buffers(const Tensor& parameter) const {
  NamedTensors made{{"square_avg", zeros_like(parameter)}};
  if (momentum != 0) made.emplace_back("momentum_buffer", zeros_like(parameter));
  if (centered) made.emplace_back("grad_avg", zeros_like(parameter));
  return made;
}

template <class T>
void RMSpropOptions::update(const Elements<T>& elements) const {
  const T rate = static_cast<T>(lr), keep = static_cast<T>(alpha), fresh = static_cast<T>(1 - alpha);
  const T small = static_cast<T>(eps), decay = static_cast<T>(weight_decay), beta = static_cast<T>(momentum);
  const T sign = maximize ? T(-1) : T(1);
  const auto scaled = [=](T p, T g, T & s) __attribute__((always_inline)) {
    const T d = sign * g + unless_off(decay, decay * p);
    s = unless_off(keep, keep * s) + unless_off(fresh, fresh * d * d);
    return d / (std::sqrt(s) + small);
  };
  const auto centred = [=](T p, T g, T & s, T & a) __attribute__((always_inline)) {
    const T d = sign * g + unless_off(decay, decay * p);
    s = unless_off(keep, keep * s) + unless_off(fresh, fresh * d * d);
    a = unless_off(keep, keep * a) + unless_off(fresh, fresh * d);
    return d / (std::sqrt(s - a * a) + small);
  };
  const bool has_momentum = elements.buffers[centered ? 2 : 1];
  if (has_momentum && centered)
    elements.each([=](T& p, T g, T& s, T& v, T& a) {
      v = beta * v + centred(p, g, s, a);
      p -= unless_off(rate, rate * v);
    });
  else if (has_momentum)
    elements.each([=](T& p, T g, T& s, T& v) {
      v = beta * v + scaled(p, g, s);
      p -= unless_off(rate, rate * v);
    });
  else if (centered)
    elements.each([=](T& p, T g, T& s, T& a) { p -= unless_off(rate, rate * centred(p, g, s, a)); });
  else
    elements.each([=](T& p, T g, T& s) { p -= unless_off(rate, rate * scaled(p, g, s)); });
}

template class OptimizerOf<RMSpropOptions>;

}  // namespace xgrad::optim
