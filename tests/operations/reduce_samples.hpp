#pragma once
// The samples and error inputs that reductions have in common.

#include <string>
#include <vector>

#include <xgrad/array/axes.hpp>
#include "registry.hpp"

namespace xgrad::detail {

using ReductionFunction = Tensor (*)(const Tensor& x, const Axes& axes, bool keepdim);

struct ReductionSamples {
  bool of_one = true;      // includes a reduction of one element
  bool of_nothing = true;  // and one of no elements
};

/// Over all axes, one and several, with and without keepdim; of permuted memory, of a number and of empty tensors.
/// `reference` is an expression of x[0] in which {dim} stands for a tuple of axes and {keepdim} for the option.
std::vector<OpSample> reduction_samples(const std::string& reference, ReductionFunction f,
                                        const ReductionSamples& which = {});

/// An axis that is out of range, one that is named twice, and an undefined tensor.
std::vector<OpError> reduction_errors(ReductionFunction f);

}  // namespace xgrad::detail
