#include "table.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <tuple>

#include "../../core/error.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "../trials/text.hpp"
#include "results.hpp"

namespace xgrad::tune {
namespace {

std::string padded(const std::string& field, std::size_t width) {
  return std::string(width - std::min(width, field.size()), ' ') + field;
}

}  // namespace

std::vector<std::string> parameter_names(const History& history) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const TrialRecord& trial : history)
    for (const Parameter& parameter : trial.parameters)
      if (seen.insert(parameter.name).second) names.push_back(parameter.name);
  return names;
}

std::string parameter_text(const TrialRecord& trial, const std::string& name) {
  for (const Parameter& parameter : trial.parameters)
    if (parameter.name == name) return to_string(value_of(parameter));
  return {};
}

std::string value_name(const History& history, std::size_t objective) {
  if (!history.metric_names().empty()) return history.metric_names().at(objective);
  return history.directions().size() == 1 ? "value" : "value_" + std::to_string(objective);
}

std::string table(const History& history, const TableOptions& options) {
  std::vector<const TrialRecord*> trials;
  bool constrained = false;
  for (const TrialRecord& trial : history) {
    const auto& states = options.states;
    constrained = constrained || !trial.constraints.empty();
    if (states.empty() || std::find(states.begin(), states.end(), trial.state) != states.end())
      trials.push_back(&trial);
  }
  if (history.directions().size() == 1) {
    const double sign = history.directions()[0] == minimize ? 1 : -1;
    std::stable_sort(trials.begin(), trials.end(), [&](const TrialRecord* a, const TrialRecord* b) {
      const auto key = [&](const TrialRecord* trial) {
        const bool complete = trial->state == TrialState::complete && !trial->values.empty();
        return std::tuple(complete ? 0 : 1, complete ? violation(*trial) : 0, complete ? sign * trial->values[0] : 0);
      };
      return key(a) < key(b);
    });
  }
  if (options.top && trials.size() > *options.top) trials.resize(*options.top);

  const auto number = [&](double value) {
    std::string out;
    if (options.exact) {
      xgrad::detail::append(out, value);
      return out;
    }
    char text[32];
    return std::string(text, std::to_chars(text, std::end(text), value, std::chars_format::general, 5).ptr);
  };
  const auto cell = [&](const TrialRecord& trial, const std::string& name) {
    for (const Parameter& parameter : trial.parameters)
      if (parameter.name == name && std::holds_alternative<FloatDistribution>(parameter.distribution))
        return number(parameter.value);
    return printable(parameter_text(trial, name));
  };
  const std::vector<std::string> names = parameter_names(history);
  std::vector<std::vector<std::string>> lines{{"trial", "state"}};
  for (std::size_t i = 0; i < history.directions().size(); ++i) lines[0].push_back(printable(value_name(history, i)));
  if (constrained) lines[0].push_back("violation");
  for (const std::string& name : names) lines[0].push_back(printable(name));
  if (options.errors) lines[0].push_back("error");
  for (const TrialRecord* trial : trials) {
    std::vector<std::string> line{std::to_string(trial->number), std::string(name_of(trial->state))};
    for (std::size_t i = 0; i < history.directions().size(); ++i)
      line.push_back(i < trial->values.size() ? number(trial->values[i]) : "");
    if (constrained) line.push_back(trial->constraints.empty() ? "" : number(violation(*trial)));
    for (const std::string& name : names) line.push_back(cell(*trial, name));
    if (options.errors) {
      const auto error = trial->attributes.find("error");
      line.push_back(error == trial->attributes.end() ? "" : printable(text_from_json(error->second)));
    }
    lines.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) out += (i > 0 ? "  " : "") + padded(line[i], widths[i]);
    out += '\n';
  }
  return out;
}

}  // namespace xgrad::tune
