#include "embedding.hpp"

#include "../autograd/create.hpp"
#include "init.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

namespace {

Tensor new_table(const char* op, std::int64_t rows, std::int64_t columns, std::optional<std::int64_t> padding,
                 DType dtype) {
  check(!padding || (*padding >= -rows && *padding < rows), op, ": padding_idx is ", padding.value_or(0),
        ", and there are ", rows, " rows");
  Tensor weight = empty({rows, columns}, {.dtype = dtype, .requires_grad = true});
  init::normal_(weight);
  if (padding) {
    weight.detach()[*padding].zero_();
  }
  return weight;
}

}  // namespace

Embedding::Embedding(std::int64_t rows, std::int64_t columns, const EmbeddingOptions& o)
    : weight(new_table("Embedding", rows, columns, o.padding_idx, o.dtype)),
      options{o.padding_idx, o.max_norm, o.norm_type, o.scale_grad_by_freq, o.sparse} {}

Tensor Embedding::operator()(Operand input) const {
  return detail::locate(weight, [&] { return embedding(*input, weight, options); });
}

EmbeddingBag::EmbeddingBag(std::int64_t rows, std::int64_t columns, const EmbeddingBagOptions& o)
    : weight(new_table("EmbeddingBag", rows, columns, o.padding_idx, o.dtype)),
      options{o.mode,     {},          o.padding_idx,        o.include_last_offset,
              o.max_norm, o.norm_type, o.scale_grad_by_freq, o.sparse} {}

Tensor EmbeddingBag::operator()(Operand input, const Tensor& offsets, const Tensor& per_sample_weights) const {
  return detail::locate(weight, [&] {
    xgrad::EmbeddingBagOptions all = options;
    all.per_sample_weights = per_sample_weights;
    return embedding_bag(*input, weight, offsets, all);
  });
}

}  // namespace xgrad::nn
