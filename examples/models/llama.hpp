#pragma once
// Llama 2 and 3 (Touvron et al., 2023), with the names of Hugging Face's LlamaForCausalLM.

#include <xgrad/nn/attention.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/transformer.hpp>
#include <xgrad/xgrad.hpp>

#include <vector>

namespace models {

struct LlamaOptions {
  std::int64_t vocab_size = 32000, hidden_size = 4096, intermediate_size = 11008, num_hidden_layers = 32;
  std::int64_t num_attention_heads = 32, num_key_value_heads = 32;
  double rms_norm_eps = 1e-5, rope_theta = 10000;
};

struct LlamaAttention {
  explicit LlamaAttention(const LlamaOptions& options)
      : head_width(options.hidden_size / options.num_attention_heads),
        q_proj(options.hidden_size, options.num_attention_heads * head_width, {.bias = false}),
        k_proj(options.hidden_size, options.num_key_value_heads * head_width, {.bias = false}),
        v_proj(options.hidden_size, options.num_key_value_heads * head_width, {.bias = false}),
        o_proj(options.num_attention_heads * head_width, options.hidden_size, {.bias = false}),
        theta(options.rope_theta) {}

  xgrad::Tensor operator()(const xgrad::Tensor& x, xgrad::nn::KVCache* cache) const {  // (N, L, hidden_size)
    const std::int64_t n = x.size(0), length = x.size(1), begin = cache ? cache->length() : 0;
    const auto heads = [&](const xgrad::Tensor& projected) {
      return permute(reshape(projected, {n, length, -1, head_width}), {0, 2, 1, 3});
    };
    const xgrad::RopeOptions places{.base = theta, .offset = begin};
    const xgrad::Tensor query = rope(heads(q_proj(x)), places);
    xgrad::Tensor key = rope(heads(k_proj(x)), places), value = heads(v_proj(x));
    if (cache) {
      cache->append(key, value);
      key = cache->key;
      value = cache->value;
    }
    const xgrad::Tensor seen =
        scaled_dot_product_attention(query, key, value, {.causal = true, .query_offset = begin, .enable_gqa = true});
    return o_proj(reshape(permute(seen, {0, 2, 1, 3}), {n, length, -1}));
  }

  std::int64_t head_width;
  xgrad::nn::Linear q_proj, k_proj, v_proj, o_proj;
  double theta;

  auto fields() { return xgrad::fields("q_proj", q_proj, "k_proj", k_proj, "v_proj", v_proj, "o_proj", o_proj); }
};

struct LlamaLayer {
  explicit LlamaLayer(const LlamaOptions& options)
      : self_attn(options),
        mlp(options.hidden_size, options.intermediate_size),
        input_layernorm(options.hidden_size, {.eps = options.rms_norm_eps}),
        post_attention_layernorm(options.hidden_size, {.eps = options.rms_norm_eps}) {}

  xgrad::Tensor operator()(const xgrad::Tensor& x, xgrad::nn::KVCache* cache) const {
    const xgrad::Tensor h = x + self_attn(input_layernorm(x), cache);
    return h + mlp(post_attention_layernorm(h));
  }

  LlamaAttention self_attn;
  xgrad::nn::SwiGLU mlp;
  xgrad::nn::RMSNorm input_layernorm, post_attention_layernorm;

  auto fields() {
    return xgrad::fields("self_attn", self_attn, "mlp", mlp, "input_layernorm", input_layernorm,
                         "post_attention_layernorm", post_attention_layernorm);
  }
};

struct LlamaModel {
  explicit LlamaModel(const LlamaOptions& options)
      : embed_tokens(options.vocab_size, options.hidden_size),
        norm(options.hidden_size, {.eps = options.rms_norm_eps}) {
    for (std::int64_t i = 0; i < options.num_hidden_layers; ++i) layers.emplace_back(options);
  }

  /// Tokens (N, L) to (N, L, hidden_size). With caches, one for each layer, they go on from those that these have seen.
  xgrad::Tensor operator()(const xgrad::Tensor& tokens, std::vector<xgrad::nn::KVCache>* caches) const {
    xgrad::Tensor x = embed_tokens(tokens);
    for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i](x, caches ? &caches->at(i) : nullptr);
    return norm(x);
  }

  xgrad::nn::Embedding embed_tokens;
  std::vector<LlamaLayer> layers;
  xgrad::nn::RMSNorm norm;

  auto fields() { return xgrad::fields("embed_tokens", embed_tokens, "layers", layers, "norm", norm); }
};

/// Tokens (N, L) to logits (N, L, vocab_size). To tie the weights, `llama.lm_head.weight =
/// llama.model.embed_tokens.weight`.
struct Llama {
  explicit Llama(const LlamaOptions& options)
      : model(options), lm_head(options.hidden_size, options.vocab_size, {.bias = false}) {}

  xgrad::Tensor operator()(const xgrad::Tensor& tokens, std::vector<xgrad::nn::KVCache>* caches = nullptr) const {
    return lm_head(model(tokens, caches));
  }

  LlamaModel model;
  xgrad::nn::Linear lm_head;

  auto fields() { return xgrad::fields("model", model, "lm_head", lm_head); }
};

}  // namespace models
