#include "linear_lr.hpp"

namespace xgrad::optim {

ScheduleFunction LinearLR::function(const LinearLROptions& options) {
  check(options.start_factor > 0 && options.start_factor <= 1, "LinearLR: start_factor is ", options.start_factor,
        "; it must lie in (0, 1]");
  check(options.end_factor >= 0 && options.end_factor <= 1, "LinearLR: end_factor is ", options.end_factor,
        "; it must lie in [0, 1]");
  check(options.total_iters > 0, "LinearLR: total_iters is ", options.total_iters, "; it must be positive");
  return linear(options.total_iters, {.start = options.start_factor, .end = options.end_factor});
}

}  // namespace xgrad::optim
