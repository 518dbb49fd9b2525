#pragma once
// Inputs without elements, batches of nothing, matrices without rows, and tensors without axes: calls beyond the
// registry's, whose samples have an empty input each, for the families in which such inputs come in several kinds.

#include "registry.hpp"

namespace reference {

std::vector<xgrad::OpSample> empty_samples();

}  // namespace reference
