#include "log.hpp"

#include <cstdio>
#include <mutex>
#include <utility>

#include "text.hpp"

namespace xgrad::tune {
namespace {

void to_standard_error(std::string_view message) {
  const std::string line = "xgrad.tune: " + printable(message) + "\n";
  std::fputs(line.c_str(), stderr);
}

std::mutex mutex;
std::function<void(std::string_view)> current = to_standard_error;

}  // namespace

void set_log(std::function<void(std::string_view)> sink) {
  const std::lock_guard lock(mutex);
  current = std::move(sink);
}

void log(std::string_view message) {
  const std::lock_guard lock(mutex);
  if (current) current(message);
}

}  // namespace xgrad::tune
