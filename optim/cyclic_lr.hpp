#pragma once
// The learning rate up and down again and again.

#include "schedule.hpp"

namespace xgrad::optim {

enum class CyclicMode {
  triangular,   // all cycles alike
  triangular2,  // each half as high as the one before
  exp_range     // the height at a step is multiplied by gamma^step
};

struct CyclicLROptions {
  double base_lr = 0, max_lr = 0;  // the rates at the bottom and at the top, of all groups
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;  // 0: as many as up
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;
  bool cycle_momentum = true;  // `momentum`, or `beta1`, between max_momentum at base_lr and base_momentum at max_lr
  double base_momentum = 0.8, max_momentum = 0.9;
};
/// As torch.optim.lr_scheduler.CyclicLR (Smith, arXiv 1506.01186); call step() after each batch. The rates are those
/// named here, whatever the initial ones are.
class CyclicLR : public Schedule {
 public:
  /// Throws Error for options out of range, and for an optimizer without the momentum that is to change.
  CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);
};

}  // namespace xgrad::optim
