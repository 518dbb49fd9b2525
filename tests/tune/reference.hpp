#pragma once
// What make_parzen.py and make_importance.py wrote.

#include <xgrad/tune/trials/distribution.hpp>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

inline nlohmann::json read_reference(const std::string& name) {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/" + name);
  return nlohmann::json::parse(file);
}

inline xgrad::tune::Distribution distribution(const nlohmann::json& d) {
  using namespace xgrad::tune;
  if (d["kind"] == "categorical") {
    CategoricalDistribution categories;
    for (std::int64_t i = 0; i < d["choices"]; ++i) categories.choices.emplace_back(i);
    return categories;
  }
  const Scale scale = d["log"].get<bool>() ? Scale::log : Scale::linear;
  if (d["kind"] == "int") return IntDistribution{d["low"], d["high"], scale, d["step"]};
  FloatDistribution range{d["low"], d["high"], scale};
  if (!d["step"].is_null()) range.step = d["step"].get<double>();
  return range;
}
