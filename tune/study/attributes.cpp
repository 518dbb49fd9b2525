// Attributes of trials and studies, constraints, names of metrics.
#include <cmath>

#include "../storage/sql_records.hpp"
#include "../trials/encoding.hpp"
#include "../trials/text.hpp"
#include "study_core.hpp"

namespace xgrad::tune::detail {

void StudyCore::set_attribute(OpenTrial& open, const std::string& name, const std::string& json) {
  check_name("set_attribute", "attribute", name);
  const std::string_view fault = json_fault(json);
  check(fault.empty(), "set_attribute: \"", name, "\": `", printable(json.substr(0, 200)),
        json.size() > 200 ? "...` " : "` ", fault);
  check(!is_system_attribute(name), "set_attribute: \"", name, "\" is used by the study itself");
  const std::lock_guard lock(mutex_);
  if (open.closed) return;
  open.pending.attributes[name] = json;
  history_.change(open.lease.number, [&](TrialRecord& record) { record.attributes[name] = json; });
}

void StudyCore::set_constraint(OpenTrial& open, const std::string& name, double value) {
  check_name("set_constraint", "constraint", name);
  check(name.size() <= 500, "set_constraint: the name of a constraint has ", name.size(), " bytes; it needs 1 to 500");
  check(!std::isnan(value), "set_constraint: \"", name, "\" is NaN");
  const std::lock_guard lock(mutex_);
  if (open.closed) return;
  open.pending.constraints[name] = value;
  history_.change(open.lease.number, [&](TrialRecord& record) { record.constraints[name] = value; });
}

std::map<std::string, std::string> StudyCore::attributes() {
  const std::lock_guard lock(mutex_);
  return guarded([&] { return study_->attributes(); });
}

void StudyCore::set_attribute(const std::string& name, const std::string& json) {
  check_name("set_attribute", "attribute", name);
  const std::string_view fault = json_fault(json);
  check(fault.empty(), "set_attribute: \"", name, "\": `", printable(json.substr(0, 200)),
        json.size() > 200 ? "...` " : "` ", fault);
  const std::lock_guard lock(mutex_);
  guarded([&] { study_->set_attribute(name, json); });
}

void StudyCore::set_metric_names(const std::vector<std::string>& names) {
  check(names.size() == directions().size(), "set_metric_names: ", names.size(), " names for ", directions().size(),
        " objectives");
  for (const std::string& name : names) check_name("set_metric_names", "metric", name);
  const std::lock_guard lock(mutex_);
  guarded([&] { study_->set_metric_names(names); });
  history_.set_metric_names(names);
}

}  // namespace xgrad::tune::detail
