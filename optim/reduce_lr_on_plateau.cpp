#include "reduce_lr_on_plateau.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xgrad::optim {

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : LRScheduler(optimizer),
      options_(options),
      best_((options.mode == PlateauMode::min ? 1 : -1) * std::numeric_limits<double>::infinity()) {
  const char* name = "ReduceLROnPlateau";
  check(options.factor >= 0 && options.factor < 1, name, ": factor is ", options.factor, "; it must lie in [0, 1)");
  check(options.patience >= 0, name, ": patience is ", options.patience, "; it must not be negative");
  check(options.cooldown >= 0, name, ": cooldown is ", options.cooldown, "; it must not be negative");
  detail::check_option(name, "threshold", options.threshold);
  detail::check_option(name, "min_lr", options.min_lr);
  detail::check_option(name, "eps", options.eps);
}

void ReduceLROnPlateau::step(double metric) {
  const bool smaller = options_.mode == PlateauMode::min, relative = options_.threshold_mode == ThresholdMode::rel;
  const double by = smaller ? -options_.threshold : options_.threshold;
  const double bar = relative ? best_ * (1 + by) : best_ + by;
  if (smaller ? metric < bar : metric > bar) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ > static_cast<double>(options_.patience)) {
    ++reductions_;
    cooldown_ = static_cast<double>(options_.cooldown);
    bad_epochs_ = 0;
  }
  LRScheduler::step();
}

double ReduceLROnPlateau::rate(double initial, std::int64_t) const {
  double lr = initial;
  for (double done = 0; done < reductions_; ++done) {
    const double reduced = std::max(lr * options_.factor, options_.min_lr);
    if (!(lr - reduced > options_.eps)) break;
    lr = reduced;
  }
  return lr;
}

std::vector<std::pair<const char*, double*>> ReduceLROnPlateau::numbers() {
  return {{"best", &best_},
          {"num_bad_epochs", &bad_epochs_},
          {"cooldown_counter", &cooldown_},
          {"reductions", &reductions_}};
}

}  // namespace xgrad::optim
