#pragma once
// Rows of a table by their indices.
//
// Indices are integers and counted from 0; one out of range throws Error with its position and value. Gradients are
// added up in the order of the indices, so they are the same for any number of threads. They flow to the table and to
// weights of samples, not to indices.

#include <optional>

#include "../autograd/operand.hpp"

namespace xgrad {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  // the row that gets no gradient; from the end if negative
  // Rows that are used and have a larger norm are scaled to this one first, in place and outside the graph.
  std::optional<double> max_norm = {};
  double norm_type = 2;             // p of that norm
  bool scale_grad_by_freq = false;  // whether the gradient of a row is divided by how often it is used here
  // Whether a leaf gets the gradient of the rows that are used, and no table of zeros around them: see sparse_grad. For
  // the optimizers SGD, Adagrad and SparseAdam, and for weights of float32 or float64.
  bool sparse = false;
};

/// The rows of weight (V, D) at the indices of `input`, of any shape (...): (..., D). Weight is read as it lies
/// row-major, and copied where it lies otherwise. With max_norm it must be contiguous, for it is changed.
Tensor embedding(const Tensor& input, Operand weight, const EmbeddingOptions& options = {});

enum class BagMode { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  Tensor per_sample_weights = {};                // of the shape of the input: factors of the rows, for mode sum
  std::optional<std::int64_t> padding_idx = {};  // the row that no bag counts
  bool include_last_offset = false;              // whether the last offset is the end of the last bag
  std::optional<double> max_norm = {};
  double norm_type = 2;
  bool scale_grad_by_freq = false;  // not for mode max
  bool sparse = false;              // as above; not for mode max
};

/// The sum, mean or largest elements of the rows of weight (V, D) at the indices of each bag, (B, D); 0 for an empty
/// bag. An input (B, N) has a bag in each row. An input (N,) has bag i from offsets[i] to offsets[i + 1], where
/// `offsets` (B,) begins with 0, and does not decrease. Of equal elements the first has the gradient of the largest.
Tensor embedding_bag(const Tensor& input, Operand weight, const Tensor& offsets = {},
                     const EmbeddingBagOptions& options = {});

/// 1 at the index along a new last axis of size num_classes, else 0; int64. Without num_classes, the largest index
/// says it. Throws Error for an index out of range.
Tensor one_hot(const Tensor& input, std::optional<std::int64_t> num_classes = {},
               detail::CallSite site = detail::CallSite::here());

}  // namespace xgrad
