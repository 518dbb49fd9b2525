#pragma once
// Who works on which trial of a study.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "database.hpp"
#include "storage.hpp"

namespace xgrad::tune {

/// The rows of xgrad_leases of one study. What changes a lease marks it with the study's `revision`; it is called in a
/// writing transaction, and nothing may have come of it where that is rolled back.
class SqlLeases {
 public:
  SqlLeases(Database& database, std::int64_t study, std::chrono::milliseconds lease);

  void insert(std::int64_t trial, std::string_view state, std::int64_t epoch, std::int64_t revision);
  /// See StudyStorage.
  std::optional<Lease> claim_waiting(std::int64_t revision);
  std::optional<Lease> claim(std::int64_t number, std::int64_t revision);
  std::optional<Lease> attach(std::int64_t number, std::int64_t revision);
  bool detach(const Lease& lease, std::int64_t revision);
  /// Makes a paused trial a running one that nobody holds; false where it is not paused.
  bool take_paused(std::int64_t trial, std::int64_t revision);
  /// Whether a lease is still held; if so the trial counts as changed.
  bool touch(const Lease& lease, std::int64_t revision);
  /// Its trial has ended, or pauses.
  void end(std::int64_t trial, TrialState state);

  std::vector<bool> renew(std::span<const Lease> leases);
  void release(std::span<const Lease> leases);
  std::vector<std::int64_t> orphans();
  std::int64_t leased();

 private:
  void insert_waiting(std::int64_t trial);
  std::int64_t take(std::int64_t trial, std::int64_t revision);
  void take_up(std::int64_t trial);
  bool is_orphan(const std::string& owner, std::int64_t expires, std::int64_t now) const;
  std::int64_t lease_time();

  Database& db_;
  std::int64_t study_, lease_;
  std::optional<std::int64_t> ahead_;  // of the own clock is the database's, in milliseconds
  std::int64_t patient_until_ = 0;     // on the own clock
};

}  // namespace xgrad::tune
