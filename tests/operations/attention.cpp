#include <xgrad/ops/attention.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

std::span<const OpInfo> attention_ops() {
  static const OpInfo ops[] = {
      {"scaled_dot_product_attention", "attention", "softmax(scale q k^T) v", true,
       [] {
         // PyTorch 1.13 has no such function.
         const auto torch = [](const std::string& scale, bool causal) {
           const std::string scores = "x[0] @ x[1].transpose(-2, -1) * " + scale;
           const std::string hidden = " + torch.full((x[0].shape[-2], x[1].shape[-2]), -math.inf).triu(1)";
           return "torch.softmax(" + scores + (causal ? hidden : "") + ", -1) @ x[2]";
         };
         const auto with = [&](const Shape& q, const Shape& k, const Shape& v, double scale, bool causal) {
           return sample(torch(std::to_string(scale), causal),
                         {sample_normal(q, 1), sample_normal(k, 2), sample_normal(v, 3)}, [=](auto& x) {
                           return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = causal, .scale = scale});
                         });
         };
         const auto turned = [](const Shape& shape, std::uint64_t seed) {
           return transpose(sample_normal(shape, seed).detach(), 1, 2).requires_grad_();
         };
         return std::vector<OpSample>{
             sample(torch("0.5", false), {sample_normal({3, 4}), sample_normal({5, 4}, 2), sample_normal({5, 2}, 3)},
                    [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }),
             sample(torch("0.5", true), {turned({2, 3, 2, 4}, 1), turned({2, 3, 2, 4}, 2), turned({2, 3, 2, 4}, 3)},
                    [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true}); }),
             sample("F.scaled_dot_product_attention(*x[:3], attn_mask=x[3])",
                    {sample_normal({2, 3, 2}), sample_normal({2, 4, 2}, 2), sample_normal({2, 4, 1}, 3),
                     sample_normal({3, 4}, 4)},
                    [](auto& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]}); }),
             sample("F.scaled_dot_product_attention(*x[:3], attn_mask=x[3], enable_gqa=True)",
                    {sample_normal({4, 2, 2}), sample_normal({2, 3, 2}, 2), sample_normal({2, 3, 1}, 3),
                     tensor({{{true, false, true}, {false, false, false}}})},
                    [](auto& x) {
                      return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3], .enable_gqa = true});
                    }),
             sample("F.scaled_dot_product_attention(*x, attn_mask=torch.tensor([[0, 1, 1, 0], [0, 0, 1, 1]]).bool())",
                    {sample_normal({2, 2}), sample_normal({4, 2}, 2), sample_normal({4, 1}, 3)},
                    [](auto& x) {
                      return scaled_dot_product_attention(x[0], x[1], x[2],
                                                          {.causal = true, .query_offset = 2, .window = 2});
                    }),
             with({3, 2}, {5, 2}, {5, 2}, 0.75, true),
             with({5, 2}, {3, 2}, {3, 2}, 0.75, true),
             with({70, 1}, {70, 1}, {70, 1}, 1.5, true),
             with({2, 1, 2}, {2, 2, 2}, {2, 2, 1}, -0.5, false),
             with({2, 1, 3, 2}, {3, 4, 2}, {1, 1, 4, 2}, 0.5, true),
             with({3, 2}, {2, 4, 2}, {2, 4, 1}, 0.5, false),
             with({0, 3, 2}, {0, 3, 2}, {0, 3, 2}, 1, false),
             with({0, 2}, {3, 2}, {3, 2}, 1, false),
             with({2, 2}, {0, 2}, {0, 3}, 1, false)};
       },
       [] {
         const auto attend = [](const Shape& q, const Shape& k, const Shape& v) {
           return [=] { scaled_dot_product_attention(ones(q), ones(k), ones(v)); };
         };
         return std::vector<OpError>{
             {attend({3, 2}, {3, 2}, {3}), "v (3,) must have at least two axes each"},
             {[] {
                const Tensor x = ones({4, 2, 2}), y = ones({3, 2, 2});
                scaled_dot_product_attention(x, y, y, {.enable_gqa = true});
              },
              "4 heads of q, 3 of k and 3 of v"},
             {[] {
                const Tensor x = ones({2, 2});
                scaled_dot_product_attention(x, x, x, {.mask = ones({2, 2}, {.dtype = float64})});
              },
              "mask is float64; bool or float32"},
             {[] {
                const Tensor x = ones({2, 2});
                scaled_dot_product_attention(x, x, x, {.mask = ones({3, 2})});
              },
              "(3, 2)"},
             {[] {
                const Tensor x = ones({2, 2});
                scaled_dot_product_attention(x, x, x, {.dropout = 1.5});
              },
              "dropout is 1.5"},
             {[] {
                const Tensor x = ones({2, 2});
                scaled_dot_product_attention(x, x, x, {.window = 0});
              },
              "window is 0"},
             {attend({3, 3, 2}, {2, 3, 2}, {2, 3, 2}), "(3,) and (2,) do not broadcast"},
             {attend({3, 2}, {3, 4}, {3, 2}), "q (3, 2) and k (3, 4) differ in their last size"},
             {attend({3, 2}, {4, 2}, {3, 2}), "k (4, 2) and v (3, 2) differ in the number of keys"},
             {[] {
                scaled_dot_product_attention(ones({2, 2}), ones({2, 2}), ones({2, 2}, {.dtype = float64}));
              },
              "v float64"},
             {[] {
                const Tensor x = ones({2, 2}, {.dtype = int64});
                scaled_dot_product_attention(x, x, x);
              },
              "q is int64"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
