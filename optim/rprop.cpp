#include "rprop.hpp"

namespace xgrad::optim {

void RpropOptions::validate() const {
  check(eta_minus > 0 && eta_minus < 1 && eta_plus > 1, "Rprop: eta_minus and eta_plus are ", double(eta_minus),
        " and ", double(eta_plus), "; they must lie in (0, 1) and above 1");
  detail::check_option("Rprop", "step_size_min", step_size_min);
  check(step_size_max >= step_size_min, "Rprop: step_size_max is ", double(step_size_max), "; it must be at least ",
        "step_size_min, which is ", double(step_size_min));
}

NamedTensors RpropOptions::buffers(const Tensor& parameter) const {
  return {{"prev", zeros_like(parameter)}, {"step_size", full_like(parameter, double(lr))}};
}

template <class T>
void RpropOptions::update(const Elements<T>& elements) const {
  const T smaller = static_cast<T>(eta_minus), larger = static_cast<T>(eta_plus), sign = maximize ? T(-1) : T(1);
  const T least = static_cast<T>(step_size_min), most = static_cast<T>(step_size_max);
  elements.each([=](T& p, T g, T& before, T& size) {
    const T turn = sign * g * before;
    const T scaled = size * (turn > 0 ? larger : turn < 0 ? smaller : T(1));
    size = scaled < least ? least : scaled > most ? most : scaled;
    before = turn < 0 ? T(0) : sign * g;
    p -= before > 0 ? size : before < 0 ? -size : before;
  });
}

template class OptimizerOf<RpropOptions>;

}  // namespace xgrad::optim
