#include "encoding.hpp"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "../core/error.hpp"

namespace xgrad::tune {

namespace {

using nlohmann::json;

json to_json(const Choice& choice) {
  return std::visit(
      [](const auto& value) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
          return nullptr;
        else
          return value;
      },
      choice);
}

Choice to_choice(const json& value) {
  if (value.is_null()) return std::monostate();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  check(value.is_string(), "tune: ", value.dump(), " is no value of a categorical parameter");
  return value.get<std::string>();
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json parse(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  check(!value.is_discarded(), "tune: `", text, "` in the storage is no JSON");
  return value;
}

}  // namespace

std::string distribution_to_json(const Distribution& distribution) {
  json attributes, out;
  if (const auto* real = std::get_if<FloatDistribution>(&distribution)) {
    attributes = {{"low", real->low}, {"high", real->high}, {"log", real->scale == Scale::log}};
    attributes["step"] = real->step ? json(*real->step) : json();
    out = {{"name", "FloatDistribution"}};
    if (real->scale == Scale::log_one_minus) out["scale"] = "log_one_minus";
  } else if (const auto* integer = std::get_if<IntDistribution>(&distribution)) {
    attributes = {
        {"low", integer->low}, {"high", integer->high}, {"log", integer->scale == Scale::log}, {"step", integer->step}};
    out = {{"name", "IntDistribution"}};
  } else {
    json choices = json::array();
    for (const Choice& choice : std::get<CategoricalDistribution>(distribution).choices)
      choices.push_back(to_json(choice));
    attributes = {{"choices", std::move(choices)}};
    out = {{"name", "CategoricalDistribution"}};
  }
  out["attributes"] = std::move(attributes);
  return dump(out);
}

Distribution distribution_from_json(std::string_view text) {
  const json value = parse(text);
  try {
    const std::string name = value.at("name");
    const json& given = value.at("attributes");
    if (name == "CategoricalDistribution") {
      CategoricalDistribution out;
      for (const json& choice : given.at("choices")) out.choices.push_back(to_choice(choice));
      return out;
    }
    const bool log = given.value("log", name == "LogUniformDistribution" || name == "IntLogUniformDistribution");
    const Scale scale = value.value("scale", "") == "log_one_minus" ? Scale::log_one_minus
                        : log                                       ? Scale::log
                                                                    : Scale::linear;
    if (name.starts_with("Int"))
      return IntDistribution{given.at("low"), given.at("high"), scale, log ? 1 : given.value("step", std::int64_t{1})};
    check(name == "FloatDistribution" || name == "UniformDistribution" || name == "LogUniformDistribution" ||
              name == "DiscreteUniformDistribution",
          "tune: the storage has an unknown distribution ", name);
    FloatDistribution out{given.at("low"), given.at("high"), scale};
    for (const char* key : {"step", "q"})
      if (const auto step = given.find(key); step != given.end() && !step->is_null()) out.step = step->get<double>();
    return out;
  } catch (const json::exception&) {
    fail("tune: `", text, "` in the storage is no distribution");
  }
}

std::string choice_to_json(const Choice& choice) { return dump(to_json(choice)); }
Choice choice_from_json(std::string_view text) { return to_choice(parse(text)); }

std::string choices_to_json(const std::map<std::string, Choice>& choices) {
  json out = json::object();
  for (const auto& [name, choice] : choices) out[name] = to_json(choice);
  return dump(out);
}

std::map<std::string, Choice> choices_from_json(std::string_view text) {
  const json values = parse(text);
  check(values.is_object(), "tune: `", text, "` is no JSON object of parameters");
  std::map<std::string, Choice> out;
  for (const auto& [name, value] : values.items()) out[name] = to_choice(value);
  return out;
}

std::string text_to_json(std::string_view text) { return dump(json(text)); }

std::string text_from_json(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string(text);
}

bool is_json(std::string_view text) { return json::accept(text); }

std::string time_to_text(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto clock = floor<microseconds>(time - day);
  const auto seconds_of_day = floor<seconds>(clock);
  const auto s = seconds_of_day.count();
  char text[64];
  const int length =
      std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d.%06d", int{date.year()}, unsigned{date.month()},
                    unsigned{date.day()}, static_cast<int>(s / 3600), static_cast<int>(s / 60 % 60),
                    static_cast<int>(s % 60), static_cast<int>((clock - seconds_of_day).count()));
  return {text, static_cast<std::size_t>(length)};
}

std::chrono::system_clock::time_point time_from_text(std::string_view text) {
  using namespace std::chrono;
  int y = 0, h = 0, minute = 0, s = 0;
  unsigned month_number = 0, d = 0;
  double fraction = 0;
  const std::string copy(text);
  const int fields = std::sscanf(copy.c_str(), "%d-%u-%u%*[ T]%d:%d:%d", &y, &month_number, &d, &h, &minute, &s);
  check(fields == 6, "tune: `", text, "` in the storage is no time");
  if (const auto point = copy.find('.'); point != std::string::npos) fraction = std::stod(copy.substr(point).insert(0, 1, '0'));
  return sys_days(year(y) / month(month_number) / day(d)) + hours(h) + minutes(minute) + seconds(s) +
         microseconds(static_cast<std::int64_t>(fraction * 1e6 + 0.5));
}

std::string_view name_of(TrialState state) {
  constexpr std::array<std::string_view, 7> names{"running", "complete", "pruned",  "failed",
                                                  "waiting", "paused",   "diverged"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(Direction direction) { return direction == Direction::minimize ? "minimize" : "maximize"; }

}  // namespace xgrad::tune
