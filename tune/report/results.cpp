#include "results.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "../../core/error.hpp"
#include "../../io/file.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "../trials/text.hpp"
#include "table.hpp"

namespace xgrad::tune {

namespace {

std::string number(double value) {
  std::string out;
  xgrad::detail::append(out, value);
  return out;
}

bool is_number(const std::string& text) {
  double ignored = 0;
  return std::from_chars(text.data(), text.data() + text.size(), ignored).ptr == text.data() + text.size();
}

// A cell of CSV. What a spreadsheet would run as a formula gets an apostrophe before it, as spreadsheets themselves do.
std::string cell(const std::string& text) {
  std::string field;
  for (std::size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {  // line by line
    end = std::min(text.find('\n', begin), text.size());
    if (begin > 0) field += '\n';
    field += printable(std::string_view(text).substr(begin, end - begin));
  }
  if (!field.empty() && std::string_view("=+-@").find(field[0]) != std::string_view::npos && !is_number(field))
    field.insert(field.begin(), '\'');
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

nlohmann::ordered_json number_json(double value) {
  if (std::isfinite(value)) return value;
  return number(value);
}

}  // namespace

Choice value_of(const Parameter& parameter) {
  if (const auto* categorical = std::get_if<CategoricalDistribution>(&parameter.distribution)) {
    check(contains(parameter.distribution, parameter.value), "value_of: \"", parameter.name, "\" has no choice ",
          parameter.value, " among ", categorical->choices.size());
    return categorical->choices[static_cast<std::size_t>(parameter.value)];
  }
  if (std::holds_alternative<IntDistribution>(parameter.distribution))
    return static_cast<std::int64_t>(parameter.value);
  return parameter.value;
}

std::string to_string(const Choice& choice) {
  if (const auto* text = std::get_if<std::string>(&choice)) return *text;
  if (const auto* real = std::get_if<double>(&choice)) return number(*real);
  return choice_to_json(choice);
}

std::ostream& operator<<(std::ostream& out, const TrialRecord& trial) {
  std::string text = "trial " + std::to_string(trial.number) + ": ";
  if (trial.values.empty()) text += name_of(trial.state);
  for (std::size_t i = 0; i < trial.values.size(); ++i) text.append(i > 0 ? ", " : "").append(number(trial.values[i]));
  std::size_t width = 0;
  for (const Parameter& parameter : trial.parameters) width = std::max(width, printable(parameter.name).size());
  for (const Parameter& parameter : trial.parameters) {
    const std::string name = printable(parameter.name);
    text.append("\n  ").append(name).append(width - name.size() + 2, ' ');
    text += printable(to_string(value_of(parameter)));
  }
  return out << text;
}

TrialRecord best_trial(const History& history) {
  check(history.directions().size() == 1, "best_trial: the study has ", history.directions().size(),
        " objectives; see pareto_front()");
  const double sign = history.directions()[0] == minimize ? 1 : -1;
  const TrialRecord* best = nullptr;
  const TrialRecord* failed = nullptr;
  std::int64_t complete = 0;
  for (const TrialRecord& trial : history) {
    if (trial.state == TrialState::failed) failed = &trial;
    if (trial.state != TrialState::complete || trial.values.size() != 1) continue;
    ++complete;
    if (!is_feasible(trial)) continue;
    if (!best || sign * trial.values[0] < sign * best->values[0]) best = &trial;
  }
  check(best || complete == 0, "best_trial: all of ", complete, " complete trials violate a constraint");
  if (!best && failed && failed->attributes.contains("error"))
    fail("best_trial: none of ", history.size(), " trials is complete; trial ", failed->number,
         " failed: ", text_from_json(failed->attributes.at("error")));
  check(best != nullptr, "best_trial: none of ", history.size(), " trials is complete");
  return *best;
}

std::vector<TrialRecord> pareto_trials(const History& history) {
  std::vector<TrialRecord> out;
  for (const std::int64_t number : pareto_front(history)) out.push_back(history[number]);
  return out;
}

std::string table(const History& history) { return table(history, TableOptions()); }

void write_csv(const History& history, const std::string& path) {
  const std::vector<std::string> names = parameter_names(history);
  std::set<std::string> attributes;
  for (const TrialRecord& trial : history)
    for (const auto& [name, json] : trial.attributes) attributes.insert(name);

  std::string out = "number,state";
  for (std::size_t i = 0; i < history.directions().size(); ++i) out += ',' + cell(value_name(history, i));
  out += ",started,completed";
  for (const std::string& name : names) out += ',' + cell("params_" + name);
  for (const std::string& name : attributes) out += ',' + cell("attributes_" + name);
  out += "\r\n";
  for (const TrialRecord& trial : history) {
    out += std::to_string(trial.number) + ',' + std::string(name_of(trial.state));
    for (std::size_t i = 0; i < history.directions().size(); ++i)
      out += ',' + (i < trial.values.size() ? number(trial.values[i]) : std::string());
    for (const auto& time : {trial.started, trial.completed}) out += ',' + (time ? time_to_text(*time) : std::string());
    for (const std::string& name : names) out += ',' + cell(parameter_text(trial, name));
    for (const std::string& name : attributes)
      out += ',' + (trial.attributes.contains(name) ? cell(trial.attributes.at(name)) : std::string());
    out += "\r\n";
  }
  io::atomic_write(path, out);
}

std::string json_of(const History& history) {
  using json = nlohmann::ordered_json;  // parameters in the order in which they were suggested
  json directions = json::array(), trials = json::array();
  for (const Direction direction : history.directions()) directions.push_back(name_of(direction));
  for (const TrialRecord& trial : history) {
    json one{{"number", trial.number}, {"state", name_of(trial.state)}};
    one["values"] = json::array();
    for (const double value : trial.values) one["values"].push_back(number_json(value));
    one["parameters"] = json::object();
    one["distributions"] = json::object();
    for (const Parameter& parameter : trial.parameters) {
      one["parameters"][parameter.name] = json::parse(choice_to_json(value_of(parameter)));
      one["distributions"][parameter.name] = json::parse(distribution_to_json(parameter.distribution));
    }
    one["intermediate"] = json::array();
    for (const auto& [step, value] : trial.intermediate) one["intermediate"].push_back({step, number_json(value)});
    one["attributes"] = json::object();
    for (const auto& [name, text] : trial.attributes)
      one["attributes"][name] = is_json(text) ? json::parse(text) : json(text);  // Python writes NaN, which is none
    if (trial.started) one["started"] = time_to_text(*trial.started);
    if (trial.completed) one["completed"] = time_to_text(*trial.completed);
    trials.push_back(std::move(one));
  }
  const json all{{"directions", std::move(directions)}, {"trials", std::move(trials)}};
  return all.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

void write_json(const History& history, const std::string& path) { io::atomic_write(path, json_of(history)); }

}  // namespace xgrad::tune
