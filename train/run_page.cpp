#include "run_page.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "../io/file.hpp"
#include "page.hpp"
#include "profile_summary.hpp"
#include "run_html.hpp"

namespace xgrad::train {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t points_of_a_curve = 1000, histograms_of_a_tag = 100, pictures_of_a_tag = 20, texts_of_a_tag = 50,
                      bars_of_a_profile = 5000;

struct Entry {
  std::int64_t step;
  double time;
  json content;
};

/// What a tag was given, by rising step.
struct Series {
  std::string tag, kind;
  std::vector<Entry> entries = {};

  void add(Entry entry) {
    drop_from(entry.step);
    entries.push_back(std::move(entry));
  }
  void drop_from(std::int64_t step) {
    while (!entries.empty() && entries.back().step >= step) entries.pop_back();
  }
};

struct Run {
  std::string name;
  json config = json::object();
  std::vector<Series> series = {};  // in the order of their first entries
  double started = 0, ended = 0;

  std::unordered_map<std::string, std::size_t> positions = {};

  void add(const json& line) {
    if (line.contains("purge_step")) {
      for (Series& each : series) each.drop_from(line["purge_step"]);
      return;
    }
    const std::string tag = line.at("tag");
    ended = line.at("time");
    if (started == 0) started = ended;
    const auto last = std::prev(line.end());
    const std::string& kind = last.key();
    const json& content = last.value();
    if (kind == "hparams") {
      config = content;
      return;
    }
    const auto [position, is_new] = positions.try_emplace(kind + '\n' + tag, series.size());
    if (is_new) series.push_back(Series{tag, kind});
    series[position->second].add({line.at("step"), ended, content});
  }
};

Run read_run(const std::string& directory, std::string name) {
  Run run{.name = std::move(name)};
  const std::string path = directory + "/log.jsonl", text = io::read_file(path);
  std::size_t number = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    ++number;
    try {
      run.add(json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                          text.begin() + static_cast<std::ptrdiff_t>(end)));
    } catch (const nlohmann::json::exception& error) {
      fail("write_run_page: ", path, ": line ", number, ": ", error.what());
    }
  }
  return run;
}

/// Of many entries some, evenly, and the last.
std::vector<const Entry*> some(const std::vector<Entry>& entries, std::size_t most) {
  std::vector<const Entry*> out;
  const std::size_t count = std::min(most, entries.size());
  for (std::size_t i = 1; i <= count; ++i) out.push_back(&entries[i * entries.size() / count - 1]);
  return out;
}

double six_digits(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10, 5 - std::floor(std::log10(std::abs(value))));
  return std::isfinite(scale) && std::isfinite(value * scale) && scale > 0 ? std::round(value * scale) / scale : value;
}

/// In parts of equally many entries: the last step and time, the mean, the least and the largest finite value.
json curve(const std::vector<Entry>& entries) {
  json steps = json::array(), times = json::array(), means = json::array(), lows = json::array(), highs = json::array();
  const std::size_t parts = std::min(points_of_a_curve, entries.size());
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * entries.size() / parts, end = (part + 1) * entries.size() / parts;
    double sum = 0, low = std::nan(""), high = low;
    std::size_t count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (!entries[i].content.is_number()) continue;
      const double value = entries[i].content;
      sum += value;
      low = std::fmin(low, value);
      high = std::fmax(high, value);
      ++count;
    }
    steps.push_back(entries[end - 1].step);
    times.push_back(entries[end - 1].time);
    means.push_back(six_digits(sum / static_cast<double>(count)));
    lows.push_back(six_digits(low));
    highs.push_back(six_digits(high));
  }
  return {{"steps", steps}, {"times", times}, {"means", means}, {"lows", lows}, {"highs", highs}};
}

json contents(const std::vector<const Entry*>& entries) {
  json out = json::array();
  for (const Entry* entry : entries) out.push_back({{"step", entry->step}, {"content", entry->content}});
  return out;
}

/// The rows of a Profile's trace, and of its bars the longest, in microseconds from the first.
json profile_json(const std::string& trace) {
  json rows = json::array(), modules = json::array(), bars = json::array();
  for (const ProfileBy by : {ProfileBy::line, ProfileBy::module})
    for (const ProfileRow& row : profile_rows(trace, by))
      (by == ProfileBy::line ? rows : modules)
          .push_back({row.operation, by == ProfileBy::line ? row.called_at : row.module, row.calls, row.milliseconds,
                      row.bytes, row.flops});
  std::vector<detail::ProfileBar> all = detail::profile_bars(trace);
  double first = 0;
  for (const detail::ProfileBar& bar : all) first = &bar == &all[0] ? bar.begin : std::min(first, bar.begin);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.duration > b.duration; });
  if (all.size() > bars_of_a_profile) all.resize(bars_of_a_profile);
  for (const detail::ProfileBar& bar : all)
    bars.push_back({bar.name, bar.category, bar.thread, bar.depth, bar.begin - first, bar.duration, bar.module});
  return {{"rows", rows}, {"modules", modules}, {"bars", bars}};
}

json run_json(const Run& run) {
  json out{{"name", run.name}, {"config", run.config}, {"started", run.started}, {"ended", run.ended}};
  for (const char* kind : {"value", "histogram", "image", "text", "pr_curve"}) out[kind] = json::object();
  for (const Series& series : run.series) {
    if (series.entries.empty()) continue;
    const std::size_t most = series.kind == "histogram" ? histograms_of_a_tag
                             : series.kind == "image"   ? pictures_of_a_tag
                                                        : texts_of_a_tag;
    out[series.kind][series.tag] =
        series.kind == "value" ? curve(series.entries) : contents(some(series.entries, most));
  }
  return out;
}

}  // namespace

void write_run_page(const std::vector<std::string>& log_dirs, const std::string& path) {
  json data{{"runs", json::array()}};
  for (const std::string& directory : log_dirs) {
    const std::filesystem::path whole = std::filesystem::path(directory).lexically_normal();
    const std::string last = (whole.has_filename() ? whole : whole.parent_path()).filename();
    const auto same = std::count_if(log_dirs.begin(), log_dirs.end(), [&](const std::string& other) {
      const std::filesystem::path each = std::filesystem::path(other).lexically_normal();
      return (each.has_filename() ? each : each.parent_path()).filename() == last;
    });
    json run = run_json(read_run(directory, same > 1 ? directory : last));
    const std::string trace = directory + "/trace.json";
    run["profile"] = std::filesystem::exists(trace) ? profile_json(trace) : json();
    data["runs"].push_back(std::move(run));
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  data["written"] = std::chrono::duration<double>(std::chrono::floor<std::chrono::milliseconds>(now)).count();
  detail::write_page(detail::run_html, data.dump(-1, ' ', false, json::error_handler_t::replace), path);
}

}  // namespace xgrad::train
