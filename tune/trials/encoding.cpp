#include "encoding.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "../../core/error.hpp"
#include "text.hpp"

namespace xgrad::tune {

namespace {

using nlohmann::json;

constexpr std::size_t deepest = 100, longest = std::size_t{64} << 20;

// The begin of a text that may be long or steer the terminal.
std::string excerpt(std::string_view text) { return printable(text.substr(0, 200)) + (text.size() > 200 ? "..." : ""); }

json to_json(const Choice& choice) {
  struct {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(bool value) const { return value; }
    json operator()(std::int64_t value) const { return value; }
    json operator()(double value) const {
      check(std::isfinite(value), "tune: ", value, " is no value of a categorical parameter: JSON does not have it");
      return value;
    }
    json operator()(const JsonChoice& value) const { return json::parse(value.json); }
    json operator()(const std::string& value) const {
      check(is_utf8(value), "tune: \"", printable(value), "\" is no value of a categorical parameter: it is not UTF-8");
      return value;
    }
  } const convert;
  return std::visit(convert, choice);
}

std::int64_t to_integer(const json& value) {
  const bool whole = value.is_number_integer() &&
                     !(value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX});
  check(whole, "tune: ", excerpt(value.dump()), " is no whole number of 64 bits");
  return value.get<std::int64_t>();
}

double to_double(const json& value) {
  check(value.is_number(), "tune: ", excerpt(value.dump()), " is no number");
  return value.get<double>();
}

bool to_bool(const json& value) {
  check(value.is_boolean(), "tune: ", excerpt(value.dump()), " is neither true nor false");
  return value.get<bool>();
}

Choice to_choice(const json& value) {
  if (value.is_null()) return std::monostate();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return to_integer(value);
  if (value.is_number()) return value.get<double>();
  if (value.is_array() || value.is_object())
    return JsonChoice{value.dump(-1, ' ', false, json::error_handler_t::replace)};
  return value.get<std::string>();
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json parse(std::string_view text) {
  const std::string_view fault = size_fault(text);
  check(fault.empty(), "tune: `", excerpt(text), "` ", fault);
  json value = json::parse(text, nullptr, false);
  check(!value.is_discarded(), "tune: `", excerpt(text), "` is no JSON");
  return value;
}

}  // namespace

// Written by hand: the destructor of a json that is an array or an object allocates, and ends the process where that
// fails.
std::string distribution_to_json(const Distribution& distribution) {
  const auto scalar = [](const auto& value) { return dump(json(value)); };
  const auto range = [&](const auto& d, const std::string& step, std::string_view rest) {
    std::string out = "{\"attributes\":{\"high\":";
    out.append(scalar(d.high)).append(d.scale == Scale::log ? ",\"log\":true" : ",\"log\":false");
    out.append(",\"low\":").append(scalar(d.low)).append(",\"step\":").append(step);
    return out.append("},\"name\":").append(rest).append("}");
  };
  if (const auto* real = std::get_if<FloatDistribution>(&distribution))
    return range(*real, real->step ? scalar(*real->step) : "null",
                 real->scale == Scale::log_one_minus ? "\"FloatDistribution\",\"scale\":\"log_one_minus\""
                                                     : "\"FloatDistribution\"");
  if (const auto* integer = std::get_if<IntDistribution>(&distribution))
    return range(*integer, scalar(integer->step), "\"IntDistribution\"");
  std::string out = "{\"attributes\":{\"choices\":[";
  std::string_view comma;
  for (const Choice& choice : std::get<CategoricalDistribution>(distribution).choices) {
    out.append(comma).append(choice_to_json(choice));
    comma = ",";
  }
  return out.append("]},\"name\":\"CategoricalDistribution\"}");
}

Distribution distribution_from_json(std::string_view text) {
  const json value = parse(text);
  try {
    const std::string name = value.at("name");
    const json& given = value.at("attributes");
    if (name == "CategoricalDistribution") {
      CategoricalDistribution out;
      const json& choices = given.at("choices");
      check(choices.is_array(), "tune: the choices of `", excerpt(text), "` are no list");
      for (const json& choice : choices) out.choices.push_back(to_choice(choice));
      return out;
    }
    const auto find = [&](const char* key) {
      const auto found = given.find(key);
      return found == given.end() || found->is_null() ? nullptr : &*found;
    };
    const json* const logged = find("log");
    const bool log =
        logged ? to_bool(*logged) : name == "LogUniformDistribution" || name == "IntLogUniformDistribution";
    const Scale scale = value.value("scale", "") == "log_one_minus" ? Scale::log_one_minus
                        : log                                       ? Scale::log
                                                                    : Scale::linear;
    const json* step = find("step");
    if (!step) step = find("q");
    if (name == "IntDistribution" || name == "IntUniformDistribution" || name == "IntLogUniformDistribution")
      return IntDistribution{to_integer(given.at("low")), to_integer(given.at("high")), scale,
                             log || !step ? 1 : to_integer(*step)};
    check(name == "FloatDistribution" || name == "UniformDistribution" || name == "LogUniformDistribution" ||
              name == "DiscreteUniformDistribution",
          "tune: the distribution \"", excerpt(name), "\" is unknown");
    FloatDistribution out{to_double(given.at("low")), to_double(given.at("high")), scale};
    if (step) out.step = to_double(*step);
    return out;
  } catch (const json::exception&) {
    fail("tune: `", excerpt(text), "` is no distribution");
  }
}

std::map<std::string, Distribution> space_from_json(std::string_view text) {
  const json value = parse(text);
  check(value.is_object(), "tune: `", excerpt(text), "` is no object of distributions");
  std::map<std::string, Distribution> out;
  for (const auto& [name, distribution] : value.items()) {
    check_name("tune", "parameter", name);
    out[name] = distribution_from_json(distribution.dump());
  }
  return out;
}

std::string choice_to_json(const Choice& choice) { return dump(to_json(choice)); }
Choice choice_from_json(std::string_view text) { return to_choice(parse(text)); }

std::string choices_to_json(const std::map<std::string, Choice>& choices) {
  std::string out = "{";
  std::string_view comma;
  for (const auto& [name, choice] : choices) {
    check_name("tune", "parameter", name);
    out.append(comma).append(text_to_json(name)).append(":").append(choice_to_json(choice));
    comma = ",";
  }
  return out.append("}");
}

std::map<std::string, Choice> choices_from_json(std::string_view text) {
  const json values = parse(text);
  check(values.is_object(), "tune: `", excerpt(text), "` is no JSON object of parameters");
  std::map<std::string, Choice> out;
  for (const auto& [name, value] : values.items()) out[name] = to_choice(value);
  return out;
}

std::string number_to_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return dump(json(value));
}

