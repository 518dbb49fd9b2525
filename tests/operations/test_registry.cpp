#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "../catch.hpp"
#include "../reference/operation_table.hpp"

using namespace xgrad;

namespace {

struct Header {
  std::filesystem::path path;
  std::string scope;  // of what it declares, inside xgrad
};

std::vector<Header> headers() {
  std::vector<Header> all;
  for (const std::string scope : {"", "linalg", "fft"})
    for (const auto& entry : std::filesystem::directory_iterator(XGRAD_TESTS_DIR "/../ops/" + scope))
      if (entry.path().extension() == ".hpp") all.push_back({entry.path(), scope.empty() ? "" : scope + "::"});
  return all;
}

}  // namespace

TEST_CASE("registry: names are unique, and every operation has a formula") {
  std::set<std::string> names;
  for (const OpInfo& op : registry()) {
    INFO(op.name);
    CHECK(names.insert(op.name).second);
    CHECK(std::string(op.formula).size() > 0);
  }
}

TEST_CASE("registry: every operation that a header of ops declares is registered") {
  std::set<std::string> registered;
  for (const OpInfo& op : registry()) registered.insert(op.name);
  const std::regex declaration(R"(^(?:Tensor|std::\w+<.*Tensor.*>|[A-Z]\w+) (\w+)\(.*)");
  int found = 0;
  for (const Header& header : headers()) {
    std::ifstream file(header.path);
    bool internal = false;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_search(line, std::regex("^namespace .*detail \\{"))) internal = true;
      if (line.starts_with("}  // namespace detail")) internal = false;
      std::smatch match;
      if (internal || !std::regex_match(line, match, declaration)) continue;
      ++found;
      INFO(header.path.filename() << " declares " << match[1]);
      CHECK(registered.contains(header.scope + match[1].str()));
    }
  }
  CHECK(found > 60);
}

TEST_CASE("registry: samples give every tensor that an operation takes") {
  std::map<std::string, std::size_t> most;
  for (const OpInfo& op : registry())
    for (const OpSample& sample : op.samples()) most[op.name] = std::max(most[op.name], sample.inputs.size());
  const std::regex declaration(R"((?:^|\n)Tensor (\w+)\(([^;{]*)\);)"),
      tensor(R"(\b(?:Operand|const Tensor&) (?!condition|mask)\w+)"), options(R"(const (\w+Options)&)");
  int found = 0;
  for (const Header& header : headers()) {
    std::ifstream file(header.path);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) {
      const std::string name = header.scope + (*at)[1].str(), parameters = (*at)[2];
      if (!most.contains(name)) continue;
      auto wanted = static_cast<std::size_t>(
          std::distance(std::sregex_iterator(parameters.begin(), parameters.end(), tensor), std::sregex_iterator()));
      if (std::smatch match; std::regex_search(parameters, match, options))
        wanted += std::regex_search(text, std::regex("struct " + match[1].str() + R"( \{[^}]*\n  Tensor )"));
      INFO(name << "(" << parameters << ")");
      CHECK(most[name] >= wanted);
      ++found;
    }
  }
  CHECK(found > 60);
}

TEST_CASE("registry: docs/operations.md is what the registry says") {
  std::ifstream file(XGRAD_TESTS_DIR "/../docs/operations.md");
  REQUIRE(file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  INFO("write it anew: build/release/tests/xgrad_registry table > docs/operations.md");
  CHECK(text == reference::operation_table());
}
