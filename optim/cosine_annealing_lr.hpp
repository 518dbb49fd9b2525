#pragma once
// The learning rate along half a cosine.

#include "../core/count.hpp"
#include "scheduler.hpp"

namespace xgrad::optim {

struct CosineAnnealingLROptions {
  std::int64_t t_max = 1;  // epochs from the initial rate down to eta_min
  double eta_min = 0;      // a rate
};
/// The rate is eta_min + (initial - eta_min) * (1 + cos(pi * epoch / t_max)) / 2 (Loshchilov and Hutter, arXiv
/// 1608.03983, without restarts).
class CosineAnnealingLR : public LRScheduler {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);
  template <xgrad::detail::Count N>
  CosineAnnealingLR(Optimizer& optimizer, N t_max, double eta_min = 0)
      : CosineAnnealingLR(optimizer,
                          CosineAnnealingLROptions{xgrad::detail::count("CosineAnnealingLR: t_max", t_max), eta_min}) {}

 private:
  double factor(std::int64_t epoch) const override;
  double rate(double initial, std::int64_t epoch) const override;
  CosineAnnealingLROptions options_;
};

}  // namespace xgrad::optim
