#include <xgrad/ops/diagonal.hpp>
#include <xgrad/ops/shape.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

template <class F>
std::vector<OpSample> triangle_samples(const std::string& name, F f) {
  std::vector<OpSample> samples;
  const auto add = [&](const Tensor& x, std::int64_t offset) {
    samples.push_back(sample("torch." + name + "(x[0], " + std::to_string(offset) + ")", {x},
                             [f, offset](auto& inputs) { return f(inputs[0], offset); }));
  };
  for (const std::int64_t offset : {0, 1, -2, 7}) add(sample_normal({3, 4}), offset);
  add(sample_normal({2, 4, 3}), 0);
  add(transpose(sample_normal({3, 4}).detach(), 0, 1).requires_grad_(), -1);
  add(sample_normal({0, 3}), 0);
  add(sample_normal({3, 0}), 1);
  return samples;
}

}  // namespace

std::span<const OpInfo> diagonal_ops() {
  static const OpInfo ops[] = {
      {"diagonal", "diagonals and triangles", "x[i, i + offset]", true,
       [] {
         std::vector<OpSample> samples;
         const auto add = [&](const Shape& shape, std::int64_t offset, std::int64_t axis0, std::int64_t axis1) {
           const std::string arguments =
               std::to_string(offset) + ", " + std::to_string(axis0) + ", " + std::to_string(axis1);
           samples.push_back(sample("torch.diagonal(x[0], " + arguments + ")", {sample_normal(shape)},
                                    [=](auto& x) { return diagonal(x[0], offset, axis0, axis1); }));
         };
         add({3, 3}, 0, 0, 1), add({3, 4}, 1, 0, 1), add({3, 4}, -1, 0, 1), add({3, 4}, 3, 1, 0),
             add({2, 3, 4}, 0, -1, 0);
         add({2, 3}, 5, 0, 1), add({2, 3}, -5, 0, 1), add({0, 3}, 0, 0, 1), add({2, 0, 3}, 1, 1, 2);
         return samples;
       },
       [] {
         return std::vector<OpError>{{[] { diagonal(ones({3})); }, "needs at least two axes"},
                                     {[] {
                                        diagonal(ones({3, 3}), 0, 1, -1);
                                      },
                                      "axis 1 and axis -1"},
                                     {[] {
                                        diagonal(ones({3, 3}), 0, 0, 2);
                                      },
                                      "axis 2 is out of range"}};
       }},
      {"diag_embed", "diagonals and triangles", "y[i, i + offset] = x_i, else 0", true,
       [] {
         std::vector<OpSample> samples;
         const auto add = [&](const Shape& shape, std::int64_t offset, std::int64_t axis0, std::int64_t axis1) {
           const std::string arguments =
               std::to_string(offset) + ", " + std::to_string(axis0) + ", " + std::to_string(axis1);
           samples.push_back(sample("torch.diag_embed(x[0], " + arguments + ")", {sample_normal(shape)},
                                    [=](auto& x) { return diag_embed(x[0], offset, axis0, axis1); }));
         };
         add({3}, 0, -2, -1), add({2, 3}, 1, -2, -1), add({2, 3}, -2, 0, 2), add({2, 3}, 1, 2, 0), add({0}, 1, 0, 1),
             add({0, 2}, 0, -2, -1);
         return samples;
       },
       [] {
         return std::vector<OpError>{{[] { diag_embed(ones({})); }, "a number has no axis"},
                                     {[] { diag_embed(ones({3}), 0, 0, 0); }, "are the same"},
                                     {[] { diag_embed(ones({3}), INT64_MIN); }, "too large"}};
       }},
      {"diag", "diagonals and triangles", "diag_embed(x) of a vector, diagonal(x) of a matrix", true,
       [] {
         std::vector<OpSample> samples;
         for (const std::int64_t offset : {0, 1, -2})
           for (const Shape& shape : {Shape{3}, Shape{3, 4}, Shape{0}})
             samples.push_back(sample("torch.diag(x[0], " + std::to_string(offset) + ")", {sample_normal(shape)},
                                      [=](auto& x) { return diag(x[0], offset); }));
         return samples;
       },
       [] {
         return std::vector<OpError>{{[] { diag(ones({2, 2, 2})); }, "neither a vector nor a matrix"}};
       }},
      {"tril", "diagonals and triangles", "x[i, j] where j - i <= offset, else 0", true,
       [] { return triangle_samples("tril", [](auto& x, std::int64_t offset) { return tril(x, offset); }); },
       [] {
         return std::vector<OpError>{{[] { tril(ones({3})); }, "needs at least two axes"}};
       }},
      {"triu", "diagonals and triangles", "x[i, j] where j - i >= offset, else 0", true,
       [] { return triangle_samples("triu", [](auto& x, std::int64_t offset) { return triu(x, offset); }); },
       [] {
         return std::vector<OpError>{{[] { triu(ones({3})); }, "needs at least two axes"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
