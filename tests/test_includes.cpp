#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path root = fs::path(XGRAD_TESTS_DIR).parent_path();

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The folders in the block of docs/architecture.md that begins with "```house", lowest first.
std::vector<std::string> house() {
  const std::string page = text_of(root / "docs/architecture.md");
  const std::size_t begin = page.find("```house\n"), end = page.find("```", begin + 3);
  REQUIRE(begin != std::string::npos);
  const std::string block = page.substr(begin, end - begin);
  const std::regex folder(R"(\n([a-z/]+)/ )");
  std::vector<std::string> folders;
  for (std::sregex_iterator at(block.begin(), block.end(), folder), last; at != last; ++at)
    folders.insert(folders.begin(), (*at)[1]);
  return folders;
}

using Includes = std::map<std::string, std::set<std::string>>;  // files by their paths from the root

Includes includes_of(const std::vector<std::string>& folders) {
  const std::regex include(R"re((?:^|\n)#include "([^"]+)")re");
  Includes all;
  for (const std::string& folder : folders)
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const std::string ending = entry.path().extension().string();
      if (ending != ".hpp" && ending != ".cpp") continue;
      std::set<std::string>& of_file = all[folder + '/' + entry.path().filename().string()];
      const std::string text = text_of(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), include), last; at != last; ++at) {
        const fs::path path = (fs::path(folder) / (*at)[1].str()).lexically_normal();
        if (path.has_parent_path()) of_file.insert(path.generic_string());
      }
    }
  return all;
}

std::string folder_of(const std::string& file) { return fs::path(file).parent_path().generic_string(); }

/// Includes of what stands higher, as "a.hpp includes b.hpp".
std::vector<std::string> upward(const Includes& all, const std::vector<std::string>& folders) {
  const auto floor = [&](const std::string& file) {
    return std::find(folders.begin(), folders.end(), folder_of(file)) - folders.begin();
  };
  std::vector<std::string> found;
  for (const auto& [file, includes] : all)
    for (const std::string& included : includes)
      if (floor(included) > floor(file)) found.push_back(file + " includes " + included);
  return found;
}

bool reaches(const Includes& all, const std::string& from, const std::string& to, std::set<std::string>& seen) {
  const auto at = all.find(from);
  if (at == all.end()) return false;
  for (const std::string& next : at->second)
    if (next == to || (seen.insert(next).second && reaches(all, next, to, seen))) return true;
  return false;
}

std::vector<std::string> circular(const Includes& all) {
  std::vector<std::string> found;
  for (const auto& [file, includes] : all) {
    std::set<std::string> seen;
    if (reaches(all, file, file, seen)) found.push_back(file);
  }
  return found;
}

}  // namespace

TEST_CASE("architecture: a folder includes only folders below it, and no file itself by way of others") {
  const std::vector<std::string> folders = house();
  CHECK(folders.size() >= 15);
  const Includes all = includes_of(folders);
  CHECK(all.size() > 200);
  CHECK(upward(all, folders) == std::vector<std::string>{});
  CHECK(circular(all) == std::vector<std::string>{});
}

TEST_CASE("architecture: every folder with sources is in the house") {
  const std::vector<std::string> folders = house();
  for (const auto& entry : fs::recursive_directory_iterator(root / "tune"))
    if (entry.path().extension() == ".hpp")
      CHECK(
          std::count(folders.begin(), folders.end(), fs::relative(entry.path().parent_path(), root).generic_string()));
  for (const char* folder : {"core", "array", "kernels", "autograd", "ops", "distributions", "solvers", "nn", "optim",
                             "io", "data", "text", "train"})
    CHECK(std::count(folders.begin(), folders.end(), folder) == 1);
}

TEST_CASE("architecture: an include that runs up, and one that runs in a circle, are found") {
  CHECK(upward({{"core/a.hpp", {"ops/b.hpp"}}, {"ops/b.hpp", {"core/a.hpp"}}}, {"core", "ops"}) ==
        std::vector<std::string>{"core/a.hpp includes ops/b.hpp"});
  CHECK(circular({{"ops/a.hpp", {"ops/b.hpp"}}, {"ops/b.hpp", {"ops/c.hpp"}}, {"ops/c.hpp", {"ops/b.hpp"}}}) ==
        std::vector<std::string>{"ops/b.hpp", "ops/c.hpp"});
}
