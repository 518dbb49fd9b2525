#pragma once

#include "importance.hpp"

namespace xgrad::tune::detail {

/// What part of the variance each parameter explains by itself, in no order; they do not sum to 1. Of the complete
/// trials, and of the parameters that all of them have with one distribution.
std::vector<std::pair<std::string, double>> explained_variance(const History& history, std::size_t objective,
                                                               const Fanova& options);

}  // namespace xgrad::tune::detail
