#pragma once
// Scripts for the Python that XGRAD_PYTHON names.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "catch.hpp"

/// Whether there is a Python with this package; says so where there is none.
inline bool has_python_package(const std::string& package) {
  const char* python = std::getenv("XGRAD_PYTHON");
  if (python && std::system((std::string(python) + " -c 'import " + package + "' 2>/dev/null").c_str()) == 0)
    return true;
  WARN("skipped: set XGRAD_PYTHON to a Python with the package " + package);
  return false;
}

/// What a script printed, given with its arguments by its path from the directory of the tests; fails the test unless
/// it ends well.
inline std::string run_python(const std::string& script) {
  const std::string command = std::string(std::getenv("XGRAD_PYTHON")) + " " + XGRAD_TESTS_DIR + "/" + script + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  for (int c; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
  const int status = ::pclose(pipe);
  INFO(output);
  REQUIRE(status == 0);
  return output;
}