double number_from_json(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "-Infinity") return text[0] == '-' ? -infinity : infinity;
  return to_double(parse(text));
}

std::vector<double> numbers_from_json(std::string_view text) {
  check(text.size() >= 2 && text.front() == '[' && text.back() == ']', "tune: `", excerpt(text),
        "` is no list of numbers");
  text = text.substr(1, text.size() - 2);
  std::vector<double> out;
  while (text.find_first_not_of(" \t\n") != std::string_view::npos) {
    const auto end = std::min(text.find(','), text.size());
    const auto begin = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n", end - 1);
    check(begin < end, "tune: `", excerpt(text), "` is no list of numbers");
    out.push_back(number_from_json(text.substr(begin, last + 1 - begin)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string texts_to_json(const std::vector<std::string>& texts) { return dump(json(texts)); }

std::vector<std::string> texts_from_json(std::string_view text) {
  const json values = parse(text);
  check(values.is_array(), "tune: `", excerpt(text), "` is no list of texts");
  std::vector<std::string> out;
  for (const json& value : values) {
    check(value.is_string(), "tune: `", excerpt(value.dump()), "` is no text");
    out.push_back(value.get<std::string>());
  }
  return out;
}

std::string text_to_json(std::string_view text) { return dump(json(text)); }

std::string text_from_json(std::string_view text) {
  if (!size_fault(text).empty()) return std::string(text);
  const json value = json::parse(text, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string(text);
}

std::string_view size_fault(std::string_view text) {
  if (text.size() > longest) return "is longer than 64 MiB";
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > deepest)
      return "is nested deeper than 100";
    else if (!quoted && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return {};
}

std::string_view json_fault(std::string_view text) {
  const std::string_view fault = size_fault(text);
  return !fault.empty() ? fault : json::accept(text) ? std::string_view() : "is no JSON";
}

bool is_json(std::string_view text) { return json_fault(text).empty(); }

std::string time_to_text(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto clock = floor<microseconds>(time - day);
  const auto seconds_of_day = floor<seconds>(clock);
  const auto s = seconds_of_day.count();
  std::string text;
  const auto append = [&](std::int64_t value, std::size_t digits, std::string_view after) {
    const std::string number = std::to_string(value);
    text.append(digits - std::min(digits, number.size()), '0').append(number).append(after);
  };
  append(int{date.year()}, 4, "-");
  append(unsigned{date.month()}, 2, "-");
  append(unsigned{date.day()}, 2, " ");
  append(s / 3600, 2, ":");
  append(s / 60 % 60, 2, ":");
  append(s % 60, 2, ".");
  append((clock - seconds_of_day).count(), 6, "");
  return text;
}

std::chrono::system_clock::time_point time_from_text(std::string_view text) {
  using namespace std::chrono;
  std::string_view rest = text;
  const auto demand = [&](bool ok) { check(ok, "tune: `", excerpt(text), "` is no time from 1678 to 2261"); };
  // A number of `least` to `most` digits, and the character after it, which is one of `after`.
  const auto next = [&](std::size_t least, std::size_t most, std::string_view after) {
    int value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + std::min(most, rest.size()), value);
    demand(error == std::errc() && value >= 0 && end - rest.data() >= static_cast<std::ptrdiff_t>(least));
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    demand(rest.empty() ? after.empty() || after == "." : after.find(rest[0]) != std::string_view::npos);
    if (!rest.empty()) rest.remove_prefix(1);
    return value;
  };
  const int y = next(4, 4, "-"), mo = next(1, 2, "-"), d = next(1, 2, " T");
  const int h = next(1, 2, ":"), mi = next(1, 2, ":"), s = next(1, 2, ".");
  demand(rest.find_first_not_of("0123456789") == std::string_view::npos);
  std::int64_t fraction = 0;
  for (std::size_t i = 0; i < 6; ++i) fraction = fraction * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  const year_month_day date(year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d)));
  demand(y >= 1678 && y <= 2261 && date.ok() && h < 24 && mi < 60 && s < 61);
  return sys_days(date) + hours(h) + minutes(mi) + seconds(s) + microseconds(fraction);
}

std::string_view name_of(TrialState state) {
  constexpr std::array<std::string_view, 7> names{"running", "complete", "pruned",  "failed",
                                                  "waiting", "paused",   "diverged"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(Direction direction) { return direction == Direction::minimize ? "minimize" : "maximize"; }

}  // namespace xgrad::tune
