#pragma once
// Tensors with a border.

#include "../autograd/operand.hpp"

namespace xgrad {

/// What a border is made of. Of (a, b, c), two on each side are
///   constant: a value;             v v a b c v v
///   reflect: the elements mirrored, without those at the edge;  c b a b c b a
///   replicate: those at the edge;  a a a b c c c
///   circular: those from the other end;  b c a b c a b
enum class PadMode { constant, reflect, replicate, circular };

struct PadOptions {
  PadMode mode = PadMode::constant;
  double value = 0;  // of PadMode::constant
};

/// x with a border. `sizes` are those before and after the last axis, before and after the one before it, and so on, as
/// in PyTorch: pad(x, {left, right, top, bottom}). Negative sizes take elements away. Throws Error for an odd number of
/// sizes or more than two an axis; for more taken away than there is; and for a border wider than the axis (circular),
/// or as wide (reflect), or of nothing.
Tensor pad(Operand x, const Shape& sizes, const PadOptions& options = {});

}  // namespace xgrad
