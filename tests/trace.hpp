#pragma once
// What a Profile wrote.

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

inline nlohmann::json events_of(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file).at("traceEvents");
}
