#include <xgrad/ops/embedding.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor indices(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }
Tensor no_indices(const Shape& shape) { return zeros(shape, {.dtype = int64}); }

std::vector<OpSample> embedding_samples() {
  const auto of = [](const Shape& weight, const Tensor& index) {
    return sample("torch.nn.functional.embedding(x[1], x[0])", {sample_normal(weight), index},
                  [](auto& x) { return embedding(x[1], x[0]); });
  };
  return {of({4, 3}, indices({{2, 0, 2}, {1, 1, 3}})), of({2, 5}, tensor(1, {.dtype = int32})),
          of({3, 0}, indices({2, 1})), of({3, 2}, no_indices({2, 0})), of({0, 2}, no_indices({0}))};
}

std::vector<OpSample> embedding_bag_samples() {
  std::vector<OpSample> all;
  const std::pair<const char*, BagMode> modes[] = {
      {"sum", BagMode::sum}, {"mean", BagMode::mean}, {"max", BagMode::max}};
  for (const auto& [mode, kind] : modes) {
    const std::string named = std::string(", mode='") + mode + "'";
    const EmbeddingBagOptions options{.mode = kind}, padded{.mode = kind, .padding_idx = 1};
    all.push_back(sample("torch.nn.functional.embedding_bag(x[1], x[0]" + named + ")",
                         {sample_normal({4, 3}), indices({{2, 0, 3}, {1, 1, 3}})},
                         [options](auto& x) { return embedding_bag(x[1], x[0], {}, options); }));
    all.push_back(sample("torch.nn.functional.embedding_bag(x[1], x[0], x[2]" + named + ", padding_idx=1)",
                         {sample_normal({4, 2}), indices({2, 0, 3, 1, 1, 0}), indices({0, 3, 3, 5})},
                         [padded](auto& x) { return embedding_bag(x[1], x[0], x[2], padded); }));
  }
  all.push_back(sample(
      "torch.nn.functional.embedding_bag(x[1], x[0], x[2], mode='sum', per_sample_weights=x[3])",
      {sample_normal({4, 3}), indices({2, 0, 3, 1, 1}), indices({0, 2, 2}), sample_normal({5}, 2)},
      [](auto& x) { return embedding_bag(x[1], x[0], x[2], {.mode = BagMode::sum, .per_sample_weights = x[3]}); }));
  all.push_back(sample("torch.nn.functional.embedding_bag(x[1], x[0], x[2], mode='sum', include_last_offset=True)",
                       {sample_normal({4, 3}), indices({2, 0, 3}), indices({0, 1, 3})}, [](auto& x) {
                         return embedding_bag(x[1], x[0], x[2], {.mode = BagMode::sum, .include_last_offset = true});
                       }));
  all.push_back(sample("torch.zeros(3, 2, dtype=torch.float64) + 0 * x[0].sum()",
                       {sample_normal({4, 2}), no_indices({0}), no_indices({3})},
                       [](auto& x) { return embedding_bag(x[1], x[0], x[2], {.mode = BagMode::max}); }));
  return all;
}

}  // namespace

std::span<const OpInfo> embedding_ops() {
  static const OpInfo ops[] = {
      {"embedding", "sequences", "row x[i] of a table", true, embedding_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        embedding(indices({0, 3}), ones({3, 2}));
                                      },
                                      "embedding: index 3 at (1,) is out of range for axis 0 of shape (3, 2)"},
                                     {[] {
                                        embedding(ones({2}), ones({3, 2}));
                                      },
                                      "embedding: indices of dtype float32"},
                                     {[] { embedding(indices({0}), ones({3})); }, "embedding: weight has shape (3,)"},
                                     {[] {
                                        embedding(indices({0}), zeros({3, 2}, {.dtype = int64}));
                                      },
                                      "embedding: weight is int64"},
                                     {[] {
                                        embedding(indices({0}), ones({3, 2}), {.padding_idx = 3});
                                      },
                                      "embedding: padding_idx is 3, and weight (3, 2) has 3 rows"},
                                     {[] {
                                        embedding(indices({0}), ones({3, 2}), {.max_norm = -1});
                                      },
                                      "embedding: max_norm -1"}};
       }},
      {"embedding_bag", "sequences", "the sum, mean or largest of the rows of a table in each bag", true,
       embedding_bag_samples,
       [] {
         const auto bags = [](const Tensor& input, const Tensor& offsets, const EmbeddingBagOptions& options = {}) {
           return [=] { embedding_bag(input, ones({3, 2}), offsets, options); };
         };
         return std::vector<OpError>{
             {bags(indices({0, 1}), {}), "embedding_bag: input has shape (2,); it needs offsets"},
             {bags(indices({{0, 1}}), indices({0})), "its rows are the bags"},
             {bags(indices({0, 1}), indices({1})), "the first offset is 1; it must be 0"},
             {bags(indices({0, 1}), indices({0, 2, 1})), "offset 2 is 1, less than the one before"},
             {bags(indices({0, 1}), indices({0, 3})), "offset 1 is 3, and there are 2 indices"},
             {bags(indices({0, 1}), no_indices({0})), "2 indices in no bag"},
             {bags(indices({0, 1}), indices({0, 1}), {.include_last_offset = true}), "the last offset is 1"},
             {bags(indices({{0, 1}}), {}, {.per_sample_weights = ones({1, 2})}), "per_sample_weights are for mode sum"},
             {bags(indices({{0, 1}}), {}, {.mode = BagMode::sum, .per_sample_weights = ones({2})}),
              "per_sample_weights have shape (2,) and dtype float32"},
             {bags(indices({{0, 3}}), {}), "embedding_bag: index 3 at (0, 1) is out of range"},
             {bags(indices({{0}}), {}, {.mode = BagMode::max, .scale_grad_by_freq = true}), "not for mode max"}};
       }},
      {"one_hot", "sequences", "1 at place x[i], else 0", false,
       [] {
         return std::vector<OpSample>{sample("torch.nn.functional.one_hot(x[0])", {indices({{2, 0}, {1, 2}})},
                                             [](auto& x) { return one_hot(x[0]); }),
                                      sample("torch.nn.functional.one_hot(x[0], 3)", {no_indices({2, 0})},
                                             [](auto& x) { return one_hot(x[0], 3); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        one_hot(indices({2, 3}), 3);
                                      },
                                      "one_hot: index 3 is out of range for 3"},
                                     {[] { one_hot(indices({-1})); }, "one_hot: index -1"},
                                     {[] { one_hot(no_indices({0})); }, "give num_classes"},
                                     {[] { one_hot(indices({0}), 0); }, "num_classes is 0"},
                                     {[] { one_hot(ones({2})); }, "one_hot: indices of dtype float32"}};
       }}};
  return ops;
}

}  // namespace xgrad::detail
