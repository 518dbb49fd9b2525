#pragma once
// The tables of successive halving.

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// The rungs of successive halving: rung k has the trials that made first * eta^k reports, with what they reported
/// then. Values that are not finite are worst; a trial that diverged before a rung counts as worst in the next it would
/// have come to.
class Rungs {
 public:
  /// `last`: no rung has more reports than this.
  Rungs(std::int64_t first, std::int64_t eta, std::int64_t last, Direction direction);

  /// Takes in a trial as it is now. O(log n).
  void update(const TrialRecord& trial);

  /// The rung of which a trial with this many reports has just made the last; nothing between rungs.
  std::optional<std::size_t> at_rung(std::int64_t reports) const;
  std::size_t size() const { return reports_.size(); }

  /// Whether a trial is in the best floor(n / eta) of the n in a rung, or the best of all.
  bool survives(std::int64_t number, std::size_t rung) const;

  /// Of the highest rung that has one, the best trial that is paused there and in its best floor(n / eta).
  std::optional<std::int64_t> promotable() const;

 private:
  using Entry = std::pair<double, std::int64_t>;  // value, smaller is better, and number of the trial
  struct Rung {
    std::set<Entry> top, rest, ready;  // the best floor(n / eta), the others; of the top those that are paused here
    std::set<std::int64_t> paused;
  };
  struct Trial {
    std::vector<double> values;              // by rung
    std::optional<std::size_t> paused = {};  // in this rung
  };

  void insert(Rung& rung, Entry entry) const;
  void erase(Rung& rung, Entry entry) const;
  void move_up(Rung& rung, Entry entry) const;
  void balance(Rung& rung) const;
  std::vector<double> values(const TrialRecord& trial) const;

  std::int64_t eta_;
  double sign_;
  std::vector<std::int64_t> reports_;  // by rung
  std::vector<Rung> rungs_;
  std::vector<Trial> trials_;
};

}  // namespace xgrad::tune
