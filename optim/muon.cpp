#include "muon.hpp"

#include <algorithm>
#include <cmath>

#include "../ops/arithmetic.hpp"
#include "../ops/matmul.hpp"
#include "../ops/norm.hpp"
#include "../ops/shape.hpp"

namespace xgrad::optim {

void MuonOptions::validate() const {
  check(momentum >= 0 && momentum < 1, "Muon: momentum is ", double(momentum), "; it must lie in [0, 1)");
  detail::check_option("Muon", "weight_decay", weight_decay);
  detail::check_option("Muon", "eps", eps);
  check(ns_steps >= 0 && ns_steps < 100, "Muon: ns_steps is ", int(ns_steps), "; it must lie in [0, 100)");
}

NamedTensors MuonOptions::buffers(const Tensor& parameter) const {
  check(parameter.dim() >= 2, "Muon: a parameter has shape ", parameter.shape(),
        "; Muon trains matrices, give vectors and numbers to AdamW");
  return {{"momentum_buffer", zeros_like(parameter)}};
}

namespace {

/// The nearest matrix with orthonormal rows or columns, nearly: a quintic Newton-Schulz iteration.
Tensor orthogonalized(const Tensor& matrix, int steps, double eps) {
  const bool tall = matrix.size(0) > matrix.size(1);
  Tensor x = tall ? transpose(matrix, 0, 1) : matrix;
  x = x / std::max(norm(x).item(), eps);
  for (int step = 0; step < steps; ++step) {
    const Tensor gram = matmul(x, transpose(x, 0, 1));
    x = 3.4445 * x + matmul(-4.775 * gram + 2.0315 * matmul(gram, gram), x);
  }
  return tall ? transpose(x, 0, 1) : x;
}

}  // namespace

void MuonOptions::update(ParameterUpdate& one) const {
  if (one.parameter.numel() == 0) return;
  Tensor& m = one.buffers["momentum_buffer"];
  m.add_(one.gradient - m, {.alpha = 1 - momentum});
  if (lr == 0) return;
  const Tensor u = nesterov ? one.gradient + double(momentum) * (m - one.gradient) : m;
  const auto rows = static_cast<double>(u.size(0)), columns = static_cast<double>(u.numel()) / rows;
  const double scale =
      match_rms_adamw ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns));
  const Tensor direction = orthogonalized(flatten(u, 1), ns_steps, eps);
  one.parameter.mul_(1 - lr * weight_decay);
  one.parameter.sub_(reshape(direction, u.shape()), {.alpha = lr * scale});
}

template class OptimizerOf<MuonOptions>;

}  // namespace xgrad::optim
