#include "inverse_time_lr.hpp"

namespace xgrad::optim {

InverseTimeLR::InverseTimeLR(Optimizer& optimizer, const InverseTimeLROptions& options)
    : LRScheduler(optimizer), options_(options) {
  detail::check_option("InverseTimeLR", "decay_rate", options.decay_rate);
}
double InverseTimeLR::factor(std::int64_t epoch) const {
  return 1 / (1 + options_.decay_rate * static_cast<double>(epoch));
}

}  // namespace xgrad::optim
