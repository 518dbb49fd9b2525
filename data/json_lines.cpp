#include "json_lines.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "../io/file.hpp"

namespace xgrad::data {

namespace {

using nlohmann::json;

bool is_whole(const json& value) {  // in int64
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
}

/// A column as it grows; a row without a value is null.
struct Cells {
  std::string name;
  std::vector<json> rows = {};
  bool some_missing = false, all_bool = true, all_whole = true, all_numbers = true, all_text = true;

  void add(json value) {
    all_bool = all_bool && value.is_boolean();
    all_whole = all_whole && is_whole(value);
    all_numbers = all_numbers && value.is_number();
    all_text = all_text && value.is_string();
    rows.push_back(std::move(value));
  }
  void fill(std::size_t size) {
    some_missing = some_missing || rows.size() < size;
    rows.resize(size);
  }

  template <class T>
  Column of(T missing) const {
    Column column{name, xgrad::detail::empty({static_cast<std::int64_t>(rows.size())}, dtype_of<T>())};
    std::transform(rows.begin(), rows.end(), column.values.data<T>(),
                   [&](const json& value) { return value.is_null() ? missing : value.get<T>(); });
    return column;
  }
  Column column(const std::string& where) const {
    if (!some_missing && all_bool) return of<bool>(false);
    if (!some_missing && all_whole) return of<std::int64_t>(0);
    if (all_numbers) return of<double>(std::numeric_limits<double>::quiet_NaN());
    check(all_text || all_bool, where, ": column ", name, " has values of several types");
    std::vector<std::optional<std::string>> texts;
    for (const json& value : rows)
      texts.push_back(value.is_null()     ? std::nullopt
                      : value.is_string() ? std::optional(value.get<std::string>())
                                          : std::optional(value.dump()));
    return Column::of_text(name, texts);
  }
};

Table parse(const std::string& where, std::string_view text) {
  std::vector<Cells> cells;
  std::unordered_map<std::string, std::size_t> place;
  std::size_t rows = 0;
  std::int64_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    // Deep nesting, which is refused below, is cut off while it is read.
    const auto shallow = [](int depth, json::parse_event_t, json&) { return depth < 3; };
    json object = json::parse(line, shallow, false);
    check(object.is_object(), where, ": line ", line_number, " is no JSON object");
    for (auto& [name, value] : object.items()) {
      check(!value.is_structured() && !value.is_discarded(), where, ": line ", line_number, ": ", name,
            " is a list or an object; a column has numbers, texts or booleans");
      if (value.is_null()) continue;
      const auto [found, is_new] = place.emplace(name, cells.size());
      if (is_new) cells.push_back({name});
      cells[found->second].fill(rows);
      cells[found->second].add(std::move(value));
    }
    ++rows;
  }
  std::vector<Column> columns;
  for (Cells& column : cells) {
    column.fill(rows);
    columns.push_back(column.column(where));
  }
  return Table(std::move(columns));
}

}  // namespace

Table read_json_lines(const std::string& path) {
  const std::string where = "read_json_lines: " + path;
  const io::InputFile file("read_json_lines", path);
  return xgrad::detail::with_memory_for(where, [&] {
    std::string text(file.size(), '\0');
    file.read(0, text.data(), text.size());
    return parse(where, text);
  });
}

Table parse_json_lines(std::string_view text) {
  return xgrad::detail::with_memory_for("parse_json_lines", [&] { return parse("parse_json_lines", text); });
}

}  // namespace xgrad::data
