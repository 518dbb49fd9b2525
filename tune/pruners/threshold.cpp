#include "threshold.hpp"

#include "../../core/error.hpp"
#include "reports.hpp"

namespace xgrad::tune {

namespace {

class ThresholdPruner final : public Pruner {
 public:
  explicit ThresholdPruner(const Threshold& options) : options_(options) {}

  Decision report(const History& history, std::int64_t number) override {
    const Reports& reports = history[number].intermediate;
    if (reports.empty() || reports.rbegin()->first < options_.warmup_steps) return Decision::go_on;
    const double value = reports.rbegin()->second;
    return value >= options_.lower && value <= options_.upper ? Decision::go_on : Decision::prune;
  }

 private:
  Threshold options_;
};

}  // namespace

std::unique_ptr<Pruner> Threshold::make(std::uint64_t) const {
  check(lower <= upper, "Threshold: lower ", lower, " is not below upper ", upper);
  return std::make_unique<ThresholdPruner>(*this);
}

}  // namespace xgrad::tune
