#include "asha.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "../../core/error.hpp"
#include "rungs.hpp"

namespace xgrad::tune {
namespace {

// Successive halving in one or several brackets.
class Halving final : public Pruner {
 public:
  /// `first` has the reports of each bracket's first rung, `turns` the brackets of trials 0, 1, ..., which repeat.
  Halving(std::vector<std::int64_t> first, std::vector<std::size_t> turns, std::int64_t eta, std::int64_t last,
          bool stopping)
      : first_(std::move(first)), turns_(std::move(turns)), eta_(eta), last_(last), stopping_(stopping) {}

  Decision report(const History& history, std::int64_t number) override {
    follow(history);
    const Rungs& rungs = brackets_[bracket(number)];
    const auto reports = static_cast<std::int64_t>(history[number].intermediate.size());
    const auto rung = rungs.at_rung(reports);
    if (!rung || reports >= last_) return Decision::go_on;
    if (!stopping_) return Decision::pause;
    return rungs.survives(number, *rung) ? Decision::go_on : Decision::prune;
  }

  std::optional<Start> next(const History& history, bool) override {
    if (stopping_) return std::nullopt;
    follow(history);
    for (const Rungs& rungs : brackets_)
      if (const auto number = rungs.promotable()) return Start{*number};
    return std::nullopt;
  }

 private:
  std::size_t bracket(std::int64_t number) const { return turns_[static_cast<std::size_t>(number) % turns_.size()]; }

  void follow(const History& history) {
    if (brackets_.empty())
      for (const std::int64_t first : first_) brackets_.emplace_back(first, eta_, last_, history.directions()[0]);
    for (const std::int64_t number : history.changes(cursor_)) brackets_[bracket(number)].update(history[number]);
    cursor_ = history.changes_made();
  }

  std::vector<std::int64_t> first_;
  std::vector<std::size_t> turns_;
  std::int64_t eta_, last_;
  bool stopping_;
  std::vector<Rungs> brackets_;
  std::size_t cursor_ = 0;
};

// Positions in `sizes`, size[i] times i, such that any first part has them in about these proportions.
std::vector<std::size_t> take_turns(const std::vector<std::int64_t>& sizes) {
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  std::vector<std::int64_t> due(sizes.size());
  std::vector<std::size_t> turns;
  for (std::int64_t turn = 0; turn < all; ++turn) {
    for (std::size_t i = 0; i < sizes.size(); ++i) due[i] += sizes[i];
    const auto most = std::max_element(due.begin(), due.end());
    *most -= all;
    turns.push_back(static_cast<std::size_t>(most - due.begin()));
  }
  return turns;
}

void check_options(const Hyperband& options) {
  check(options.eta >= 2, "Hyperband: eta ", options.eta, " is below 2");
  check(options.max_reports >= 1, "Hyperband: max_reports ", options.max_reports, " is below 1");
}

}  // namespace

std::unique_ptr<Pruner> ASHA::make(std::uint64_t) const {
  check(eta >= 2, "ASHA: eta ", eta, " is below 2");
  check(first >= 1, "ASHA: first ", first, " is below 1");
  constexpr std::int64_t no_end = std::int64_t{1} << 53;
  return std::make_unique<Halving>(std::vector<std::int64_t>{first}, std::vector<std::size_t>{0}, eta, no_end,
                                   stopping);
}

std::vector<std::int64_t> Hyperband::brackets() const {
  check_options(*this);
  std::vector<std::int64_t> powers{1};  // of eta; counted, because floor(log(243) / log(3)) is 4
  while (powers.back() <= max_reports / eta) powers.push_back(powers.back() * eta);
  const auto count = static_cast<std::int64_t>(powers.size());
  std::vector<std::int64_t> sizes;
  for (std::int64_t s = count - 1; s >= 0; --s)
    sizes.push_back((count * powers[static_cast<std::size_t>(s)] + s) / (s + 1));
  return sizes;
}

std::int64_t Hyperband::bracket(std::int64_t number) const {
  const auto sizes = brackets();
  const auto turns = take_turns(sizes);
  return static_cast<std::int64_t>(sizes.size() - 1 - turns[static_cast<std::size_t>(number) % turns.size()]);
}

std::unique_ptr<Pruner> Hyperband::make(std::uint64_t) const {
  const auto sizes = brackets();
  std::vector<std::int64_t> first;
  for (std::int64_t reports = max_reports; first.size() < sizes.size(); reports /= eta)
    first.insert(first.begin(), reports);
  return std::make_unique<Halving>(first, take_turns(sizes), eta, max_reports, stopping);
}

}  // namespace xgrad::tune
