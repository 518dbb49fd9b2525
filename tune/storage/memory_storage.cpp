#include "memory_storage.hpp"

#include <map>
#include <set>

#include "../../core/error.hpp"

namespace xgrad::tune {

namespace {

class MemoryStudy final : public StudyStorage {
 public:
  explicit MemoryStudy(std::vector<Direction> directions) : directions_(std::move(directions)) {}

  const std::vector<Direction>& directions() const override { return directions_; }
  std::vector<TrialRecord> changes() override { return {}; }  // nobody else can write
  std::optional<TrialRecord> read(std::int64_t) override { return std::nullopt; }

  std::optional<Lease> create(std::int64_t limit, const NewTrial& trial) override {
    if (started() >= limit) return std::nullopt;
    const auto number = static_cast<std::int64_t>(epochs_.size());
    if (trial.replaces) checkpoints_.erase(*trial.replaces);
    if (trial.fork_of) checkpoints_[number] = checkpoints_.at(*trial.fork_of);
    epochs_.push_back(1);
    ++leased_;
    return Lease{number, 1, number};
  }
  std::int64_t enqueue(const std::map<std::string, std::string>&) override {
    const auto number = static_cast<std::int64_t>(epochs_.size());
    epochs_.push_back(0);
    waiting_.insert(number);
    return number;
  }
  std::int64_t add(const TrialRecord& trial) override {
    const auto number = static_cast<std::int64_t>(epochs_.size());
    epochs_.push_back(1);
    failed_ += trial.state == TrialState::failed;
    return number;
  }
  std::optional<Lease> claim_waiting(std::int64_t limit) override {
    if (waiting_.empty() || started() >= limit) return std::nullopt;
    const std::int64_t number = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    return lease(number);
  }
  std::optional<Lease> claim(std::int64_t number) override {
    if (orphans_.erase(number) > 0) --leased_;
    return lease(number);
  }
  bool detach(const Lease& lease) override {
    if (!holds(lease)) return false;
    --leased_;
    ++epochs_[static_cast<std::size_t>(lease.number)];
    detached_.insert(lease.number);
    return true;
  }
  std::optional<Lease> attach(std::int64_t number) override {
    if (orphans_.contains(number)) return claim(number);
    if (detached_.erase(number) == 0) return std::nullopt;
    return lease(number);
  }
  std::vector<std::int64_t> orphans() override { return {orphans_.begin(), orphans_.end()}; }

  std::int64_t leased() override { return leased_; }

  std::vector<bool> write(std::span<const std::pair<Lease, TrialChange>> changes) override {
    std::vector<bool> held;
    for (const auto& [lease, change] : changes) {
      held.push_back(holds(lease));
      if (!held.back()) continue;
      if (change.checkpoint) checkpoints_[lease.number] = *change.checkpoint;
      if (!change.state) continue;
      --leased_;
      ++epochs_[static_cast<std::size_t>(lease.number)];
      failed_ += change.state == TrialState::failed;
      if (change.state != TrialState::paused && !change.keep_checkpoint) checkpoints_.erase(lease.number);
    }
    return held;
  }
  std::vector<bool> renew(std::span<const Lease> leases) override {
    std::vector<bool> held;
    for (const Lease& lease : leases) held.push_back(holds(lease));
    return held;
  }
  void release(std::span<const Lease> leases) override {
    for (const Lease& lease : leases)
      if (holds(lease)) orphans_.insert(lease.number);
  }
  std::optional<Checkpoint> checkpoint(std::int64_t number) override {
    const auto found = checkpoints_.find(number);
    return found == checkpoints_.end() ? std::nullopt : std::optional(found->second);
  }

  void forget_checkpoints(std::span<const std::int64_t> numbers) override {
    for (const std::int64_t number : numbers) checkpoints_.erase(number);
  }
  void settle() override {}

  std::map<std::string, std::string> attributes() override { return attributes_; }
  void set_attribute(const std::string& key, const std::string& json) override { attributes_[key] = json; }
  std::vector<std::string> metric_names() override { return metric_names_; }
  void set_metric_names(const std::vector<std::string>& names) override { metric_names_ = names; }

 private:
  // That use up the limit.
  std::int64_t started() const { return static_cast<std::int64_t>(epochs_.size() - waiting_.size()) - failed_; }
  Lease lease(std::int64_t number) {
    ++leased_;
    return {number, ++epochs_.at(static_cast<std::size_t>(number)), number};
  }
  bool holds(const Lease& lease) const { return epochs_.at(static_cast<std::size_t>(lease.number)) == lease.epoch; }

  std::vector<Direction> directions_;
  std::vector<std::int64_t> epochs_;  // of the leases, by number
  std::int64_t leased_ = 0;           // orphans included
  std::int64_t failed_ = 0;
  std::set<std::int64_t> waiting_, orphans_, detached_;
  std::map<std::int64_t, Checkpoint> checkpoints_;
  std::map<std::string, std::string> attributes_;
  std::vector<std::string> metric_names_;
};

class MemoryStorage final : public Storage {
 public:
  std::vector<StudySummary> studies() override { return {}; }
  std::unique_ptr<StudyStorage> open(const std::string&, const std::vector<Direction>& directions,
                                     std::chrono::milliseconds) override {
    return std::make_unique<MemoryStudy>(directions);
  }
  History read(const std::string& study) override { fail("tune: there is no study \"", study, "\" in memory:"); }
  std::optional<Checkpoint> checkpoint(const std::string& study, std::int64_t) override {
    fail("tune: there is no study \"", study, "\" in memory:");
  }
  void remove(const std::string& study) override { fail("tune: there is no study \"", study, "\" in memory:"); }
};

}  // namespace

std::unique_ptr<Storage> make_memory_storage() { return std::make_unique<MemoryStorage>(); }

}  // namespace xgrad::tune
