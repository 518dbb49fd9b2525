#include "attention.hpp"

#include <limits>

#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/attention.hpp"
#include "../ops/comparison.hpp"
#include "../ops/joining.hpp"
#include "../ops/matmul.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "init.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

namespace {

/// How many places the memory of a cached tensor has room for, from its first element on.
std::int64_t room(const Tensor& cached) {
  const auto& impl = cached.impl();
  const auto bytes =
      static_cast<std::int64_t>(impl.storage->bytes() - static_cast<std::size_t>(impl.data - impl.storage->data()));
  const std::int64_t heads = cached.size(0) * cached.size(1), width = cached.size(3);
  if (heads == 0 || width == 0 || cached.strides()[3] != 1 || cached.strides()[2] != width) return 0;
  const std::int64_t places = cached.strides()[1] / width;
  const bool regular = cached.strides()[1] == places * width &&
                       (cached.size(0) == 1 || cached.strides()[0] == cached.size(1) * cached.strides()[1]);
  const auto size = static_cast<std::int64_t>(item_size(cached.dtype()));
  return regular && places * width * heads * size <= bytes ? places : 0;
}

/// Cached places and new ones behind them.
Tensor extended(const Tensor& cached, const Tensor& added) {
  if (added.requires_grad() || (cached.defined() && cached.requires_grad()))
    return cached.defined() ? concat({cached, added}, 2) : added;
  const std::int64_t before = cached.defined() ? cached.size(2) : 0, length = before + added.size(2);
  const bool alone = cached.defined() && cached.reference()->unique() && cached.impl().storage->unique();
  Shape shape = added.shape();
  Tensor memory = cached;
  if (!alone || room(cached) < length) {
    shape[2] = std::max<std::int64_t>(16, 2 * length);
    memory = empty(shape, {.dtype = added.dtype()});
    if (before > 0) narrow(memory, 2, 0, before).copy_(cached);
  }
  shape[2] = length;
  Tensor all = xgrad::detail::view(memory, shape, memory.strides());
  narrow(all, 2, before, added.size(2)).copy_(added);
  return all;
}

bool fits(const Tensor& cached, const Tensor& added) {
  if (added.dim() != 4 || (cached.defined() && (cached.dim() != 4 || cached.dtype() != added.dtype()))) return false;
  for (const std::size_t axis : {0, 1, 3})
    if (cached.defined() && cached.shape()[axis] != added.shape()[axis]) return false;
  return true;
}

/// (N, L, heads * width) as (N, heads, L, width).
Tensor in_heads(const Tensor& x, std::int64_t heads) {
  return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

/// The masks of a call as one for scaled_dot_product_attention; undefined without any.
Tensor mask_of(const MultiheadAttentionCall& call, std::int64_t batch, std::int64_t heads) {
  constexpr const char* op = "MultiheadAttention";
  Tensor mask = call.attn_mask, padding = call.key_padding_mask;
  if (mask.defined()) {
    check(mask.dim() == 2 || mask.dim() == 4 || (mask.dim() == 3 && mask.size(0) == batch * heads), op,
          ": attn_mask has shape ", mask.shape(), "; (L, S), (", batch * heads,
          ", L, S) or (N, heads, L, S) is needed");
    if (mask.dim() == 3) mask = reshape(mask, {batch, heads, mask.size(1), mask.size(2)});
    if (mask.dtype() == bool_) mask = logical_not(mask);
  }
  if (!padding.defined()) return mask;
  check(padding.dtype() == bool_ && padding.dim() == 2 && padding.size(0) == batch, op, ": key_padding_mask has shape ",
        padding.shape(), " and dtype ", padding.dtype(), "; (", batch,
        ", S) of bool is needed, true where a key is hidden");
  padding = unsqueeze(unsqueeze(padding, 1), 1);
  if (!mask.defined()) return logical_not(padding);
  if (mask.dtype() == bool_) return logical_and(mask, logical_not(padding));
  return masked_fill(mask, padding, -std::numeric_limits<double>::infinity());
}

}  // namespace

void KVCache::append(const Tensor& new_key, const Tensor& new_value) {
  check(fits(key, new_key) && fits(value, new_value) && new_key.size(2) == new_value.size(2), "KVCache: keys ",
        new_key.shape(), " and values ", new_value.shape(), " for a cache of ", key.defined() ? key.shape() : Shape(),
        " and ", value.defined() ? value.shape() : Shape(), "; (N, heads, length, width) are needed that fit");
  Tensor keys = extended(key, new_key);
  value = extended(value, new_value);
  key = std::move(keys);
}

RotaryEmbedding::RotaryEmbedding(std::int64_t width, const RopeOptions& o) : options(o) {
  check(width > 0 && width % 2 == 0, "RotaryEmbedding: width is ", width, "; a positive even one is needed");
  options.width = width;
}

Tensor RotaryEmbedding::operator()(Operand x, std::int64_t offset) const {
  RopeOptions all = options;
  all.offset = offset;
  return rope(*x, all);
}

MultiheadAttention::MultiheadAttention(std::int64_t embed, std::int64_t heads, const MultiheadAttentionOptions& o)
    : embed_dim(embed),
      num_heads(heads),
      num_kv_heads(o.num_kv_heads.value_or(heads)),
      out_proj(embed, embed, {.bias = o.bias, .dtype = o.dtype}),
      dropout(o.dropout) {
  constexpr const char* op = "MultiheadAttention";
  check(heads > 0 && embed % heads == 0, op, ": embed_dim is ", embed, " and num_heads ", heads,
        "; the second must divide the first");
  check(num_kv_heads > 0 && heads % num_kv_heads == 0, op, ": num_heads is ", heads, " and num_kv_heads ", num_kv_heads,
        "; the second must divide the first");
  check(o.dropout >= 0 && o.dropout <= 1, op, ": dropout is ", o.dropout, "; it must lie between 0 and 1");
  const std::int64_t kdim = o.kdim.value_or(embed), vdim = o.vdim.value_or(embed),
                     kv_width = embed / heads * num_kv_heads;
  const auto weight = [&](std::int64_t out, std::int64_t in) {
    Tensor made = empty({out, in}, {.dtype = o.dtype, .requires_grad = true});
    return init::xavier_uniform_(made);
  };
  if (kdim == embed && vdim == embed) {
    in_proj_weight = weight(embed + 2 * kv_width, embed);
  } else {
    q_proj_weight = weight(embed, embed);
    k_proj_weight = weight(kv_width, kdim);
    v_proj_weight = weight(kv_width, vdim);
  }
  if (o.bias) {
    in_proj_bias = zeros({embed + 2 * kv_width}, {.dtype = o.dtype, .requires_grad = true});
    init::zeros_(out_proj.bias);
  }
}

/// Queries, keys and values, (N, L or S, width of all heads).
std::vector<Tensor> MultiheadAttention::project(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const std::int64_t kv_width = embed_dim / num_heads * num_kv_heads;
  const std::vector<std::int64_t> widths{embed_dim, kv_width, kv_width};
  const bool to_itself = query.reference() == key.reference() && key.reference() == value.reference();
  if (to_itself && in_proj_weight.defined()) return split(linear(query, in_proj_weight, in_proj_bias), widths, -1);
  std::vector<Tensor> weights{q_proj_weight, k_proj_weight, v_proj_weight}, biases(3);
  if (in_proj_weight.defined()) weights = split(in_proj_weight, widths, 0);
  if (in_proj_bias.defined()) biases = split(in_proj_bias, widths, 0);
  return {linear(query, weights[0], biases[0]), linear(key, weights[1], biases[1]),
          linear(value, weights[2], biases[2])};
}

Tensor MultiheadAttention::attend(const Tensor& query, const Tensor& key, const Tensor& value,
                                  const MultiheadAttentionCall& call) const {
  constexpr const char* op = "MultiheadAttention";
  check(query.dim() == 3 && key.dim() == 3 && value.dim() == 3 && query.size(0) == key.size(0) &&
            key.size(0) == value.size(0) && key.size(1) == value.size(1),
        op, ": query ", query.shape(), ", key ", key.shape(), " and value ", value.shape(),
        "; (N, L, width), (N, S, width) and (N, S, width) are needed");
  const std::vector<Tensor> parts = project(query, key, value);
  Tensor q = in_heads(parts[0], num_heads), k = in_heads(parts[1], num_kv_heads), v = in_heads(parts[2], num_kv_heads);
  const std::int64_t place = call.cache ? call.cache->length() : 0;
  if (call.rotary) q = (*call.rotary)(q, place), k = (*call.rotary)(k, place);
  if (call.cache) {
    call.cache->append(k, v);
    k = call.cache->key, v = call.cache->value;
  }
  AttentionOptions options{.causal = call.causal,
                           .mask = mask_of(call, q.size(0), num_heads),
                           .dropout = training ? dropout : 0,
                           .query_offset = place,
                           .window = call.window,
                           .enable_gqa = num_kv_heads != num_heads};
  const Tensor y = scaled_dot_product_attention(q, k, v, options);
  if (call.weights) {  // what is taken of values that are the rows of an identity
    options.dropout = 0;
    const Tensor one = expand(eye(k.size(2), {.dtype = k.dtype()}), {k.size(0), k.size(1), k.size(2), k.size(2)});
    *call.weights = mean(scaled_dot_product_attention(q, k, one, options), 1);
  }
  return out_proj(reshape(transpose(y, 1, 2), {y.size(0), y.size(2), embed_dim}));
}

Tensor MultiheadAttention::operator()(Operand x, const MultiheadAttentionCall& call) const {
  return (*this)(*x, *x, *x, call);
}

Tensor MultiheadAttention::operator()(Operand query, const Tensor& key, const Tensor& value,
                                      const MultiheadAttentionCall& call) const {
  return detail::locate(in_proj_weight.defined() ? in_proj_weight : q_proj_weight, [&] {
    if (query->dim() != 2) return attend(*query, key, value, call);
    const Tensor one = unsqueeze(*query, 0);
    const bool to_itself = query->reference() == key.reference() && key.reference() == value.reference();
    const Tensor y =
        to_itself ? attend(one, one, one, call) : attend(one, unsqueeze(key, 0), unsqueeze(value, 0), call);
    if (call.weights) *call.weights = squeeze(*call.weights, 0);
    return squeeze(y, 0);
  });
}

}  // namespace xgrad::nn
