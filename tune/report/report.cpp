#include "report.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../../train/page.hpp"
#include "../importance/importance.hpp"
#include "../samplers/promise.hpp"
#include "../storage/sql_records.hpp"
#include "../trials/encoding.hpp"
#include "../trials/hypervolume.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "report_html.hpp"
#include "results.hpp"

namespace xgrad::tune {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t reports_of_a_page = 200'000;  // of studies with more, long curves are thinned
constexpr std::size_t attributes_of_a_page = 12;    // by name
constexpr std::size_t attribute_length = 200;       // longer ones are cut
constexpr std::int64_t promising_trials = 200;      // a Gaussian process over more would take long
constexpr std::int64_t promise_points = 20;

// Milliseconds since 1970.
json time_json(const std::optional<std::chrono::system_clock::time_point>& time) {
  if (!time) return nullptr;
  return std::chrono::floor<std::chrono::milliseconds>(*time).time_since_epoch().count();
}

double six_digits(double value) {
  char text[32];
  const char* end = std::to_chars(text, std::end(text), value, std::chars_format::general, 6).ptr;
  std::from_chars(text, end, value);
  return value;
}

// Step, report, step, report, ...: of a curve of more than `most` reports every k-th one and the last.
json curve_json(const TrialRecord& trial, std::size_t most) {
  const std::size_t every = (trial.intermediate.size() + most - 1) / most;
  std::size_t left = trial.intermediate.size();
  json curve = json::array();
  for (const auto& [step, value] : trial.intermediate) {
    if (--left % every != 0) continue;
    curve.push_back(step);
    curve.push_back(six_digits(value));
  }
  return curve;
}

// A parameter in all trials: null where a trial does not have it, and the position of a choice in "choices". An axis
// spans the ranges of all trials, where they differ.
struct Column {
  std::string name;
  std::size_t kind;  ///< of its distributions; one name may have a column for each
  json axis, values;

