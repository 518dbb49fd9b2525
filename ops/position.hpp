#pragma once
// Where in a sequence an element stands, told to a network that does not see order.

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct RopeOptions {
  double base = 10000;       // pair i turns by the place times base^(-2 i / width)
  bool interleaved = false;  // elements 2 i and 2 i + 1 are a pair (GPT-J); else i and i + width / 2 (GPT-NeoX, Llama)
  std::optional<std::int64_t> width = std::nullopt;  // how many elements of a row are turned: the first; all by default
  std::int64_t offset = 0;                           // the place of the first row
  Tensor positions = {};    // places instead, numbers that broadcast to the shape of x without its last axis
  Tensor frequencies = {};  // angles of the pairs at place 1 instead, (width / 2,): for scaled variants
};

/// Rotary position embedding: of x (..., L, E), pairs of elements of row p are turned by angles that grow with the
/// place offset + p, so that products of queries and keys depend on the distance of their places. Angles are computed
/// in float64. Throws Error for an odd width, and for integer x.
Tensor rope(Operand x, const RopeOptions& options = {});

/// The mask of attention with linear biases, (heads, queries, keys), which is added to scores: minus the distance of
/// places times the slope of the head, 2^(-8 (h + 1) / heads) for a power of two of heads, and as in the paper else.
/// Query i has place query_offset + i among the keys.
Tensor alibi_mask(std::int64_t heads, std::int64_t queries, std::int64_t keys, std::int64_t query_offset = 0,
                  const TensorOptions& options = {});

/// The table (length, width) of "Attention is all you need": sin(p base^(-2 i / width)) at column 2 i of row p, the
/// cosine at column 2 i + 1.
Tensor sinusoidal_positions(std::int64_t length, std::int64_t width, double base = 10000,
                            const TensorOptions& options = {});

}  // namespace xgrad
