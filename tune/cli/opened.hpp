#pragma once

#include <string_view>

#include "../trials/history.hpp"
#include "commands.hpp"

namespace xgrad::tune::cli {

/// The study that was named, or the only one.
struct Opened {
  std::string name;
  History history;
};
Opened opened(const Arguments& arguments);

/// Throws WrongUsage for a word that is no state.
TrialState state_from(const std::string& option, std::string_view word);

}  // namespace xgrad::tune::cli
