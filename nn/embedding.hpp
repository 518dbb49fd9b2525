#pragma once

#include "../ops/embedding.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  // the row that begins as 0 and gets no gradient
  std::optional<double> max_norm = {};           // of the rows that are used; longer ones are scaled, in place
  double norm_type = 2;
  bool scale_grad_by_freq = false;  // whether the gradient of a row is divided by how often the input has it
  bool sparse = false;              // whether weight gets the gradient of the rows that are used alone: sparse_grad
  DType dtype = float32;
};

/// The rows of weight (num_embeddings, embedding_dim) at indices of any shape (...): (..., embedding_dim). weight
/// begins normal with standard deviation 1. A layer that shares it, `linear(x, embedding.weight)`, is its transpose.
struct Embedding {
  /// Throws Error for a negative size, an integer dtype, and a padding_idx that is no row.
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingOptions& options = {});

  /// The input has an integer dtype.
  Tensor operator()(Operand input) const;
  auto fields() { return xgrad::fields("weight", parameter(weight)); }

  Tensor weight;
  xgrad::EmbeddingOptions options;
};

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx = {};  // the row that no bag counts
  bool include_last_offset = false;              // whether the last offset is the end of the last bag
  std::optional<double> max_norm = {};
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  bool sparse = false;
  DType dtype = float32;
};

/// embedding_bag of weight (num_embeddings, embedding_dim), which begins normal with standard deviation 1.
struct EmbeddingBag {
  /// Throws Error for a negative size, an integer dtype, and a padding_idx that is no row.
  EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim, const EmbeddingBagOptions& options = {});

  /// The input (B, N) has a bag in each row; an input (N,) needs the offsets of its bags.
  Tensor operator()(Operand input, const Tensor& offsets = {}, const Tensor& per_sample_weights = {}) const;
  auto fields() { return xgrad::fields("weight", parameter(weight)); }

  Tensor weight;
  xgrad::EmbeddingBagOptions options;
};

}  // namespace xgrad::nn
