#include "terminator.hpp"

#include "../trials/log.hpp"

namespace xgrad::tune {

void Terminator::operator()(Study& study, const TrialRecord&) const {
  History history(study.directions());
  std::int64_t complete = 0;
  for (TrialRecord& trial : study.trials()) {
    complete += trial.state == TrialState::complete;
    history.put(std::move(trial));
  }
  if (complete < startup_trials) return;
  const auto promise = promise_of(history);
  if (!promise || promise->improvement >= least.value_or(promise->noise)) return;
  log("Terminator stops the study: another trial is expected to improve it by " + std::to_string(promise->improvement));
  study.stop();
}

}  // namespace xgrad::tune
