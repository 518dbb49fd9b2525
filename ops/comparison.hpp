#pragma once
// Comparisons, logic, and choosing by a condition, element by element. The operands broadcast together as in NumPy and
// are brought to one dtype; the results of comparisons and logic are bool and have no gradient.

#include <optional>

#include "../array/scalar.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

/// a == b. A comparison with NaN is false, except that NaN != NaN is true.
Tensor eq(Operand a, Operand b);
Tensor eq(Operand a, Scalar b);
Tensor ne(Operand a, Operand b);
Tensor ne(Operand a, Scalar b);
Tensor lt(Operand a, Operand b);
Tensor lt(Operand a, Scalar b);
Tensor le(Operand a, Operand b);
Tensor le(Operand a, Scalar b);
Tensor gt(Operand a, Operand b);
Tensor gt(Operand a, Scalar b);
Tensor ge(Operand a, Operand b);
Tensor ge(Operand a, Scalar b);

inline Tensor operator==(Operand a, Operand b) { return eq(*a, *b); }
inline Tensor operator==(Operand a, Scalar b) { return eq(*a, b); }
inline Tensor operator==(Scalar a, Operand b) { return eq(*b, a); }
inline Tensor operator!=(Operand a, Operand b) { return ne(*a, *b); }
inline Tensor operator!=(Operand a, Scalar b) { return ne(*a, b); }
inline Tensor operator!=(Scalar a, Operand b) { return ne(*b, a); }
inline Tensor operator<(Operand a, Operand b) { return lt(*a, *b); }
inline Tensor operator<(Operand a, Scalar b) { return lt(*a, b); }
inline Tensor operator<(Scalar a, Operand b) { return gt(*b, a); }
inline Tensor operator<=(Operand a, Operand b) { return le(*a, *b); }
inline Tensor operator<=(Operand a, Scalar b) { return le(*a, b); }
inline Tensor operator<=(Scalar a, Operand b) { return ge(*b, a); }
inline Tensor operator>(Operand a, Operand b) { return gt(*a, *b); }
inline Tensor operator>(Operand a, Scalar b) { return gt(*a, b); }
inline Tensor operator>(Scalar a, Operand b) { return lt(*b, a); }
inline Tensor operator>=(Operand a, Operand b) { return ge(*a, *b); }
inline Tensor operator>=(Operand a, Scalar b) { return ge(*a, b); }
inline Tensor operator>=(Scalar a, Operand b) { return le(*b, a); }

/// Whether each element is NaN; is infinite; is neither. Integers are always finite.
Tensor isnan(Operand x);
Tensor isinf(Operand x);
Tensor isfinite(Operand x);

/// Logic on bool tensors; an element of another dtype counts as true unless it is 0. The operators evaluate both sides.
Tensor logical_and(Operand a, Operand b);
Tensor logical_or(Operand a, Operand b);
Tensor logical_xor(Operand a, Operand b);
Tensor logical_not(Operand x);
inline Tensor operator&&(Operand a, Operand b) { return logical_and(*a, *b); }
inline Tensor operator||(Operand a, Operand b) { return logical_or(*a, *b); }
inline Tensor operator!(Operand x) { return logical_not(*x); }

/// a where the bool tensor `condition` is true, b elsewhere; all three broadcast together. The gradient of an element
/// goes to the one that was chosen. Of two numbers the result is float32, int64 or bool.
Tensor where(Operand condition, Operand a, Operand b);
Tensor where(Operand condition, Operand a, Scalar b);
Tensor where(Operand condition, Scalar a, Operand b);
Tensor where(Operand condition, Scalar a, Scalar b);

/// x, with `value` where the bool tensor `mask` is true; it must not change the dtype. Both broadcast together.
Tensor masked_fill(Operand x, Operand mask, Scalar value);

/// min where x < min, max where x > max, else x; NaN where one of the three is. `max` wins where min > max. A bound may
/// be left out (`{}`), not both. The gradient is that of x between the bounds and on them, else 0.
Tensor clamp(Operand x, std::optional<Scalar> min, std::optional<Scalar> max = {});
/// The same with a tensor for a bound or both; they broadcast together with x. A bound has the gradient of the elements
/// that it replaced: min those with x < min < max, max those with x > max and all with max < min.
Tensor clamp(Operand x, Operand min, std::optional<Scalar> max = {});
Tensor clamp(Operand x, std::optional<Scalar> min, Operand max);
Tensor clamp(Operand x, Operand min, Operand max);

struct AllcloseOptions {
  double rtol = 1e-5, atol = 1e-8;
  bool equal_nan = false;  // whether NaN is close to NaN
};

/// Whether |a - b| <= atol + rtol |b| for every pair of elements; an infinity is close to itself alone. The tensors
/// broadcast together.
bool allclose(Operand a, Operand b, const AllcloseOptions& options = {});

}  // namespace xgrad
