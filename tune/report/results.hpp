#pragma once
// What a study has found: the best trials, tables and files.

#include <iosfwd>
#include <string>
#include <vector>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// The value of a parameter as the objective got it: the number, or the choice.
Choice value_of(const Parameter& parameter);
/// As text, numbers by the shortest one that reads back as the same number.
std::string to_string(const Choice& choice);

/// `trial 41: 0.8951`, and a line for each parameter. Control characters in names and choices are escaped.
std::ostream& operator<<(std::ostream& out, const TrialRecord& trial);

/// The complete, feasible trial of the best value; of equal ones the first. Throws Error where there is none, and for
/// several objectives.
TrialRecord best_trial(const History& history);
/// The complete trials that no other dominates, by number.
std::vector<TrialRecord> pareto_trials(const History& history);

/// One line a trial; with a single objective the best first. Control characters in names and choices are escaped.
std::string table(const History& history);
/// One record a trial with its values, parameters and attributes, quoted as in RFC 4180. Text that a
/// spreadsheet would take for a formula (it begins with = + - @ and is no number) has an apostrophe before it. The file
/// appears in one step.
void write_csv(const History& history, const std::string& path);
/// All that is known of the trials, as JSON. Numbers that JSON does not have are the strings "nan", "inf" and "-inf".
std::string json_of(const History& history);
/// That in a file, which appears in one step.
void write_json(const History& history, const std::string& path);

}  // namespace xgrad::tune
