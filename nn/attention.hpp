#pragma once

#include "../ops/position.hpp"
#include "linear.hpp"

namespace xgrad::nn {

/// Keys and values of the places that a decoder has seen, so that a step computes those of new places only. Plain data:
/// a copy of it goes on by itself, index_select(cache.key, 0, beams) reorders it, narrow(cache.key, 2, 0, n) takes it
/// back to n places.
struct KVCache {
  Tensor key, value;  // (N, heads, length, width of a head); undefined while nothing was seen

  /// How many places were seen.
  std::int64_t length() const { return key.defined() ? key.size(2) : 0; }
  /// Adds new places at the end. Memory grows by doubling, and is extended in place while nobody else holds it and no
  /// gradient is wanted. Throws Error, with nothing changed, for shapes that do not fit.
  void append(const Tensor& new_key, const Tensor& new_value);
};

/// Rotary position embedding of queries and keys, see rope().
struct RotaryEmbedding {
  /// `width` is that of a head, or less: then only its first elements are turned. Throws Error for an odd width.
  explicit RotaryEmbedding(std::int64_t width, const RopeOptions& options = {});

  /// x (..., length, width of a head), whose first row has place `offset`.
  Tensor operator()(Operand x, std::int64_t offset = 0) const;
  auto fields() { return xgrad::fields("width", options.width); }

  RopeOptions options;
};

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the attention weights
  bool bias = true;
  std::optional<std::int64_t> num_kv_heads = {};     // fewer heads of keys and values; each serves as many queries
  std::optional<std::int64_t> kdim = {}, vdim = {};  // widths of key and value, embed_dim by default
  DType dtype = float32;
};

/// How a MultiheadAttention is called.
struct MultiheadAttentionCall {
  bool causal = false;       // a query sees keys up to its own place only
  KVCache* cache = nullptr;  // keys and values are added to it, and all it holds are seen; the first query comes after
  // PyTorch's: true hides a key, a floating mask is added to the scores; (L, S), (N heads, L, S) or broadcast (N,
  // heads, L, S).
  Tensor attn_mask = {};
  Tensor key_padding_mask = {};             // (N, S), bool: true hides a key from all queries
  std::optional<std::int64_t> window = {};  // keys this far away, or farther, are hidden
  const RotaryEmbedding* rotary = nullptr;  // turns queries and keys by their places
  Tensor* weights = nullptr;                // gets the attention weights, (N, L, S), means over the heads
};

/// Attention of several heads with projections, as in "Attention is all you need": heads of width embed_dim /
/// num_heads. Batches come first, as with PyTorch's batch_first=True: query (N, L, embed_dim), key (N, S, kdim), value
/// (N, S, vdim), result (N, L, embed_dim); all without N for a single sequence. Names and first values are PyTorch's:
/// in_proj_weight (3 embed_dim, embed_dim) and in_proj_bias for queries, keys and values, or with other widths
/// q_proj_weight, k_proj_weight and v_proj_weight, and out_proj. A query from which all keys are hidden gets
/// out_proj.bias (in PyTorch NaN).
struct MultiheadAttention {
  /// Throws Error unless num_heads divides embed_dim, and num_kv_heads num_heads.
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options = {});

  /// Of a sequence to itself.
  Tensor operator()(Operand x, const MultiheadAttentionCall& call = {}) const;
  Tensor operator()(Operand query, const Tensor& key, const Tensor& value,
                    const MultiheadAttentionCall& call = {}) const;
  auto fields() {
    return xgrad::fields("in_proj_weight", parameter(in_proj_weight), "q_proj_weight", parameter(q_proj_weight),
                         "k_proj_weight", parameter(k_proj_weight), "v_proj_weight", parameter(v_proj_weight),
                         "in_proj_bias", parameter(in_proj_bias), "out_proj", out_proj, "dropout", dropout, "training",
                         training);
  }

  std::int64_t embed_dim, num_heads, num_kv_heads;
  Tensor in_proj_weight;                               // of queries, keys and values, one below the other
  Tensor q_proj_weight, k_proj_weight, v_proj_weight;  // instead, where widths differ
  Tensor in_proj_bias;                                 // undefined without bias
  Linear out_proj;
  double dropout;
  bool training = true;

 private:
  std::vector<Tensor> project(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadAttentionCall& call) const;
};

}  // namespace xgrad::nn
