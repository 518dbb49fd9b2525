#include "worker.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace xgrad::tune {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Process numbers are unique in here, until the next boot.
std::string machine() {
  std::error_code ignored;
  return first_line("/proc/sys/kernel/random/boot_id") + ' ' +
         std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
}

// When a process began, in clock ticks since the boot; empty when there is none of this number, or only its remains.
std::string start_of(const std::string& pid) {
  const std::string line = first_line("/proc/" + pid + "/stat");
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::string field;
  rest >> field;
  if (field == "Z" || field == "X") return {};
  for (int i = 4; i <= 22; ++i) rest >> field;
  return field;
}

}  // namespace

const std::string& this_process() {
  static thread_local pid_t known = 0;
  static thread_local std::string name;
  if (known != ::getpid()) {  // it changes in the child of a fork
    const std::string pid = std::to_string(::getpid());
    name = machine() + ' ' + pid + ' ' + start_of(pid);
    known = ::getpid();
  }
  return name;
}

bool is_of_this_boot(const std::string& process) {
  static const std::string boot = first_line("/proc/sys/kernel/random/boot_id");
  return boot.empty() || process.starts_with(boot);
}

bool has_ended(const std::string& process) {
  std::istringstream words(process);
  const std::vector<std::string> parts{std::istream_iterator<std::string>(words), {}};
  if (parts.size() != 4 || parts[3].empty() || parts[0] + ' ' + parts[1] != machine()) return false;
  return start_of(parts[2]) != parts[3];
}

}  // namespace xgrad::tune
