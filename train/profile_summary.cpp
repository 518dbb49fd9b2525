#include "profile_summary.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <tuple>

#include "../core/error.hpp"
#include "../io/file.hpp"

namespace xgrad::train {

namespace {

using Sizes = std::vector<std::int64_t>;

struct Event {
  detail::ProfileBar bar;
  std::string line, inputs, outputs;
  std::int64_t bytes = 0;
  double copies = 0;     // of its time, what copies took
  bool is_part = false;  // of an operation around it, as the product of a convolution's gradient is
};

/// "(2, 3), none, ()" as sizes; a tensor that was not there has none.
std::vector<std::optional<Sizes>> shapes_of(const std::string& text) {
  std::vector<std::optional<Sizes>> out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 4, "none") == 0) {
      out.emplace_back();
      at += 3;
    } else if (text[at] == '(') {
      Sizes& sizes = out.emplace_back().emplace();
      while (at < text.size() && text[at] != ')') {
        std::int64_t size = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), size);
        if (error == std::errc()) sizes.push_back(size);
        at = error == std::errc() ? static_cast<std::size_t>(end - text.data()) : at + 1;
      }
    }
  }
  return out;
}

std::int64_t numel(const Sizes& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// Multiply-adds of a product or convolution with this result and these factors, counting two each.
double product_flops(const std::string& name, const Sizes& result, const Sizes& x, const Sizes& weight) {
  const auto fraction = [](double whole, std::int64_t part) {
    return part > 0 ? whole / static_cast<double>(part) : 0;
  };
  const auto size = [](const Sizes& sizes) { return static_cast<double>(numel(sizes)); };
  if (name.find("transpose") != std::string::npos)
    return weight.empty() ? 0 : 2 * size(x) * fraction(size(weight), weight[0]);
  if (name.find("conv") != std::string::npos)
    return weight.empty() ? 0 : 2 * size(result) * fraction(size(weight), weight[0]);
  return x.empty() ? 0 : 2 * size(result) * static_cast<double>(x.back());
}

double flops_of(const Event& event) {
  constexpr std::string_view backward = " backward";
  std::string name = event.bar.name;
  const bool is_backward = name.ends_with(backward);
  if (is_backward) name.resize(name.size() - backward.size());
  if (name != "linear" && name != "matmul" && !name.starts_with("conv")) return 0;
  const auto given = shapes_of(event.inputs), made = shapes_of(event.outputs);
  if (given.empty() || made.empty() || !given[0]) return 0;
  if (!is_backward)
    return given.size() < 2 || !made[0] || !given[1] ? 0 : product_flops(name, *made[0], *given[0], *given[1]);
  // Each gradient is a product of as many multiply-adds as the result; what it takes to count them is in both.
  if (made.size() < 2) return 0;
  Sizes x = made[0].value_or(Sizes{}), weight = made[1].value_or(Sizes{});
  if (name == "linear" && x.empty() && weight.size() == 2) x = {weight[1]};
  return ((made[0] ? 1 : 0) + (made[1] ? 1 : 0)) * product_flops(name, *given[0], x, weight);
}

std::vector<Event> events_of(const std::string& trace) {
  std::vector<Event> events;
  try {
    const auto parsed = nlohmann::json::parse(io::read_file(trace));
    for (const auto& each : parsed.at("traceEvents")) {
      Event& event = events.emplace_back();
      event.bar = {each.at("name"), each.at("cat"), {}, each.at("tid"), 0, each.at("ts"), each.at("dur")};
      const bool backward = event.bar.category == "backward";
      const auto& arguments = each.at("args");
      event.bar.module = arguments.value("module", "");
      event.bytes = arguments.value("bytes", std::int64_t{0});
      event.inputs = arguments.at(backward ? "gradients of outputs" : "inputs");
      event.outputs = arguments.at(backward ? "gradients of inputs" : "outputs");
      event.line = arguments.value("called at", "");
    }
  } catch (const nlohmann::json::exception& error) {
    fail("profile: ", trace, ": no trace of a Profile: ", error.what());
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tuple(a.bar.thread, a.bar.begin, -a.bar.duration) <
           std::tuple(b.bar.thread, b.bar.begin, -b.bar.duration);
  });
  std::vector<Event*> open;
  for (Event& event : events) {
    while (!open.empty() && (open.back()->bar.thread != event.bar.thread ||
                             open.back()->bar.begin + open.back()->bar.duration <= event.bar.begin))
      open.pop_back();
    event.bar.depth = static_cast<int>(open.size());
    if (!open.empty() && event.bar.category == "layout") open.front()->copies += event.bar.duration;
    event.is_part = !open.empty() && event.bar.category != "layout";
    open.push_back(&event);
  }
  return events;
}

