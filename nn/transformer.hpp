#pragma once
// Layers of transformers, with the names of PyTorch's. Batches come first: (N, L, d_model), or (L, d_model).

#include <functional>

#include "attention.hpp"
#include "dropout.hpp"
#include "layer_norm.hpp"

namespace xgrad::nn {

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;                                  // after attention, inside and after the feed-forward part
  std::function<Tensor(const Tensor&)> activation = {};  // relu by default
  double layer_norm_eps = 1e-5;
  bool norm_first = false;  // x + f(norm(x)), else norm(x + f(x))
  bool bias = true;
  DType dtype = float32;
};

/// Self-attention, then linear2(activation(linear1(x))), each added to its input and normed.
struct TransformerEncoderLayer {
  /// Throws Error unless nhead divides d_model.
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});

  /// The call is that of self_attn: masks, `causal`, a cache.
  Tensor operator()(Operand src, const MultiheadAttentionCall& call = {}) const;
  auto fields() {
    return xgrad::fields("self_attn", self_attn, "linear1", linear1, "dropout", dropout, "linear2", linear2, "norm1",
                         norm1, "norm2", norm2, "dropout1", dropout1, "dropout2", dropout2);
  }

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  bool norm_first;
  std::function<Tensor(const Tensor&)> activation;
};

/// Copies of an encoder layer one after the other, which begin with equal weights, as in PyTorch; then a norm, if there
/// is one.
struct TransformerEncoder {
  /// Throws Error for a negative number of layers.
  TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers, std::optional<LayerNorm> norm = {});

  /// With caches, one for each layer. Throws Error for another number of them.
  Tensor operator()(Operand src, const MultiheadAttentionCall& call = {}, std::vector<KVCache>* caches = nullptr) const;
  auto fields() { return xgrad::fields("layers", layers, "norm", norm); }

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};

/// Self-attention, attention to the memory that an encoder gave, and the feed-forward part, each added to its input and
/// normed.
struct TransformerDecoderLayer {
  /// Throws Error unless nhead divides d_model.
  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& options = {});

  /// The first call is that of self_attn, the second that of multihead_attn.
  Tensor operator()(Operand tgt, const Tensor& memory, const MultiheadAttentionCall& tgt_call = {},
                    const MultiheadAttentionCall& memory_call = {}) const;
  auto fields() {
    return xgrad::fields("self_attn", self_attn, "multihead_attn", multihead_attn, "linear1", linear1, "dropout",
                         dropout, "linear2", linear2, "norm1", norm1, "norm2", norm2, "norm3", norm3, "dropout1",
                         dropout1, "dropout2", dropout2, "dropout3", dropout3);
  }

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;
  bool norm_first;
  std::function<Tensor(const Tensor&)> activation;
};

/// Copies of a decoder layer one after the other, which begin with equal weights, as in PyTorch; then a norm, if there
/// is one.
struct TransformerDecoder {
  /// Throws Error for a negative number of layers.
  TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers, std::optional<LayerNorm> norm = {});

  /// With caches of self-attention, one for each layer. Throws Error for another number of them.
  Tensor operator()(Operand tgt, const Tensor& memory, const MultiheadAttentionCall& tgt_call = {},
                    const MultiheadAttentionCall& memory_call = {}, std::vector<KVCache>* caches = nullptr) const;
  auto fields() { return xgrad::fields("layers", layers, "norm", norm); }

  std::vector<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
};

struct SwiGLUOptions {
  bool bias = false;
  DType dtype = float32;
};

/// down_proj(silu(gate_proj(x)) * up_proj(x)): the feed-forward part of Llama, with its names.
struct SwiGLU {
  SwiGLU(std::int64_t features, std::int64_t hidden, const SwiGLUOptions& options = {});

  Tensor operator()(Operand x) const;

  Linear gate_proj, up_proj, down_proj;
  auto fields() { return xgrad::fields("gate_proj", gate_proj, "up_proj", up_proj, "down_proj", down_proj); }
};

/// x (..., length, width) plus sinusoidal_positions, then dropout.
struct PositionalEncoding {
  explicit PositionalEncoding(double dropout_probability = 0.1) : dropout(dropout_probability) {}

  /// The first row has place `offset`.
  Tensor operator()(Operand x, std::int64_t offset = 0) const;
  auto fields() { return xgrad::fields("dropout", dropout); }

  Dropout dropout;
};

}  // namespace xgrad::nn
