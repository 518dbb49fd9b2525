#pragma once
// Who works on a trial.

#include <string>

namespace xgrad::tune {

/// Names this process on this machine since it was booted, in this container.
const std::string& this_process();

/// True where `process`, a this_process() of before, was on this machine and runs no more. False where that cannot be
/// known from here.
bool has_ended(const std::string& process);

/// False where `process` ran on another machine, or before this one was booted; true where that cannot be known.
bool is_of_this_boot(const std::string& process);

}  // namespace xgrad::tune
