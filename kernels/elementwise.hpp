#pragma once
// The passes over memory of elementwise(): values with derivatives, and from these the gradients of the inputs.

#include <span>

#include "../array/array.hpp"

namespace xgrad::detail {

inline constexpr std::size_t max_elementwise_inputs = 8;

/// A loop over dense memory for y = f(x...) and derivatives of y; its pointers are y, the derivatives, all x.
struct DerivativesLoop {
  DenseLoop run;
  const void* context;
  std::size_t derivatives;  // how many
};

/// y and its derivatives into `results`: new arrays of the shape that the inputs, all of one floating dtype, broadcast
/// to. Throws Error in the name of `op` where they do not.
void values_and_derivatives(const char* op, const DerivativesLoop& loop, std::span<const Array* const> inputs,
                            std::span<Array> results);

/// The gradients of some inputs: `grad` times the derivative, summed over the axes along which the input was broadcast,
/// in one pass. The derivatives are those given, one for each wanted input, or are computed by the loop if none are.
/// The sums do not depend on the number of threads.
void input_gradients(const DerivativesLoop& loop, const Array& grad, std::span<const Array* const> inputs,
                     std::span<const std::size_t> wanted, std::span<const Array* const> derivatives,
                     std::span<Array> gradients);

}  // namespace xgrad::detail
