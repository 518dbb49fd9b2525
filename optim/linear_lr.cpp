#include "linear_lr.hpp"

#include <algorithm>

namespace xgrad::optim {

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options) : LRScheduler(optimizer), options_(options) {
  check(options.start_factor > 0 && options.start_factor <= 1, "LinearLR: start_factor is ", options.start_factor,
        "; it must lie in (0, 1]");
  check(options.end_factor >= 0 && options.end_factor <= 1, "LinearLR: end_factor is ", options.end_factor,
        "; it must lie in [0, 1]");
  check(options.total_iters > 0, "LinearLR: total_iters is ", options.total_iters, "; it must be positive");
  set_epoch(0);
}
double LinearLR::factor(std::int64_t epoch) const {
  const double t =
      static_cast<double>(std::min(epoch, options_.total_iters)) / static_cast<double>(options_.total_iters);
  return options_.start_factor + (options_.end_factor - options_.start_factor) * t;
}

}  // namespace xgrad::optim
