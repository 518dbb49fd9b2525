#include "sparse_adam.hpp"

#include <cmath>

namespace xgrad::optim {

using detail::unless_off;

void SparseAdamOptions::validate() const {
  detail::check_betas("SparseAdam", beta1, beta2);
  detail::check_option("SparseAdam", "eps", eps);
}

NamedTensors SparseAdamOptions::buffers(const Tensor& parameter) const {
  return {{"exp_avg", zeros_like(parameter)}, {"exp_avg_sq", zeros_like(parameter)}};
}

template <class T>
void SparseAdamOptions::update(const Elements<T>& elements) const {
  const auto t = static_cast<double>(elements.step);
  const T rate = static_cast<T>(lr * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t)));
  const T keep1 = static_cast<T>(beta1), fresh1 = static_cast<T>(1 - beta1), keep2 = static_cast<T>(beta2),
          fresh2 = static_cast<T>(1 - beta2), small = static_cast<T>(eps), sign = maximize ? T(-1) : T(1);
  elements.each([=](T& p, T g, T& m, T& v) {
    m = unless_off(keep1, keep1 * m) + fresh1 * (sign * g);
    v = unless_off(keep2, keep2 * v) + fresh2 * g * g;
    p -= unless_off(rate, rate * m / (std::sqrt(v) + small));
  });
}

template class OptimizerOf<SparseAdamOptions>;

}  // namespace xgrad::optim
