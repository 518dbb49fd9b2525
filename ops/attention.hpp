#pragma once

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct AttentionOptions {
  bool causal = false;                         // query i sees keys 0 to i only
  std::optional<double> scale = std::nullopt;  // of the scores; 1 / sqrt(E) by default
};

/// Scaled dot-product attention: softmax(scale q k^T) v, the softmax over the keys. q has shape (..., L, E), k
/// (..., S, E) and v (..., S, V), with leading axes (batch, heads) that broadcast; the result has shape (..., L, V),
/// and its axes lie in memory as those of q do. Scores are computed for some queries at a time, in backward once more,
/// so memory grows with L + S, not with L S. The result is 0 without keys and, as in PyTorch, where all scores of a
/// query are -inf. A key that is hidden from a query has no part in its row, NaN or not. Throws Error for shapes that
/// do not fit, and for dtypes that are not one floating dtype.
Tensor scaled_dot_product_attention(Operand q, Operand k, Operand v, const AttentionOptions& options = {});

}  // namespace xgrad
