#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "../trials/history.hpp"

namespace xgrad::tune {
struct OptimizeOptions;
}

namespace xgrad::tune::detail {

class StudyCore;

/// One line about a study of which `total` trials are wanted: trials done, running, pruned, the best value, time left.
/// `done_before` of them were done `seconds` ago.
std::string status_line(const History& history, std::int64_t total, std::int64_t done_before, double seconds, int width,
                        bool unicode);

/// Draws that line on standard error for as long as it lives. Where that is no terminal, as in a log file, it is
/// printed every half minute instead, and at the end if that is more than a second away.
class StatusLine {
 public:
  StatusLine(StudyCore& core, const OptimizeOptions& options);
  ~StatusLine();

 private:
  bool terminal_;
  std::jthread drawer_;
};

}  // namespace xgrad::tune::detail
