#pragma once
// The learning rate along half a cosine, once or again and again.

#include "../core/count.hpp"
#include "schedule.hpp"

namespace xgrad::optim {

struct CosineAnnealingLROptions {
  std::int64_t t_max = 1;  // epochs from the initial rate down to eta_min
  double eta_min = 0;      // a rate
};
/// The rate is eta_min + (initial - eta_min) * (1 + cos(pi * epoch / t_max)) / 2 (Loshchilov and Hutter, arXiv
/// 1608.03983, without restarts).
class CosineAnnealingLR : public Schedule {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
      : Schedule(optimizer, function(options)) {}
  template <xgrad::detail::Count N>
  CosineAnnealingLR(Optimizer& optimizer, N t_max, double eta_min = 0)
      : CosineAnnealingLR(optimizer,
                          CosineAnnealingLROptions{xgrad::detail::count("CosineAnnealingLR: t_max", t_max), eta_min}) {}

 private:
  static ScheduleFunction function(const CosineAnnealingLROptions& options);
};

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t t_0 = 1;     // epochs of the first descent
  std::int64_t t_mult = 1;  // how many times longer each descent is than the one before
  double eta_min = 0;       // a rate
};
/// The cosine of CosineAnnealingLR, from the initial rate again after each descent.
class CosineAnnealingWarmRestarts : public Schedule {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, const CosineAnnealingWarmRestartsOptions& options)
      : Schedule(optimizer, function(options)) {}

 private:
  static ScheduleFunction function(const CosineAnnealingWarmRestartsOptions& options);
};

}  // namespace xgrad::optim
