#pragma once

#include <string>

#include "../trials/history.hpp"

namespace xgrad::tune {

/// Writes one page about a study, which needs nothing but a browser: the best trial, history, learning curves,
/// importance of the parameters, parallel coordinates, slices, timeline, and for several objectives their front. The
/// file appears in one step, so a page that is open can be loaded anew while the study runs.
void write_report(const History& history, const std::string& study, const std::string& path);

}  // namespace xgrad::tune