  void add(const TrialRecord& trial, const Parameter& parameter) {
    static constexpr const char* scales[] = {"linear", "log", "log_one_minus"};
    json value = parameter.value;
    if (std::holds_alternative<CategoricalDistribution>(parameter.distribution)) {
      json& choices = axis["choices"];
      const std::string choice = to_string(value_of(parameter));
      for (const Choice& each : std::get<CategoricalDistribution>(parameter.distribution).choices)
        if (const std::string text = to_string(each); std::find(choices.begin(), choices.end(), text) == choices.end())
          choices.push_back(text);
      value = std::find(choices.begin(), choices.end(), choice) - choices.begin();
    } else {
      const Axis range = tune::axis(parameter.distribution);
      const char* scale = scales[static_cast<std::size_t>(range.scale)];
      if (axis.empty()) axis = {{"scale", scale}, {"low", range.first}, {"high", range.last}};
      if (axis["scale"] != scale) axis["scale"] = "linear";
      axis["low"] = std::min(axis["low"].get<double>(), range.first);
      axis["high"] = std::max(axis["high"].get<double>(), range.last);
      axis["whole"] = std::holds_alternative<IntDistribution>(parameter.distribution);
      if (axis["whole"]) value = static_cast<std::int64_t>(parameter.value);
    }
    values[static_cast<std::size_t>(trial.number)] = std::move(value);
  }
};

// In the order in which the trials had them first.
json parameters_json(const History& history) {
  std::vector<Column> columns;
  for (const TrialRecord& trial : history)
    for (const Parameter& parameter : trial.parameters) {
      const std::size_t kind = parameter.distribution.index();
      auto column = std::find_if(columns.begin(), columns.end(),
                                 [&](const Column& c) { return c.name == parameter.name && c.kind == kind; });
      if (column == columns.end())
        column = columns.insert(
            column, {parameter.name, kind, json::object(), json(static_cast<std::size_t>(history.size()), nullptr)});
      column->add(trial, parameter);
    }
  json out = json::array();
  for (Column& column : columns) {
    column.axis["name"] = std::move(column.name);
    column.axis["values"] = std::move(column.values);
    out.push_back(std::move(column.axis));
  }
  return out;
}

// Of several objectives: what the complete, feasible trials up to each one dominate.
json hypervolume_json(const History& history) {
  json out = json::array();
  if (history.directions().size() < 2) return out;
  const auto point_of = [&](const TrialRecord& trial) {
    std::vector<double> point;
    if (trial.state != TrialState::complete || !is_feasible(trial)) return point;
    for (std::size_t m = 0; m < trial.values.size(); ++m) {
      if (!std::isfinite(trial.values[m])) return std::vector<double>();
      point.push_back(history.directions()[m] == minimize ? trial.values[m] : -trial.values[m]);
    }
    return point;
  };
  std::vector<std::vector<double>> all, front;
  for (const TrialRecord& trial : history)
    if (auto point = point_of(trial); !point.empty()) all.push_back(std::move(point));
  const std::vector<double> reference = reference_point(all);
  double reached = 0;
  for (const TrialRecord& trial : history) {
    if (auto point = point_of(trial); !point.empty()) {
      front.push_back(point);
      std::vector<std::vector<double>> rest;
      for (const std::size_t i : first_front(front)) rest.push_back(front[i]);
      const bool grows = std::find(rest.begin(), rest.end(), point) != rest.end();
      front = std::move(rest);
      if (grows) reached = hypervolume(front, reference);
    }
    out.push_back(reached);
  }
  return out;
}

// As the terminator would have found it after so many trials: their number, improvement and noise.
json promise_json(const History& history) {
  json out = json::array();
  const std::int64_t most = std::min(history.size(), promising_trials), points = std::min(most, promise_points);
  for (std::int64_t i = 1; i <= points; ++i) {
    const std::int64_t end = most * i / points;
    if (const auto promise = promise_of(history, end))
      out.push_back({end, six_digits(promise->improvement), six_digits(promise->noise)});
  }
  return out;
}

// The users' own, in the order in which trials had them first.
json attributes_json(const History& history) {
  json out = json::array();
  for (const TrialRecord& trial : history)
    for (const auto& [name, value] : trial.attributes) {
      if (is_system_attribute(name) || name == "error" || name == "parent" || name.starts_with("cmaes:") ||
          name.starts_with("nsga2:"))
        continue;
      auto column = std::find_if(out.begin(), out.end(), [&name = name](const json& c) { return c["name"] == name; });
      if (column == out.end()) {
        if (out.size() == attributes_of_a_page) continue;
        out.push_back({{"name", name}, {"values", json::object()}});
        column = out.end() - 1;
      }
      const std::string text = text_from_json(value);
      (*column)["values"][std::to_string(trial.number)] =
          text.size() > attribute_length ? text.substr(0, attribute_length) + "..." : text;
    }
  return out;
}

// The trial that PBT copied it from.
std::optional<std::int64_t> parent_of(const TrialRecord& trial) {
  const auto parent = trial.attributes.find("parent");
  if (parent == trial.attributes.end()) return std::nullopt;
  std::int64_t number = -1;
  const std::string& text = parent->second;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  const bool earlier = end == text.data() + text.size() && number >= 0 && number < trial.number;
  return earlier ? std::optional(number) : std::nullopt;
}

// What the page draws, by column. Numbers that are not finite become null.
json data_json(const History& history, const std::string& study) {
  json data{{"name", study}, {"written", time_json(std::chrono::system_clock::now())}};
  for (const char* key :
       {"directions", "states", "values", "started", "ended", "curves", "violations", "importance", "fanova"})
    data[key] = json::array();
  data["front"] = pareto_front(history);
  data["names"] = history.metric_names();
  data["hypervolume"] = hypervolume_json(history);
  data["parameters"] = parameters_json(history);
  data["promise"] = promise_json(history);
  data["attributes"] = attributes_json(history);
  for (const char* key : {"errors", "worked", "parents"}) data[key] = json::object();  // by number
  for (std::size_t i = 0; i < history.directions().size(); ++i) {
    data["directions"].push_back(name_of(history.directions()[i]));
    data["importance"].push_back(importance(history, {.objective = i}));
    data["fanova"].push_back(importance(history, {.evaluator = Fanova{}, .objective = i}));
  }
  std::size_t reports = 0, most = reports_of_a_page;
  for (const TrialRecord& trial : history) reports += trial.intermediate.size();
  const bool thinned = reports > most;
  if (thinned) most = std::clamp<std::size_t>(most / static_cast<std::size_t>(history.size()), 20, 1000);
  for (const TrialRecord& trial : history) {
    data["states"].push_back(name_of(trial.state));
    data["values"].push_back(trial.values);
    data["started"].push_back(time_json(trial.started));
    data["ended"].push_back(time_json(trial.completed));
    data["curves"].push_back(curve_json(trial, most));
    data["violations"].push_back(trial.constraints.empty() ? json(nullptr) : json(violation(trial)));
    const std::string number = std::to_string(trial.number);
    if (const auto parent = parent_of(trial)) data["parents"][number] = *parent;
    if (const auto worked = trial.attributes.find(worked_attribute); worked != trial.attributes.end())
      data["worked"][number] = std::round(1000 * number_from_json(worked->second));
    if (const auto error = trial.attributes.find("error"); error != trial.attributes.end())
      data["errors"][number] = text_from_json(error->second);
  }
  data["thinned"] = thinned;
  return data;
}

}  // namespace

void write_report(const History& history, const std::string& study, const std::string& path) {
  const std::string data = data_json(history, study).dump(-1, ' ', false, json::error_handler_t::replace);
  train::detail::write_page(train::detail::report_html, data, path);
}

}  // namespace xgrad::tune
