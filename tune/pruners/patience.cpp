#include "patience.hpp"

#include "../../core/error.hpp"
#include "reports.hpp"

namespace xgrad::tune {

namespace {

class PatiencePruner final : public Pruner {
 public:
  PatiencePruner(const Patience& options, std::uint64_t seed)
      : patience_(options.patience),
        min_delta_(options.min_delta),
        then_(options.then ? options.then->make(seed) : nullptr) {}

  Decision report(const History& history, std::int64_t number) override {
    const Reports& reports = history[number].intermediate;
    const auto recent = static_cast<std::ptrdiff_t>(patience_) + 1;
    if (static_cast<std::ptrdiff_t>(reports.size()) <= recent) return Decision::go_on;
    const auto split = std::prev(reports.end(), recent);
    const auto before = best(reports.begin(), split, sign_of(history)),
               after = best(split, reports.end(), sign_of(history));
    if (!before || !after || !(*before + min_delta_ < *after)) return Decision::go_on;
    return then_ ? then_->report(history, number) : Decision::prune;
  }

  std::optional<Start> next(const History& history, bool may_begin) override {
    return then_ ? then_->next(history, may_begin) : std::nullopt;
  }

 private:
  int patience_;
  double min_delta_;
  std::unique_ptr<Pruner> then_;
};

}  // namespace

std::unique_ptr<Pruner> Patience::make(std::uint64_t seed) const {
  check(patience >= 0, "Patience: patience ", patience, " is below 0");
  check(min_delta >= 0, "Patience: min_delta ", min_delta, " is not at least 0");
  return std::make_unique<PatiencePruner>(*this, seed);
}

}  // namespace xgrad::tune
