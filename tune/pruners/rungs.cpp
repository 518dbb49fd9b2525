#include "rungs.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace xgrad::tune {

Rungs::Rungs(std::int64_t first, std::int64_t eta, std::int64_t last, Direction direction)
    : eta_(eta), sign_(direction == minimize ? 1 : -1) {
  for (std::int64_t reports = first;; reports *= eta) {
    reports_.push_back(reports);
    if (reports > last / eta) break;
  }
  rungs_.resize(reports_.size());
}

std::optional<std::size_t> Rungs::at_rung(std::int64_t reports) const {
  const auto found = std::find(reports_.begin(), reports_.end(), reports);
  if (found == reports_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - reports_.begin());
}

std::vector<double> Rungs::values(const TrialRecord& trial) const {
  constexpr double worst = std::numeric_limits<double>::infinity();
  std::vector<double> values;
  std::int64_t reports = 0;
  for (const auto& [step, value] : trial.intermediate) {
    if (values.size() == reports_.size()) break;
    if (++reports == reports_[values.size()]) values.push_back(std::isfinite(value) ? sign_ * value : worst);
  }
  const bool at_end_of_rung = !values.empty() && reports == reports_[values.size() - 1];
  const bool lost = at_end_of_rung && values.back() == worst;  // counts as worst already
  if (trial.state == TrialState::diverged && values.size() < reports_.size() && !lost) values.push_back(worst);
  return values;
}

void Rungs::move_up(Rung& rung, Entry entry) const {
  rung.rest.erase(entry);
  rung.top.insert(entry);
  if (rung.paused.contains(entry.second)) rung.ready.insert(entry);
}

void Rungs::balance(Rung& rung) const {
  const std::size_t capacity = (rung.top.size() + rung.rest.size()) / static_cast<std::size_t>(eta_);
  while (rung.top.size() > capacity) {
    const Entry worst = *rung.top.rbegin();
    rung.top.erase(worst);
    rung.ready.erase(worst);
    rung.rest.insert(worst);
  }
  while (rung.top.size() < capacity) move_up(rung, *rung.rest.begin());
}

void Rungs::insert(Rung& rung, Entry entry) const {
  rung.rest.insert(entry);
  if (!rung.top.empty() && entry < *rung.top.rbegin()) move_up(rung, entry);
  balance(rung);
}

void Rungs::erase(Rung& rung, Entry entry) const {
  rung.top.erase(entry);
  rung.rest.erase(entry);
  rung.ready.erase(entry);
  balance(rung);
}

void Rungs::update(const TrialRecord& trial) {
  const auto number = static_cast<std::size_t>(trial.number);
  if (trials_.size() <= number) trials_.resize(number + 1);
  Trial& known = trials_[number];
  const auto now = values(trial);
  for (std::size_t k = 0; k < std::max(now.size(), known.values.size()); ++k) {
    const bool was = k < known.values.size(), is = k < now.size();
    if (was && is && known.values[k] == now[k]) continue;
    if (was) erase(rungs_[k], {known.values[k], trial.number});
    if (is) insert(rungs_[k], {now[k], trial.number});
  }
  known.values = now;

  std::optional<std::size_t> paused;
  if (trial.state == TrialState::paused) paused = at_rung(static_cast<std::int64_t>(trial.intermediate.size()));
  if (paused == known.paused) return;
  if (known.paused) {
    Rung& rung = rungs_[*known.paused];
    rung.paused.erase(trial.number);
    std::erase_if(rung.ready, [&](const Entry& e) { return e.second == trial.number; });
  }
  known.paused = paused;
  if (paused) {
    Rung& rung = rungs_[*paused];
    rung.paused.insert(trial.number);
    const Entry entry{now[*paused], trial.number};
    if (rung.top.contains(entry)) rung.ready.insert(entry);
  }
}

bool Rungs::survives(std::int64_t number, std::size_t rung) const {
  const Rung& r = rungs_[rung];
  const auto& values = trials_[static_cast<std::size_t>(number)].values;
  if (rung >= values.size()) return true;
  const Entry entry{values[rung], number};
  return r.top.contains(entry) || (r.top.empty() && *r.rest.begin() == entry);
}

std::optional<std::int64_t> Rungs::promotable() const {
  for (auto rung = rungs_.rbegin(); rung != rungs_.rend(); ++rung)
    if (!rung->ready.empty()) return rung->ready.begin()->second;
  return std::nullopt;
}

}  // namespace xgrad::tune
