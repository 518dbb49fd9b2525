#include <xgrad/ops/adaptive_max_pool.hpp>
#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

struct PoolCase {
  Shape x;
  const char* arguments;  // of PyTorch's function, behind x
  Shape kernel;
};

template <class Options>
struct With : PoolCase {
  Options options = {};
};

template <class Options, class F>
std::vector<OpSample> window_samples(const char* name, const F& pool, const std::vector<With<Options>>& cases) {
  std::vector<OpSample> samples;
  for (const With<Options>& with : cases)
    samples.push_back(sample(std::string("F.") + name + "(x[0], " + with.arguments + ")", {sample_normal(with.x)},
                             [=](auto& x) { return pool(x[0], with.kernel, with.options); }));
  return samples;
}

using Max = With<MaxPoolOptions>;
using Avg = With<AvgPoolOptions>;
using LP = With<LPPoolOptions>;

const std::vector<Max> max1d = {{{{2, 3, 7}, "2", 2}},
                                {{{1, 2, 8}, "3, 2, 1, 2", 3}, {.stride = 2, .padding = 1, .dilation = 2}},
                                {{{3, 5}, "2, 2, ceil_mode=True", 2}, {.ceil_mode = true}},
                                {{{0, 2, 4}, "2", 2}}};
const std::vector<Max> max2d = {
    {{{2, 3, 4, 6}, "2", 2}},
    {{{1, 2, 5, 5}, "(3, 2), (2, 1), 1", {3, 2}}, {.stride = {2, 1}, .padding = 1}},
    {{{1, 1, 6, 7}, "2, 2, 1, 2, True", 2}, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}},
    {{{2, 70, 3, 3}, "3", 3}},
    {{{2, 3, 3}, "2, 1", 2}, {.stride = 1}},
    {{{0, 2, 4, 4}, "2", 2}}};
const std::vector<Max> max3d = {
    {{{1, 2, 4, 3, 5}, "2, 1", 2}, {.stride = 1}},
    {{{1, 1, 3, 3, 3}, "(1, 2, 3), 2, (0, 1, 1)", {1, 2, 3}}, {.stride = 2, .padding = {0, 1, 1}}},
    {{{0, 1, 2, 2, 2}, "2", 2}}};

template <class F>
std::vector<OpSample> with_indices(const char* name, const F& pool, const std::vector<Max>& cases) {
  std::vector<OpSample> samples;
  for (const Max& with : cases)
    samples.push_back({std::string("F.") + name + "(x[0], " + with.arguments + ", return_indices=True)",
                       {sample_normal(with.x)},
                       [=](auto& x) {
                         const ValuesAndIndices found = pool(x[0], with.kernel, with.options);
                         return std::vector<Tensor>{found.values, found.indices};
                       }});
  return samples;
}

/// Elements put back where pooling took them from.
template <class Pool, class Unpool>
OpSample unpool_sample(const std::string& rank, const Shape& shape, const char* arguments, const Shape& kernel,
                       const MaxUnpoolOptions& options, const Pool& pool, const Unpool& unpool) {
  const Tensor indices = pool(sample_normal(shape, 5).detach(), kernel,
                              MaxPoolOptions{.stride = options.stride, .padding = options.padding})
                             .indices;
  return sample("F.max_unpool" + rank + "d(x[0], x[1], " + arguments + ")", {sample_normal(indices.shape()), indices},
                [=](auto& x) { return unpool(x[0], x[1], kernel, options); });
}

template <class F>
std::vector<OpSample> adaptive_samples(const char* name, const F& pool,
                                       std::initializer_list<std::pair<Shape, std::pair<const char*, Shape>>> cases) {
  std::vector<OpSample> samples;
  for (const auto& [shape, size] : cases)
    samples.push_back(sample(std::string("F.") + name + "(x[0], " + size.first + ")", {sample_normal(shape)},
                             [pool, size = size.second](auto& x) { return pool(x[0], size); }));
  return samples;
}

