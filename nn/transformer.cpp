#include "transformer.hpp"

#include "../autograd/create.hpp"
#include "../ops/activation.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/slicing.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

namespace {

MultiheadAttention attention_of(std::int64_t width, std::int64_t heads, const TransformerLayerOptions& o) {
  return {width, heads, {.dropout = o.dropout, .bias = o.bias, .dtype = o.dtype}};
}
LayerNorm norm_of(std::int64_t width, const TransformerLayerOptions& o) {
  return LayerNorm(width, {.eps = o.layer_norm_eps, .bias = o.bias, .dtype = o.dtype});
}
std::function<Tensor(const Tensor&)> activation_of(const TransformerLayerOptions& o) {
  if (o.activation) return o.activation;
  return [](const Tensor& x) { return relu(x); };
}

/// x + f(norm(x)) or norm(x + f(x)).
template <class F>
Tensor residual(bool norm_first, const LayerNorm& norm, const Tensor& x, const F& f) {
  return norm_first ? x + f(norm(x)) : norm(x + f(x));
}

template <class Layer>
Tensor feed_forward(const Layer& layer, const Tensor& x) {
  return layer.linear2(layer.dropout(layer.activation(layer.linear1(x))));
}

template <class Layer>
std::vector<Layer> copies(const char* op, const Layer& layer, std::int64_t count) {
  check(count >= 0, op, ": num_layers is ", count, "; it must not be negative");
  std::vector<Layer> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(clone(layer));
  return all;
}

template <class Layer>
MultiheadAttentionCall with_cache(const char* op, const std::vector<Layer>& layers, std::size_t i,
                                  MultiheadAttentionCall call, std::vector<KVCache>* caches) {
  check(!caches || caches->size() == layers.size(), op, ": ", caches ? caches->size() : 0, " caches for ",
        layers.size(), " layers");
  if (caches) call.cache = &(*caches)[i];
  return call;
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t width, std::int64_t heads,
                                                 const TransformerLayerOptions& o)
    : self_attn(attention_of(width, heads, o)),
      linear1(width, o.dim_feedforward, {.bias = o.bias, .dtype = o.dtype}),
      dropout(o.dropout),
      linear2(o.dim_feedforward, width, {.bias = o.bias, .dtype = o.dtype}),
      norm1(norm_of(width, o)),
      norm2(norm_of(width, o)),
      dropout1(o.dropout),
      dropout2(o.dropout),
      norm_first(o.norm_first),
      activation(activation_of(o)) {}

Tensor TransformerEncoderLayer::operator()(Operand src, const MultiheadAttentionCall& call) const {
  const Tensor x =
      residual(norm_first, norm1, *src, [&](const Tensor& input) { return dropout1(self_attn(input, call)); });
  return residual(norm_first, norm2, x, [&](const Tensor& input) { return dropout2(feed_forward(*this, input)); });
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers,
                                       std::optional<LayerNorm> last)
    : layers(copies("TransformerEncoder", layer, num_layers)), norm(std::move(last)) {}

Tensor TransformerEncoder::operator()(Operand src, const MultiheadAttentionCall& call,
                                      std::vector<KVCache>* caches) const {
  Tensor x = *src;
  for (std::size_t i = 0; i < layers.size(); ++i)
    x = layers[i](x, with_cache("TransformerEncoder", layers, i, call, caches));
  return norm ? (*norm)(x) : x;
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t width, std::int64_t heads,
                                                 const TransformerLayerOptions& o)
    : self_attn(attention_of(width, heads, o)),
      multihead_attn(attention_of(width, heads, o)),
      linear1(width, o.dim_feedforward, {.bias = o.bias, .dtype = o.dtype}),
      dropout(o.dropout),
      linear2(o.dim_feedforward, width, {.bias = o.bias, .dtype = o.dtype}),
      norm1(norm_of(width, o)),
      norm2(norm_of(width, o)),
      norm3(norm_of(width, o)),
      dropout1(o.dropout),
      dropout2(o.dropout),
      dropout3(o.dropout),
      norm_first(o.norm_first),
      activation(activation_of(o)) {}

Tensor TransformerDecoderLayer::operator()(Operand tgt, const Tensor& memory, const MultiheadAttentionCall& tgt_call,
                                           const MultiheadAttentionCall& memory_call) const {
  Tensor x =
      residual(norm_first, norm1, *tgt, [&](const Tensor& input) { return dropout1(self_attn(input, tgt_call)); });
  x = residual(norm_first, norm2, x,
               [&](const Tensor& input) { return dropout2(multihead_attn(input, memory, memory, memory_call)); });
  return residual(norm_first, norm3, x, [&](const Tensor& input) { return dropout3(feed_forward(*this, input)); });
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers,
                                       std::optional<LayerNorm> last)
    : layers(copies("TransformerDecoder", layer, num_layers)), norm(std::move(last)) {}

Tensor TransformerDecoder::operator()(Operand tgt, const Tensor& memory, const MultiheadAttentionCall& tgt_call,
                                      const MultiheadAttentionCall& memory_call, std::vector<KVCache>* caches) const {
  Tensor x = *tgt;
  for (std::size_t i = 0; i < layers.size(); ++i)
    x = layers[i](x, memory, with_cache("TransformerDecoder", layers, i, tgt_call, caches), memory_call);
  return norm ? (*norm)(x) : x;
}

SwiGLU::SwiGLU(std::int64_t features, std::int64_t hidden, const SwiGLUOptions& o)
    : gate_proj(features, hidden, {.bias = o.bias, .dtype = o.dtype}),
      up_proj(features, hidden, {.bias = o.bias, .dtype = o.dtype}),
      down_proj(hidden, features, {.bias = o.bias, .dtype = o.dtype}) {}

Tensor SwiGLU::operator()(Operand x) const { return down_proj(silu(gate_proj(*x)) * up_proj(*x)); }

Tensor PositionalEncoding::operator()(Operand x, std::int64_t offset) const {
  check(x->dim() >= 2 && offset >= 0 && offset <= INT64_MAX - x->size(-2), "PositionalEncoding: x has shape ",
        x->shape(), " and offset is ", offset, "; (..., length, width) is needed, and an offset that is not negative");
  const Tensor table = sinusoidal_positions(offset + x->size(-2), x->size(-1), 10000, {.dtype = x->dtype()});
  return dropout(*x + narrow(table, 0, offset, x->size(-2)));
}

}  // namespace xgrad::nn
