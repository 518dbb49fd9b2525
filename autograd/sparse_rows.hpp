#pragma once
// Gradients of tables of which few rows are used.

#include <optional>

#include "tensor.hpp"

namespace xgrad {

/// Rows of a tensor of two axes; all others are 0.
struct SparseRows {
  Tensor indices;  // (n,), int64, ascending, none of them twice
  Tensor values;   // (n, columns), dense and row-major: row i belongs at indices[i]
};

/// The gradient of a leaf as rows, where backward() left it so: of a table that was used by `embedding` or
/// `embedding_bag` with {.sparse = true} alone. Nothing where there is no gradient, or a dense one. No copy: what is
/// changed in place in the values is changed in the gradient, as by optim::clip_grad_norm_.
///
/// Gradients of several passes are added up, rows to rows; as soon as a dense one is among them, all are a dense one.
/// So they are once grad() was called, which gives every gradient as a tensor of the leaf's shape and keeps it, and
/// where the leaf has hooks, for these are called with such a tensor.
std::optional<SparseRows> sparse_grad(const Tensor& leaf);

}  // namespace xgrad
