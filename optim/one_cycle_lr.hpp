#pragma once
// The learning rate up and down once, and momentum down and up.

#include "schedule.hpp"

namespace xgrad::optim {

enum class Anneal { cos, linear };

struct OneCycleLROptions {
  double max_lr = 0;             // the rate at the top, of all groups
  std::int64_t total_steps = 0;  // of the whole cycle
  double pct_start = 0.3;        // part of the steps that go up, between 0 and 1
  Anneal anneal_strategy = Anneal::cos;
  bool cycle_momentum = true;  // `momentum`, or `beta1`, from max_momentum to base_momentum and back
  double base_momentum = 0.85, max_momentum = 0.95;
  double div_factor = 25;         // the first rate is max_lr / div_factor
  double final_div_factor = 1e4;  // the last one the first / final_div_factor
  bool three_phase = false;       // down to the first rate as fast as up, and then on to the last
};
/// As torch.optim.lr_scheduler.OneCycleLR (Smith and Topin, arXiv 1708.07120); call step() after each batch. The rates
/// are those named here, whatever the initial ones are. From total_steps - 1 on they stay.
class OneCycleLR : public Schedule {
 public:
  /// Throws Error for options out of range, and for an optimizer without the momentum that is to change.
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);
};

}  // namespace xgrad::optim
