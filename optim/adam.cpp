#include "adam.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

namespace {

template <class Options>
void validate_adam(const char* name, const Options& options) {
  detail::check_betas(name, options.beta1, options.beta2);
  detail::check_option(name, "eps", options.eps);
  detail::check_option(name, "weight_decay", options.weight_decay);
}

template <class Options>
NamedTensors adam_buffers(const Options& options, const Tensor& parameter) {
  NamedTensors made{{"exp_avg", zeros_like(parameter)}, {"exp_avg_sq", zeros_like(parameter)}};
  if (options.amsgrad) made.emplace_back("max_exp_avg_sq", zeros_like(parameter));
  return made;
}

/// base^exponent, kept for the next call: most parameters are at the same step, and pow costs more than to update a
/// small one.
class Power {
 public:
  double operator()(double base, std::int64_t exponent) {
    if (base != base_ || exponent != exponent_)
      base_ = base, exponent_ = exponent, value_ = std::pow(base, static_cast<double>(exponent));
    return value_;
  }

 private:
  double base_ = 1, value_ = 1;
  std::int64_t exponent_ = 0;
};

/// `decay` of the gradient, `keep` of the parameter.
template <class Options, class T>
void update_adam(const Options& options, const Elements<T>& elements, T decay, T keep) {
  thread_local constinit Power power1, power2;
  const double correction1 = 1 - power1(options.beta1, elements.step),
               correction2 = std::sqrt(1 - power2(options.beta2, elements.step));
  const T beta1 = static_cast<T>(options.beta1), beta2 = static_cast<T>(options.beta2);
  const T fresh1 = static_cast<T>(1 - options.beta1), fresh2 = static_cast<T>(1 - options.beta2);
  const T rate = static_cast<T>(options.lr / correction1), root = static_cast<T>(1 / correction2),
          eps = static_cast<T>(options.eps), sign = options.maximize ? T(-1) : T(1);
  // An average that keeps nothing has nothing, not 0 * infinity, of what was.
  if (beta1 == 0) std::fill_n(elements.buffers[0], elements.size, T(0));
  if (beta2 == 0) std::fill_n(elements.buffers[1], elements.size, T(0));
  const auto move = [=](T & p, T m, T v) __attribute__((always_inline)) {
    p = keep * p - unless_off(rate, rate * m / (std::sqrt(v) * root + eps));
  };
  const auto moments = [=](T d, T & m, T & v) __attribute__((always_inline)) {
    m = beta1 * m + fresh1 * d;
    v = beta2 * v + fresh2 * d * d;
  };
  if (options.amsgrad)
    elements.each([=](T& p, T g, T& m, T& v, T& largest) {
      moments(sign * g + unless_off(decay, decay * p), m, v);
      largest = largest > v ? largest : v;
      move(p, m, largest);
    });
  else if (decay != 0 || options.maximize)
    elements.each([=](T& p, T g, T& m, T& v) {
      moments(sign * g + unless_off(decay, decay * p), m, v);
      move(p, m, v);
    });
  else
    elements.each([=](T& p, T g, T& m, T& v) {
      moments(g, m, v);
      move(p, m, v);
    });
}

}  // namespace

void AdamOptions::validate() const { validate_adam("Adam", *this); }
NamedTensors AdamOptions::buffers(const Tensor& parameter) const { return adam_buffers(*this, parameter); }
template <class T>
void AdamOptions::update(const Elements<T>& elements) const {
  update_adam(*this, elements, static_cast<T>(weight_decay), T(1));
}

void AdamWOptions::validate() const { validate_adam("AdamW", *this); }
NamedTensors AdamWOptions::buffers(const Tensor& parameter) const { return adam_buffers(*this, parameter); }
template <class T>
void AdamWOptions::update(const Elements<T>& elements) const {
  update_adam(*this, elements, T(0), static_cast<T>(1 - lr * weight_decay));
}

template class OptimizerOf<AdamOptions>;
template class OptimizerOf<AdamWOptions>;

}  // namespace xgrad::optim
