#include <xgrad/ops/distance.hpp>

#include <limits>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

std::vector<OpSample> cdist_samples() {
  std::vector<OpSample> samples;
  const auto add = [&](const Shape& a, const Shape& b, double p, const std::string& text) {
    samples.push_back(sample("torch.cdist(x[0], x[1], p=" + text + ", compute_mode='donot_use_mm_for_euclid_dist')",
                             {sample_normal(a, 1), sample_normal(b, 2)},
                             [p](auto& x) { return cdist(x[0], x[1], p); }));
  };
  add({3, 2}, {4, 2}, 2, "2.0"), add({2, 3, 2}, {2, 4, 2}, 2, "2.0"), add({1, 3, 2}, {2, 2, 2}, 2, "2.0");
  add({2, 1}, {20, 1}, 2, "2.0"), add({0, 3}, {2, 3}, 2, "2.0"), add({2, 3}, {0, 3}, 2, "2.0"),
      add({2, 0}, {3, 0}, 2, "2.0");
  return samples;
}

std::vector<OpSample> cdist_samples_of_other_norms() {
  const auto of = [](double p, const std::string& text) {
    return sample("torch.linalg.vector_norm(x[0].unsqueeze(-2) - x[1].unsqueeze(-3), " + text + ", dim=-1)",
                  {sample_normal({2, 3, 2}, 1), sample_normal({2, 4, 2}, 2)},
                  [p](auto& x) { return cdist(x[0], x[1], p); });
  };
  return {of(1, "1"), of(3, "3"), of(0.5, "0.5"), of(std::numeric_limits<double>::infinity(), "float('inf')")};
}

}  // namespace

std::span<const OpInfo> distance_ops() {
  static const OpInfo ops[] = {
      {"cdist", "distances", "|a_i - b_j|_p", true,
       [] {
         std::vector<OpSample> samples = cdist_samples();
         for (OpSample& other : cdist_samples_of_other_norms()) samples.push_back(std::move(other));
         return samples;
       },
       [] {
         return std::vector<OpError>{{[] {
                                        cdist(ones({2, 3}), ones({2, 4}));
                                      },
                                      "they must be (..., m, d) and (..., n, d)"},
                                     {[] {
                                        cdist(ones({3}), ones({2, 3}));
                                      },
                                      "they must be (..., m, d)"},
                                     {[] {
                                        cdist(ones({2, 2, 3}), ones({3, 2, 3}));
                                      },
                                      "broadcast"},
                                     {[] {
                                        cdist(ones({2, 3}), ones({2, 3}), -1);
                                      },
                                      "p is -1"}};
       }},
      {"pairwise_distance", "distances", "|a - b + eps|_p", true,
       [] {
         const auto call = [](const Shape& a, const Shape& b) {
           return sample("F.pairwise_distance(x[0], x[1])", {sample_normal(a, 1), sample_normal(b, 2)},
                         [](auto& x) { return pairwise_distance(x[0], x[1]); });
         };
         return std::vector<OpSample>{
             call({3, 2}, {3, 2}), call({3}, {2, 3}), call({0, 3}, {0, 3}),
             sample("F.pairwise_distance(x[0], x[1], p=3.0, eps=0.25, keepdim=True)",
                    {sample_normal({3, 2}, 1), sample_normal({3, 2}, 2)},
                    [](auto& x) { return pairwise_distance(x[0], x[1], {.p = 3, .eps = 0.25, .keepdim = true}); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        pairwise_distance(ones({2, 3}), ones({2, 4}));
                                      },
                                      "broadcast"},
                                     {[] {
                                        pairwise_distance(ones({2, 3}), ones({2, 3}), {.p = -1});
                                      },
                                      "p is -1"}};
       }},
      {"cosine_similarity", "distances", "a . b / (|a| |b|)", true,
       [] {
         const auto call = [](const Shape& a, const Shape& b, std::int64_t axis) {
           return sample("F.cosine_similarity(x[0], x[1], dim=" + std::to_string(axis) + ")",
                         {sample_normal(a, 1), sample_normal(b, 2)},
                         [axis](auto& x) { return cosine_similarity(x[0], x[1], axis); });
         };
         return std::vector<OpSample>{call({3, 2}, {3, 2}, 1), call({3}, {2, 3}, -1), call({2, 3, 2}, {1, 3, 1}, 0),
                                      call({0, 3}, {1, 3}, 1)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        cosine_similarity(ones({2, 3}), ones({2, 4}));
                                      },
                                      "broadcast"},
                                     {[] { cosine_similarity(ones({3}), ones({3})); }, "axis 1 is out of range"},
                                     {[] {
                                        cosine_similarity(ones({2, 3}), ones({2, 3}), 1, {.eps = -1});
                                      },
                                      "eps is -1"}};
       }},
      {"normalize", "distances", "x / |x|_p", true,
       [] {
         return std::vector<OpSample>{
             sample("F.normalize(x[0])", {sample_normal({3, 2})}, [](auto& x) { return normalize(x[0]); }),
             sample("F.normalize(x[0], p=3.0, dim=(0, 2))", {sample_normal({3, 2, 2})},
                    [](auto& x) {
                      return normalize(x[0], {0, 2}, {.p = 3});
                    }),
             sample("F.normalize(x[0], eps=10.0, dim=-1)", {sample_normal({2, 3})},
                    [](auto& x) { return normalize(x[0], -1, {.eps = 10}); }),
             sample("F.normalize(x[0])", {sample_normal({0, 2})}, [](auto& x) { return normalize(x[0]); })};
       },
       [] {
         return std::vector<OpError>{{[] { normalize(ones({3})); }, "axis 1 is out of range"},
                                     {[] {
                                        normalize(ones({2, 3}), 1, {.p = -1});
                                      },
                                      "p is -1"},
                                     {[] {
                                        normalize(ones({2, 3}), 1, {.eps = -1});
                                      },
                                      "eps is -1"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
