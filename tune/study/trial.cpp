#include "trial.hpp"

#include "../report/results.hpp"
#include "study_core.hpp"

namespace xgrad::tune {

std::int64_t Trial::number() const { return open_->lease.number; }
std::uint64_t Trial::seed() const { return open_->seed; }

double Trial::suggest_float(const std::string& name, double low, double high, Scale scale) {
  return open_->core->suggest(*open_, name, FloatDistribution{low, high, scale});
}
double Trial::suggest_float(const std::string& name, double low, double high, FloatStep step) {
  return open_->core->suggest(*open_, name, FloatDistribution{low, high, Scale::linear, step.step});
}
std::int64_t Trial::suggest_int(const std::string& name, std::int64_t low, std::int64_t high, Scale scale) {
  return static_cast<std::int64_t>(open_->core->suggest(*open_, name, IntDistribution{low, high, scale}));
}
std::int64_t Trial::suggest_int(const std::string& name, std::int64_t low, std::int64_t high, IntStep step) {
  return static_cast<std::int64_t>(
      open_->core->suggest(*open_, name, IntDistribution{low, high, Scale::linear, step.step}));
}
Choice Trial::suggest_categorical(const std::string& name, const CategoricalDistribution& choices) {
  return choices.choices.at(static_cast<std::size_t>(open_->core->suggest(*open_, name, choices)));
}

Choice Trial::suggest(const std::string& name, const Distribution& distribution) {
  return value_of({name, distribution, open_->core->suggest(*open_, name, distribution)});
}

void Trial::set_constraint(const std::string& name, double value) { open_->core->set_constraint(*open_, name, value); }
std::map<std::string, Choice> Trial::parameters() const {
  std::map<std::string, Choice> out;
  for (const Parameter& parameter : record().parameters) out[parameter.name] = value_of(parameter);
  return out;
}

void Trial::report(std::int64_t step, double value) { open_->core->report(*open_, step, value); }
bool Trial::should_prune() { return open_->core->should_stop(*open_); }
void Trial::set_attribute(const std::string& name, const std::string& json) {
  open_->core->set_attribute(*open_, name, json);
}
TrialRecord Trial::record() const { return open_->core->record(number()); }

}  // namespace xgrad::tune
