#pragma once
// The trials of a study in memory, as samplers and pruners see them.

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "record.hpp"

namespace xgrad::tune {

/// The trials of one study by number, and which of them changed since one looked last: samplers and pruners keep tables
/// that they bring up to date with changes(), so that a decision costs the same after 100 trials and after 100,000.
/// The study keeps one and guards it by its lock; references to trials stay valid.
class History {
 public:
  explicit History(std::vector<Direction> directions = {minimize}) : directions_(std::move(directions)) {}

  const std::vector<Direction>& directions() const { return directions_; }

  /// What the objectives are called, by position; empty where nobody named them.
  const std::vector<std::string>& metric_names() const { return metric_names_; }
  void set_metric_names(std::vector<std::string> names) { metric_names_ = std::move(names); }

  std::int64_t size() const { return static_cast<std::int64_t>(trials_.size()); }

  /// Throws Error unless 0 <= number < size().
  const TrialRecord& operator[](std::int64_t number) const;

  auto begin() const { return trials_.begin(); }
  auto end() const { return trials_.end(); }

  /// Adds the trial trial.number = size(), or replaces the one that has its number. Throws Error for a higher number.
  void put(TrialRecord trial);

  /// Changes a trial in place: `edit` gets a TrialRecord&. Throws Error unless 0 <= number < size().
  template <class Edit>
  void change(std::int64_t number, Edit&& edit) {
    std::forward<Edit>(edit)(at(number));
    changes_.push_back(number);
  }

  /// The number of the trial that each put() or change() was about, from the `cursor`-th on. Who has seen them all
  /// begins with cursor = changes_made() the next time.
  std::span<const std::int64_t> changes(std::size_t cursor) const { return std::span(changes_).subspan(cursor); }
  std::size_t changes_made() const { return changes_.size(); }

 private:
  TrialRecord& at(std::int64_t number);

  std::vector<Direction> directions_;
  std::vector<std::string> metric_names_;
  std::deque<TrialRecord> trials_;
  std::vector<std::int64_t> changes_;
};

}  // namespace xgrad::tune
