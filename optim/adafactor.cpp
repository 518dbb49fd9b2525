#include "adafactor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../ops/arithmetic.hpp"
#include "../ops/comparison.hpp"
#include "../ops/math.hpp"
#include "../ops/reduce.hpp"

namespace xgrad::optim {

void AdafactorOptions::validate() const {
  check(std::isfinite(beta2_decay) && beta2_decay <= 0, "Adafactor: beta2_decay is ", double(beta2_decay),
        "; it must be finite and not positive");
  detail::check_option("Adafactor", "eps1", eps1);
  detail::check_option("Adafactor", "eps2", eps2);
  check(d >= 1, "Adafactor: d is ", double(d), "; it must be at least 1");
  detail::check_option("Adafactor", "weight_decay", weight_decay);
}

NamedTensors AdafactorOptions::buffers(const Tensor& parameter) const {
  if (parameter.dim() < 2) return {{"variance", zeros_like(parameter)}};
  Shape rows = parameter.shape(), columns = rows;
  rows[rows.size() - 1] = 1;
  columns[columns.size() - 2] = 1;
  return {{"row_var", zeros(rows, {.dtype = parameter.dtype()})},
          {"col_var", zeros(columns, {.dtype = parameter.dtype()})}};
}

void AdafactorOptions::update(ParameterUpdate& one) const {
  if (one.parameter.numel() == 0) return;
  const Tensor gradient = maximize ? -one.gradient : one.gradient;
  const auto rms = [](const Tensor& x) { return std::sqrt(mean(square(x)).item()); };
  const auto t = static_cast<double>(one.step);
  const double epsilon =
      one.parameter.dtype() == float64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  const double least = eps1 == 0 ? epsilon : double(eps1), fresh = std::pow(t, beta2_decay);
  const double alpha = std::max<double>(eps2, rms(one.parameter)) * std::min<double>(lr, 1 / std::sqrt(t));
  const auto renew = [&](Tensor& average, const Tensor& now) { return average.add_(now - average, {.alpha = fresh}); };

  Tensor v;
  if (gradient.dim() > 1) {
    const Tensor squares = square(gradient);
    const Tensor row = renew(one.buffers["row_var"], mean(squares, {-1}, {.keepdim = true}));
    const Tensor column = renew(one.buffers["col_var"], mean(squares, {-2}, {.keepdim = true}));
    v = row * column / clamp(mean(row, {-2}, {.keepdim = true}), least);
  } else {
    v = renew(one.buffers["variance"], square(gradient));
  }
  if (lr == 0) return;
  const Tensor update = gradient * rsqrt(clamp(v, least * least));
  if (weight_decay != 0) one.parameter.mul_(1 - lr * weight_decay);
  one.parameter.sub_(update, {.alpha = alpha / std::max(1.0, rms(update) / d)});
}

template class OptimizerOf<AdafactorOptions>;

}  // namespace xgrad::optim
