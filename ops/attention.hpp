#pragma once

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct AttentionOptions {
  bool causal = false;                         // a query sees keys up to its own place only
  std::optional<double> scale = std::nullopt;  // of the scores; 1 / sqrt(E) by default
  // Broadcasts to (..., L, S). A bool mask is true where a query sees a key, as in PyTorch; one of the dtype of q is
  // added to the scaled scores, and has a gradient.
  Tensor mask = {};
  double dropout = 0;             // the probability with which weights become 0; the others are divided by 1 - dropout
  std::int64_t query_offset = 0;  // the place of the first query among the keys: how many were cached before
  std::optional<std::int64_t> window = std::nullopt;  // keys this far away, or farther, are hidden
  bool enable_gqa = false;  // k and v may have fewer heads, the axis before the last two; each serves as many queries
};

/// Scaled dot-product attention: softmax(scale q k^T + mask) v, the softmax over the keys. q has shape (..., L, E), k
/// (..., S, E) and v (..., S, V), with leading axes (batch, heads) that broadcast; the result has shape (..., L, V),
/// and its axes lie in memory as those of q do. Query i has place query_offset + i among the keys: causal, it sees keys
/// up to that place, with a window those less than `window` away. Scores are computed for some queries at a time, in
/// backward once more, so memory grows with L + S, not with L S (but for the gradient of a mask). The result is 0
/// without keys, where all are hidden from a query and, as in PyTorch, where all its scores are -inf. A key that is
/// hidden from a query has no part in its row, NaN or not. Dropout draws from default_generator(). Throws Error for
/// shapes that do not fit, and for dtypes that are not one floating dtype.
Tensor scaled_dot_product_attention(Operand q, Operand k, Operand v, const AttentionOptions& options = {});

}  // namespace xgrad
