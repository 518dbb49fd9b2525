// An operation whose forward and backward are xtensor expressions: the pseudo-Huber loss, a smooth |x|.
//
//   f(x) = delta^2 (sqrt(1 + (x / delta)^2) - 1),   df/dx = x / sqrt(1 + (x / delta)^2)
#include <xgrad/xgrad.hpp>
#include <xgrad/xtensor.hpp>

#include <iostream>

#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xmath.hpp>
#endif

using namespace xgrad;

int main() {
  manual_seed(0);
  const auto delta = 0.5;
  const auto loss = xtensor_operation(
      "pseudo_huber", [=](const auto& x) { return delta * delta * (xt::sqrt(1.0 + xt::square(x / delta)) - 1.0); },
      [=](const auto& x, const auto& grad) { return grad * x / xt::sqrt(1.0 + xt::square(x / delta)); });
  const auto result = gradcheck(loss, {randn({3, 4}, {.dtype = float64, .requires_grad = true})});
  std::cout << "gradient against central differences: " << result << '\n';

  // A line through points of which some are far off: gradient descent on the smooth absolute error.
  const Tensor t = linspace(-1, 1, 50, {.dtype = float64});
  Tensor y = 3.0 * t + 0.5 + 0.1 * randn({50}, {.dtype = float64});
  for (int i = 0; i < 50; i += 10) slice(y, 0, i, i + 1).add_(20.0);
  Tensor slope = zeros({}, {.dtype = float64, .requires_grad = true}), shift = zeros_like(slope).requires_grad_();
  optim::Adam adam({slope, shift}, {.lr = 0.05});
  for (int step = 0; step < 500; ++step) {
    adam.zero_grad();
    mean(loss(slope * t + shift - y)).backward();
    adam.step();
  }
  std::cout << "y = " << slope.item() << " t + " << shift.item() << ", from points about 3 t + 0.5 with outliers\n";
  return result && std::abs(slope.item() - 3) < 0.3 ? 0 : 1;
}
