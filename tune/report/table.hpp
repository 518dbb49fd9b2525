#pragma once
// Trials as lines of text.

#include <optional>
#include <string>
#include <vector>

#include "../trials/history.hpp"

namespace xgrad::tune {

struct TableOptions {
  std::optional<std::size_t> top = {};  ///< only so many lines
  std::vector<TrialState> states = {};  ///< only these; empty: all
  bool errors = false;                  ///< a column with what a failed trial says
  bool exact = true;                    ///< numbers that read back as the same ones, otherwise with 5 digits
};

/// One line a trial; with a single objective the best first, and those that violate a constraint behind those that do
/// not. Control characters in names and choices are escaped.
std::string table(const History& history, const TableOptions& options);

/// Names of the parameters of all trials, in the order in which they had them first.
std::vector<std::string> parameter_names(const History& history);

/// A trial's parameter as text; empty where it does not have it.
std::string parameter_text(const TrialRecord& trial, const std::string& name);

/// What an objective is called.
std::string value_name(const History& history, std::size_t objective);

}  // namespace xgrad::tune
