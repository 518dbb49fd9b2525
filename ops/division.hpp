#pragma once
// Quotients rounded to an integer, and what remains, element by element.
//
// The operands broadcast together as in NumPy and are brought to one dtype, at least int64; integers give integers. An
// integer divided by 0 throws Error, a floating number gives an infinity or NaN; -2^63 / -1 wraps around to -2^63.

#include <optional>

#include "../array/scalar.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

/// Which integer a quotient becomes: the nearest towards zero, as in C, or the largest that is not above it, as in
/// Python.
enum class RoundingMode { trunc, floor };

struct DivOptions {
  std::optional<RoundingMode> rounding_mode = {};  // without one, the quotient is not rounded, as by a / b
};

/// a / b rounded, `div(a, b, {.rounding_mode = RoundingMode::floor})`. The derivative is 0.
Tensor div(Operand a, Operand b, const DivOptions& options);
Tensor div(Operand a, Scalar b, const DivOptions& options);
Tensor div(Scalar a, Operand b, const DivOptions& options);
/// a / b rounded down: Python's a // b.
Tensor floor_divide(Operand a, Operand b);
Tensor floor_divide(Operand a, Scalar b);
Tensor floor_divide(Scalar a, Operand b);
/// a - b floor(a / b), which has the sign of b: Python's a % b.
Tensor remainder(Operand a, Operand b);
Tensor remainder(Operand a, Scalar b);
Tensor remainder(Scalar a, Operand b);
/// a - b trunc(a / b), which has the sign of a: C's fmod, and a % b of its integers.
Tensor fmod(Operand a, Operand b);
Tensor fmod(Operand a, Scalar b);
Tensor fmod(Scalar a, Operand b);

}  // namespace xgrad
