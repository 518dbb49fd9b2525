#pragma once
// What a study says while it runs.

#include <functional>
#include <string>
#include <string_view>

namespace xgrad::tune {

/// Where messages go, such as which sampler Auto chose and what a program probably did not mean: by default a line each
/// on standard error, `xgrad.tune: ...`. An empty function silences them. For all studies of the process.
void set_log(std::function<void(std::string_view)> sink);

/// Says something, with what would steer a terminal escaped.
void log(std::string_view message);

}  // namespace xgrad::tune
