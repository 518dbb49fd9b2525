#pragma once
// The learning rate that falls where a metric no longer gets better.

#include "scheduler.hpp"

namespace xgrad::optim {

enum class PlateauMode { min, max };
enum class ThresholdMode { rel, abs };

struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;                // whether a smaller or a larger metric is better
  double factor = 0.1;                                // in [0, 1): what the rate is multiplied by
  std::int64_t patience = 10;                         // epochs without a better metric that are borne
  double threshold = 1e-4;                            // how much better is better...
  ThresholdMode threshold_mode = ThresholdMode::rel;  // ...by this part of the best, or by this much
  std::int64_t cooldown = 0;                          // epochs after a reduction that do not count
  double min_lr = 0;                                  // the rate does not fall below this
  double eps = 1e-8;                                  // a smaller change of the rate is not made
};
/// As torch.optim.lr_scheduler.ReduceLROnPlateau: call step(metric) after each epoch. It takes part among other
/// schedules of the optimizer as they do.
class ReduceLROnPlateau : public LRScheduler {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});

  /// To the next epoch, with the metric of the one that ends. NaN is not better than anything.
  void step(double metric);
  /// The best metric so far.
  double best() const { return best_; }

 private:
  double rate(double initial, std::int64_t epoch) const override;
  std::vector<std::pair<const char*, double*>> numbers() override;

  ReduceLROnPlateauOptions options_;
  // Whole numbers but for the first; double, as the state keeps them.
  double best_, bad_epochs_ = 0, cooldown_ = 0, reductions_ = 0;
};

}  // namespace xgrad::optim