std::string fixed(double value, int digits) {
  std::string out;
  xgrad::detail::append_fixed(out, value, digits);
  return out;
}

}  // namespace

std::vector<ProfileRow> profile_rows(const std::string& trace, ProfileBy by) {
  std::map<std::array<std::string, 3>, ProfileRow> rows;
  const bool by_module = by == ProfileBy::module;
  for (const Event& event : events_of(trace)) {
    if (event.is_part || (by_module && event.bar.depth > 0)) continue;
    ProfileRow key;
    key.operation = by_module ? event.bar.category : event.bar.name;
    if (by == ProfileBy::line) key.called_at = event.line;
    if (by_module) key.module = event.bar.module;
    ProfileRow& row = rows.try_emplace({key.operation, key.called_at, key.module}, key).first->second;
    ++row.calls;
    row.milliseconds += std::max(event.bar.duration - (by_module ? 0 : event.copies), 0.0) / 1e3;
    row.bytes += event.bytes;
    row.flops += flops_of(event);
  }
  std::vector<ProfileRow> out;
  for (auto& [key, row] : rows) out.push_back(std::move(row));
  std::sort(out.begin(), out.end(),
            [](const ProfileRow& a, const ProfileRow& b) { return a.milliseconds > b.milliseconds; });
  return out;
}

std::string profile_table(const std::string& trace, ProfileBy by, std::size_t most) {
  const std::vector<ProfileRow> rows = profile_rows(trace, by);
  double whole = 0;
  for (const ProfileRow& row : rows) whole += row.milliseconds;
  const auto left = [by](std::string module, std::string operation) {
    return by == ProfileBy::module ? std::vector{std::move(module), std::move(operation)}
                                   : std::vector{std::move(operation)};
  };
  std::vector<std::vector<std::string>> cells{left("module", "operation")};
  const std::size_t names = cells[0].size();
  for (const char* title : {"calls", "ms", "%", "MB", "GFLOP", "GFLOP/s"}) cells[0].emplace_back(title);
  const std::size_t line = cells[0].size();
  if (by == ProfileBy::line) cells[0].emplace_back("called at");
  for (const ProfileRow& row : rows) {
    if (cells.size() > most) break;
    const bool products = row.flops > 0 && row.milliseconds > 0;
    auto& out = cells.emplace_back(left(row.module.empty() ? "(none)" : row.module, row.operation));
    for (std::string cell :
         {std::to_string(row.calls), fixed(row.milliseconds, 3),
          fixed(whole > 0 ? 100 * row.milliseconds / whole : 0, 1), fixed(static_cast<double>(row.bytes) / 1e6, 3),
          products ? fixed(row.flops / 1e9, 3) : "", products ? fixed(row.flops / row.milliseconds / 1e6, 1) : ""})
      out.push_back(std::move(cell));
    if (by == ProfileBy::line) out.push_back(row.called_at);
  }
  std::vector<std::size_t> width(cells[0].size());
  for (const auto& row : cells)
    for (std::size_t i = 0; i < width.size(); ++i) width[i] = std::max(width[i], row[i].size());
  std::string text;
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < width.size(); ++i) {
      const std::string fill(width[i] - row[i].size(), ' ');
      const bool is_name = i < names || i == line;  // numbers to the right
      text += (i > 0 ? "  " : "") + (is_name ? row[i] + fill : fill + row[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::vector<detail::ProfileBar> detail::profile_bars(const std::string& trace) {
  std::vector<ProfileBar> bars;
  for (Event& event : events_of(trace)) bars.push_back(std::move(event.bar));
  return bars;
}

}  // namespace xgrad::train