template <class F>
std::vector<OpSample> adaptive_with_indices(const char* name, const F& pool,
                                            std::initializer_list<std::pair<Shape, Shape>> cases) {
  std::vector<OpSample> samples;
  for (const auto& [shape, size] : cases)
    samples.push_back({std::string("F.") + name + "(x[0], " + size.str() + ", return_indices=True)",
                       {sample_normal(shape)},
                       [pool, size = size](auto& x) {
                         const ValuesAndIndices found = pool(x[0], size);
                         return std::vector<Tensor>{found.values, found.indices};
                       }});
  return samples;
}

template <class F>
std::vector<OpSample> lp_samples(const char* name, const F& pool, const std::vector<std::pair<double, LP>>& cases) {
  std::vector<OpSample> samples;
  for (const auto& [p, with] : cases)
    samples.push_back(sample(std::string("F.") + name + "(x[0], " + std::to_string(p) + ", " + with.arguments + ")",
                             {sample_uniform(with.x, 0.5, 2)},
                             [pool, p = p, with = with](auto& x) { return pool(x[0], p, with.kernel, with.options); }));
  return samples;
}

}  // namespace

std::span<const OpInfo> pooling_ops() {
  static const OpInfo ops[] = {
      {"max_pool1d", "pooling", "the largest element of each window", true,
       [] {
         return window_samples(
             "max_pool1d", [](auto&... a) { return max_pool1d(a...); }, max1d);
       },
       [] {
         return std::vector<OpError>{{[] {
                                        max_pool1d(ones({1, 1, 1}), 2);
                                      },
                                      "reaches over 2 places, more than the 1"}};
       }},
      {"max_pool2d", "pooling", "the same over two spatial axes", true,
       [] {
         return window_samples(
             "max_pool2d", [](auto&... a) { return max_pool2d(a...); }, max2d);
       },
       [] {
         const auto of = [](const Shape& x, const Shape& kernel, const MaxPoolOptions& options = {}) {
           return [=] { max_pool2d(ones(x), kernel, options); };
         };
         return std::vector<OpError>{
             {of({2, 2}, 2), "(N, C, ...) or (C, ...) with 2 spatial axes is needed"},
             {of({1, 1, 2, 2}, 3), "kernel_size (3, 3) with dilation (1, 1) reaches over 3 places, more than the 2"},
             {of({1, 1, 4, 4}, 0), "kernel_size is (0, 0); it must be at least 1"},
             {of({1, 1, 4, 4}, {1, 2, 3}), "kernel_size has 3 numbers"},
             {of({1, 1, 4, 4}, 2, {.stride = 0}), "stride is (0, 0)"},
             {of({1, 1, 4, 4}, 2, {.padding = 2}), "padding (2, 2) is more than half"},
             {of({1, 1, 4, 4}, 2, {.dilation = 0}), "dilation is (0, 0)"},
             {of({1, 1, 0, 4}, 2), "only the batch may be empty"},
             {[] {
                max_pool2d(ones({1, 1, 4, 4}, {.dtype = int64}), 2);
              },
              "input is int64"}};
       }},
      {"max_pool3d", "pooling", "the same over three spatial axes", true,
       [] {
         return window_samples(
             "max_pool3d", [](auto&... a) { return max_pool3d(a...); }, max3d);
       },
       [] {
         return std::vector<OpError>{{[] { max_pool3d(ones({1, 1, 1, 2, 2}), 2); }, "more than the 1"}};
       }},
      {"max_pool1d_with_indices", "pooling", "the largest element of each window, and its place", true,
       [] {
         return with_indices(
             "max_pool1d", [](auto&... a) { return max_pool1d_with_indices(a...); }, max1d);
       },
       [] {
         return std::vector<OpError>{{[] { max_pool1d_with_indices(ones({1, 1, 1}), 2); }, "more than the 1"}};
       }},
      {"max_pool2d_with_indices", "pooling", "the same over two spatial axes", true,
       [] {
         return with_indices(
             "max_pool2d", [](auto&... a) { return max_pool2d_with_indices(a...); }, max2d);
       },
       [] {
         return std::vector<OpError>{{[] { max_pool2d_with_indices(ones({1, 1, 1, 2}), 2); }, "more than the 1"}};
       }},
      {"max_pool3d_with_indices", "pooling", "the same over three spatial axes", true,
       [] {
         return with_indices(
             "max_pool3d", [](auto&... a) { return max_pool3d_with_indices(a...); }, max3d);
       },
       [] {
         return std::vector<OpError>{{[] { max_pool3d_with_indices(ones({1, 1, 1, 2, 2}), 2); }, "more than the 1"}};
       }},
      {"max_unpool1d", "pooling", "the elements at the places of max pooling, 0 elsewhere", true,
       [] {
         const auto pool = [](const auto&... a) { return max_pool1d_with_indices(a...); };
         const auto unpool = [](const auto&... a) { return max_unpool1d(a...); };
         return std::vector<OpSample>{
             unpool_sample("1", {2, 3, 6}, "2", 2, {}, pool, unpool),
             unpool_sample("1", {1, 2, 7}, "2, output_size=(7,)", 2, {.output_size = 7}, pool, unpool),
             unpool_sample("1", {0, 2, 6}, "2", 2, {}, pool, unpool)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        max_unpool1d(ones({1, 1, 2}), zeros({1, 1, 3}, {.dtype = int64}), 2);
                                      },
                                      "indices have shape (1, 1, 3)"},
                                     {[] {
                                        max_unpool1d(ones({1, 1, 2}), zeros({1, 1, 2}), 2);
                                      },
                                      "dtype float32"}};
       }},
      {"max_unpool2d", "pooling", "the same over two spatial axes", true,
       [] {
         const auto pool = [](const auto&... a) { return max_pool2d_with_indices(a...); };
         const auto unpool = [](const auto&... a) { return max_unpool2d(a...); };
         return std::vector<OpSample>{unpool_sample("2", {2, 3, 4, 6}, "2", 2, {}, pool, unpool),
                                      unpool_sample("2", {2, 4, 4}, "2", 2, {}, pool, unpool),
                                      unpool_sample("2", {1, 2, 6, 5}, "(3, 2), output_size=(6, 5)", {3, 2},
                                                    {.output_size = {6, 5}}, pool, unpool),
                                      unpool_sample("2", {0, 2, 4, 4}, "2", 2, {}, pool, unpool)};
       },
       [] {
         return std::vector<OpError>{
             {[] {
                max_unpool2d(ones({1, 1, 1, 1}), full({1, 1, 1, 1}, 4, {.dtype = int64}), 2);
              },
              "4"},
             {[] {
                max_unpool2d(ones({1, 1, 1, 1}), zeros({1, 1, 1, 1}, {.dtype = int64}), 1, {.padding = 1});
              },
              "leaves nothing of the result"}};
       }},
      {"max_unpool3d", "pooling", "the same over three spatial axes", true,
       [] {
         const auto pool = [](const auto&... a) { return max_pool3d_with_indices(a...); };
         const auto unpool = [](const auto&... a) { return max_unpool3d(a...); };
         return std::vector<OpSample>{unpool_sample("3", {1, 2, 2, 4, 4}, "2", 2, {}, pool, unpool),
                                      unpool_sample("3", {0, 2, 2, 4, 4}, "2", 2, {}, pool, unpool)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        max_unpool3d(ones({1, 1, 2}), zeros({1, 1, 2}, {.dtype = int64}), 2);
                                      },
                                      "with 3 spatial axes"}};
       }},
      {"avg_pool1d", "pooling", "the mean of each window", true,
       [] {
         return window_samples(
             "avg_pool1d", [](auto&... a) { return avg_pool1d(a...); },
             std::vector<Avg>{{{{2, 3, 7}, "2", 2}},
                              {{{1, 2, 8}, "3, 2, 1, True, False", 3},
                               {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}},
                              {{{3, 5}, "2", 2}},
                              {{{0, 2, 4}, "2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { avg_pool1d(ones({1, 1, 1}), 2); }, "more than the 1"}};
       }},
      {"avg_pool2d", "pooling", "the same over two spatial axes", true,
       [] {
         return window_samples(
             "avg_pool2d", [](auto&... a) { return avg_pool2d(a...); },
             std::vector<Avg>{{{{2, 3, 4, 6}, "2", 2}},
                              {{{1, 2, 5, 5}, "(3, 2), (2, 1), 1", {3, 2}}, {.stride = {2, 1}, .padding = 1}},
                              {{{1, 2, 6, 5}, "3, 2, 1, True, False", 3},
                               {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}},
                              {{{1, 2, 6, 6}, "3, 2, 1, True", 3}, {.stride = 2, .padding = 1, .ceil_mode = true}},
                              {{{1, 2, 4, 4}, "3, 1, divisor_override=5", 3}, {.stride = 1, .divisor_override = 5}},
                              {{{2, 70, 3, 3}, "3", 3}},
                              {{{0, 2, 4, 4}, "2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] {
                                        avg_pool2d(ones({1, 1, 1, 2}), 2);
                                      },
                                      "more than the 1"},
                                     {[] {
                                        avg_pool2d(ones({1, 1, 3, 3}), 2, {.padding = 2});
                                      },
                                      "padding (2, 2) is more than half"}};
       }},
      {"avg_pool3d", "pooling", "the same over three spatial axes", true,
       [] {
         return window_samples(
             "avg_pool3d", [](auto&... a) { return avg_pool3d(a...); },
             std::vector<Avg>{{{{1, 2, 4, 3, 5}, "2, 1", 2}, {.stride = 1}},
                              {{{1, 1, 3, 3, 3}, "2, 2, 1", 2}, {.stride = 2, .padding = 1}},
                              {{{0, 1, 2, 2, 2}, "2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { avg_pool3d(ones({1, 1, 1, 2, 2}), 2); }, "more than the 1"}};
       }},
      {"adaptive_avg_pool1d", "pooling", "the mean of each of output_size windows", true,
       [] {
         return adaptive_samples("adaptive_avg_pool1d", [](auto&... a) { return adaptive_avg_pool1d(a...); },
                                 {{{2, 3, 7}, {"3", 3}}, {{2, 3}, {"5", 5}}, {{0, 2, 4}, {"2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_avg_pool1d(ones({1, 1, 2}), -2); }, "output_size is (-2,)"}};
       }},
      {"adaptive_avg_pool2d", "pooling", "the same over two spatial axes", true,
       [] {
         return adaptive_samples("adaptive_avg_pool2d", [](auto&... a) { return adaptive_avg_pool2d(a...); },
                                 {{{2, 3, 7, 5}, {"(3, 2)", {3, 2}}},
                                  {{1, 2, 3, 4}, {"1", 1}},
                                  {{1, 2, 3, 4}, {"(None, 2)", {-1, 2}}},
                                  {{0, 2, 4, 4}, {"2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] {
                                        adaptive_avg_pool2d(ones({1, 1, 2, 2}), {1, 2, 3});
                                      },
                                      "output_size has 3 numbers"}};
       }},
      {"adaptive_avg_pool3d", "pooling", "the same over three spatial axes", true,
       [] {
         return adaptive_samples("adaptive_avg_pool3d", [](auto&... a) { return adaptive_avg_pool3d(a...); },
                                 {{{1, 2, 3, 2, 5}, {"(2, 1, 3)", {2, 1, 3}}}, {{0, 1, 2, 2, 2}, {"1", 1}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_avg_pool3d(ones({1, 2}), 1); }, "with 3 spatial axes"}};
       }},
      {"adaptive_max_pool1d", "pooling", "the largest element of each of output_size windows", true,
       [] {
         return adaptive_samples("adaptive_max_pool1d", [](auto&... a) { return adaptive_max_pool1d(a...); },
                                 {{{2, 3, 7}, {"3", 3}}, {{2, 3}, {"5", 5}}, {{0, 2, 4}, {"2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool1d(ones({1, 1, 2}), -2); }, "output_size is (-2,)"}};
       }},
      {"adaptive_max_pool2d", "pooling", "the same over two spatial axes", true,
       [] {
         return adaptive_samples(
             "adaptive_max_pool2d", [](auto&... a) { return adaptive_max_pool2d(a...); },
             {{{2, 3, 7, 5}, {"(3, 2)", {3, 2}}}, {{1, 2, 3, 4}, {"1", 1}}, {{0, 2, 4, 4}, {"2", 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool2d(ones({2}), 1); }, "with 2 spatial axes"}};
       }},
      {"adaptive_max_pool3d", "pooling", "the same over three spatial axes", true,
       [] {
         return adaptive_samples("adaptive_max_pool3d", [](auto&... a) { return adaptive_max_pool3d(a...); },
                                 {{{1, 2, 3, 2, 5}, {"(2, 1, 3)", {2, 1, 3}}}, {{0, 1, 2, 2, 2}, {"1", 1}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool3d(ones({2}), 1); }, "with 3 spatial axes"}};
       }},
      {"adaptive_max_pool1d_with_indices", "pooling", "the same with the place of each", true,
       [] {
         return adaptive_with_indices("adaptive_max_pool1d",
                                      [](auto&... a) { return adaptive_max_pool1d_with_indices(a...); },
                                      {{{2, 3, 7}, 3}, {{0, 2, 4}, 2}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool1d_with_indices(ones({2}), 1); }, "with 1 spatial ax"}};
       }},
      {"adaptive_max_pool2d_with_indices", "pooling", "the same with the place of each", true,
       [] {
         return adaptive_with_indices("adaptive_max_pool2d",
                                      [](auto&... a) { return adaptive_max_pool2d_with_indices(a...); },
                                      {{{2, 3, 5, 4}, {3, 2}}, {{2, 4, 4}, {4, 1}}, {{0, 2, 4, 4}, {2, 2}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool2d_with_indices(ones({2}), 1); }, "with 2 spatial ax"}};
       }},
      {"adaptive_max_pool3d_with_indices", "pooling", "the same with the place of each", true,
       [] {
         return adaptive_with_indices("adaptive_max_pool3d",
                                      [](auto&... a) { return adaptive_max_pool3d_with_indices(a...); },
                                      {{{1, 2, 4, 3, 5}, {2, 3, 1}}, {{0, 1, 2, 2, 2}, {1, 1, 1}}});
       },
       [] {
         return std::vector<OpError>{{[] { adaptive_max_pool3d_with_indices(ones({2}), 1); }, "with 3 spatial ax"}};
       }},
      {"lp_pool1d", "pooling", "(sum of x^p over each window)^(1/p)", true,
       [] {
         return lp_samples("lp_pool1d", [](auto&... a) { return lp_pool1d(a...); },
                           {{2, {{{2, 3, 7}, "2", 2}}},
                            {3.5, {{{1, 2, 7}, "3, 2, True", 3}, {.stride = 2, .ceil_mode = true}}},
                            {2, {{{0, 2, 4}, "2", 2}}}});
       },
       [] {
         return std::vector<OpError>{{[] { lp_pool1d(ones({1, 1, 2}), 0, 2); }, "norm_type is 0"}};
       }},
      {"lp_pool2d", "pooling", "the same over two spatial axes", true,
       [] {
         return lp_samples("lp_pool2d", [](auto&... a) { return lp_pool2d(a...); },
                           {{2, {{{2, 3, 4, 5}, "2", 2}}},
                            {1, {{{1, 2, 5, 5}, "(3, 2), 1", {3, 2}}, {.stride = 1}}},
                            {2, {{{0, 2, 4, 4}, "2", 2}}}});
       },
       [] {
         return std::vector<OpError>{{[] { lp_pool2d(ones({1, 1, 1, 2}), 2, 2); }, "more than the 1"}};
       }},
      {"lp_pool3d", "pooling", "the same over three spatial axes", true,
       [] {
         return lp_samples("lp_pool3d", [](auto&... a) { return lp_pool3d(a...); },
                           {{2, {{{1, 2, 2, 3, 4}, "2", 2}}}, {2, {{{0, 1, 2, 2, 2}, "2", 2}}}});
       },
       [] {
         return std::vector<OpError>{{[] { lp_pool3d(ones({1, 1, 1, 2, 2}), 2, 2); }, "more than the 1"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
