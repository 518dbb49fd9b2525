#include "history.hpp"

#include "../../core/error.hpp"

namespace xgrad::tune {

TrialRecord& History::at(std::int64_t number) {
  check(number >= 0 && number < size(), "History: there is no trial ", number, " among ", size());
  return trials_[static_cast<std::size_t>(number)];
}

const TrialRecord& History::operator[](std::int64_t number) const { return const_cast<History*>(this)->at(number); }

void History::put(TrialRecord trial) {
  check(trial.number >= 0 && trial.number <= size(), "History::put: trial ", trial.number, " after ", size(),
        " trials: numbers have no gaps");
  changes_.push_back(trial.number);
  if (trial.number == size())
    trials_.push_back(std::move(trial));
  else
    at(trial.number) = std::move(trial);
}

}  // namespace xgrad::tune
