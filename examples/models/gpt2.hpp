#pragma once
// GPT-2 (Radford et al., 2019), with the names and layout of Hugging Face's GPT2LMHeadModel.

#include <xgrad/nn/attention.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/xgrad.hpp>

#include <vector>

namespace models {

struct GPT2Options {
  std::int64_t vocab_size = 50257, n_positions = 1024, n_embd = 768, n_layer = 12, n_head = 12;
  double layer_norm_epsilon = 1e-5, dropout = 0.1;
};

/// x weight + bias, with weight (in, out): a linear layer whose weight lies transposed.
struct Conv1D {
  Conv1D(std::int64_t in, std::int64_t out)
      : weight(0.02 * xgrad::randn({in, out})), bias(xgrad::zeros({out}, {.requires_grad = true})) {
    weight = weight.detach().requires_grad_();
  }
  auto fields() { return xgrad::fields("weight", xgrad::nn::parameter(weight), "bias", xgrad::nn::parameter(bias)); }

  xgrad::Tensor operator()(const xgrad::Tensor& x) const { return linear(x, transpose(weight, 0, 1), bias); }

  xgrad::Tensor weight, bias;
};

struct GPT2Attention {
  explicit GPT2Attention(const GPT2Options& options)
      : c_attn(options.n_embd, 3 * options.n_embd),
        c_proj(options.n_embd, options.n_embd),
        resid_dropout(options.dropout),
        heads(options.n_head) {}

  xgrad::Tensor operator()(const xgrad::Tensor& x, xgrad::nn::KVCache* cache) const {  // (N, L, n_embd)
    const std::int64_t n = x.size(0), length = x.size(1), width = x.size(2);
    // (N, L, 3, heads, E) to three of (N, heads, L, E)
    const xgrad::Tensor qkv = permute(reshape(c_attn(x), {n, length, 3, heads, width / heads}), {2, 0, 3, 1, 4});
    xgrad::Tensor key = select(qkv, 0, 1), value = select(qkv, 0, 2);
    const std::int64_t begin = cache ? cache->length() : 0;
    if (cache) {
      cache->append(key, value);
      key = cache->key;
      value = cache->value;
    }
    const xgrad::Tensor seen =
        scaled_dot_product_attention(select(qkv, 0, 0), key, value, {.causal = true, .query_offset = begin});
    return resid_dropout(c_proj(reshape(permute(seen, {0, 2, 1, 3}), {n, length, width})));
  }

  Conv1D c_attn, c_proj;
  xgrad::nn::Dropout resid_dropout;
  std::int64_t heads;

  auto fields() { return xgrad::fields("c_attn", c_attn, "c_proj", c_proj, "resid_dropout", resid_dropout); }
};

struct GPT2MLP {
  explicit GPT2MLP(const GPT2Options& options)
      : c_fc(options.n_embd, 4 * options.n_embd),
        c_proj(4 * options.n_embd, options.n_embd),
        dropout(options.dropout) {}

  xgrad::Tensor operator()(const xgrad::Tensor& x) const { return dropout(c_proj(gelu(c_fc(x), "tanh"))); }

  Conv1D c_fc, c_proj;
  xgrad::nn::Dropout dropout;

  auto fields() { return xgrad::fields("c_fc", c_fc, "c_proj", c_proj, "dropout", dropout); }
};

struct GPT2Block {
  explicit GPT2Block(const GPT2Options& options)
      : ln_1(options.n_embd, {.eps = options.layer_norm_epsilon}),
        attn(options),
        ln_2(options.n_embd, {.eps = options.layer_norm_epsilon}),
        mlp(options) {}

  xgrad::Tensor operator()(const xgrad::Tensor& x, xgrad::nn::KVCache* cache) const {
    const xgrad::Tensor h = x + attn(ln_1(x), cache);
    return h + mlp(ln_2(h));
  }

  xgrad::nn::LayerNorm ln_1;
  GPT2Attention attn;
  xgrad::nn::LayerNorm ln_2;
  GPT2MLP mlp;

  auto fields() { return xgrad::fields("ln_1", ln_1, "attn", attn, "ln_2", ln_2, "mlp", mlp); }
};

struct GPT2Transformer {
  explicit GPT2Transformer(const GPT2Options& options)
      : wte(options.vocab_size, options.n_embd),
        wpe(options.n_positions, options.n_embd),
        drop(options.dropout),
        ln_f(options.n_embd, {.eps = options.layer_norm_epsilon}) {
    for (std::int64_t i = 0; i < options.n_layer; ++i) h.emplace_back(options);
    const xgrad::NoGrad no_grad;
    wte.weight.mul_(0.02);
    wpe.weight.mul_(0.02);
  }

  /// Tokens (N, L) to (N, L, n_embd). With caches, one for each block, they go on from those that these have seen.
  xgrad::Tensor operator()(const xgrad::Tensor& tokens, std::vector<xgrad::nn::KVCache>* caches) const {
    const std::int64_t begin = caches ? caches->front().length() : 0;
    xgrad::Tensor x = drop(wte(tokens) + wpe(xgrad::arange(begin, begin + tokens.size(1), 1, {.dtype = xgrad::int64})));
    for (std::size_t i = 0; i < h.size(); ++i) x = h[i](x, caches ? &caches->at(i) : nullptr);
    return ln_f(x);
  }

  xgrad::nn::Embedding wte, wpe;
  xgrad::nn::Dropout drop;
  std::vector<GPT2Block> h;
  xgrad::nn::LayerNorm ln_f;

  auto fields() { return xgrad::fields("wte", wte, "wpe", wpe, "drop", drop, "h", h, "ln_f", ln_f); }
};

/// Tokens (N, L) to logits (N, L, vocab_size), by the embedding's weights once more.
struct GPT2 {
  explicit GPT2(const GPT2Options& options) : transformer(options) {}

  xgrad::Tensor operator()(const xgrad::Tensor& tokens, std::vector<xgrad::nn::KVCache>* caches = nullptr) const {
    return linear(transformer(tokens, caches), transformer.wte.weight);
  }

  GPT2Transformer transformer;

  auto fields() { return xgrad::fields("transformer", transformer); }
};

}  // namespace models
