#include "report.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

#include "../core/error.hpp"
#include "../io/file.hpp"
#include "encoding.hpp"
#include "importance.hpp"
#include "report_page.hpp"
#include "results.hpp"
#include "standing.hpp"

namespace xgrad::tune {

void write_report(const History& history, const std::string& study, const std::string& path) {
  using nlohmann::ordered_json;
  ordered_json data = ordered_json::parse(json_of(history));
  data["name"] = study;
  data["written"] = time_to_text(std::chrono::system_clock::now());
  data["front"] = pareto_front(history);
  data["parameters"] = ordered_json::object();
  for (const TrialRecord& trial : history)
    for (const Parameter& parameter : trial.parameters)
      if (!data["parameters"].contains(parameter.name))
        data["parameters"][parameter.name] = ordered_json::parse(distribution_to_json(parameter.distribution));
  for (ordered_json& trial : data["trials"]) trial.erase("distributions");
  data["importance"] = ordered_json::array();
  for (std::size_t i = 0; i < history.directions().size(); ++i)
    data["importance"].push_back(importance(history, {.objective = i}));

  std::string json = data.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  for (std::size_t at = 0; (at = json.find("</", at)) != std::string::npos; at += 3)
    json.insert(at + 1, 1, '\\');  // or it would end the script element
  for (std::size_t at = 0; (at = json.find("<!--", at)) != std::string::npos;) json.replace(at, 1, "\\u003c");
  std::string page = report_page;
  const std::string_view place = "{data}";
  page.replace(page.find(place), place.size(), json);
  io::atomic_write(path, page);
}

}  // namespace xgrad::tune
