#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// The options as PyTorch writes them: "stride=(2, 1), padding=1".
std::string numbers(const char* name, const Shape& sizes) {
  return std::string(name) + "=" + (sizes.size() == 1 ? std::to_string(sizes[0]) : sizes.str());
}

struct ConvCase {
  Shape x, weight;
  bool bias = false;
  Shape stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
};

template <class F>
OpSample conv_sample(const char* name, const F& conv, const ConvCase& with) {
  std::vector<Tensor> inputs{sample_normal(with.x, 1), sample_normal(with.weight, 2)};
  if (with.bias) inputs.push_back(sample_normal({with.weight[0]}, 3));
  const std::string reference = std::string("F.") + name + "(x[0], x[1], " + (with.bias ? "x[2]" : "None") + ", " +
                                numbers("stride", with.stride) + ", " + numbers("padding", with.padding) + ", " +
                                numbers("dilation", with.dilation) + ", groups=" + std::to_string(with.groups) + ")";
  return sample(reference, inputs, [=](auto& x) {
    return conv(
        x[0], x[1], with.bias ? x[2] : Tensor(),
        ConvOptions{.stride = with.stride, .padding = with.padding, .dilation = with.dilation, .groups = with.groups});
  });
}

template <class F>
std::vector<OpSample> conv_samples(const char* name, const F& conv, std::initializer_list<ConvCase> cases) {
  std::vector<OpSample> samples;
  for (const ConvCase& with : cases) samples.push_back(conv_sample(name, conv, with));
  return samples;
}

struct TransposeCase {
  Shape x, weight;
  bool bias = false;
  Shape stride = 1, padding = 0, output_padding = 0, dilation = 1;
  std::int64_t groups = 1;
};

template <class F>
std::vector<OpSample> transpose_samples(const char* name, const F& conv, std::initializer_list<TransposeCase> cases) {
  std::vector<OpSample> samples;
  for (const TransposeCase& with : cases) {
    std::vector<Tensor> inputs{sample_normal(with.x, 1), sample_normal(with.weight, 2)};
    if (with.bias) inputs.push_back(sample_normal({with.weight[1] * with.groups}, 3));
    const std::string reference = std::string("F.") + name + "(x[0], x[1], " + (with.bias ? "x[2]" : "None") + ", " +
                                  numbers("stride", with.stride) + ", " + numbers("padding", with.padding) + ", " +
                                  numbers("output_padding", with.output_padding) + ", " +
                                  numbers("dilation", with.dilation) + ", groups=" + std::to_string(with.groups) + ")";
    samples.push_back(sample(reference, inputs, [=](auto& x) {
      return conv(x[0], x[1], with.bias ? x[2] : Tensor(),
                  ConvTransposeOptions{.stride = with.stride,
                                       .padding = with.padding,
                                       .output_padding = with.output_padding,
                                       .groups = with.groups,
                                       .dilation = with.dilation});
    }));
  }
  return samples;
}

template <class F>
std::vector<OpSample> conv2d_samples(const F& conv) {
  std::vector<OpSample> samples =
      conv_samples("conv2d", conv,
                   {{.x = {2, 1, 4, 5}, .weight = {3, 1, 3, 3}, .bias = true, .padding = 1},
                    {.x = {2, 3, 5, 4}, .weight = {2, 3, 2, 3}, .bias = true, .stride = {2, 1}, .padding = {0, 2}},
                    {.x = {1, 2, 5, 6}, .weight = {2, 2, 2, 2}, .padding = 1, .dilation = {2, 3}},
                    {.x = {1, 4, 4, 4}, .weight = {6, 2, 3, 3}, .bias = true, .padding = 1, .groups = 2},
                    {.x = {2, 3, 4, 4}, .weight = {3, 1, 3, 3}, .bias = true, .stride = 2, .padding = 1, .groups = 3},
                    {.x = {1, 2, 3, 3}, .weight = {4, 1, 2, 2}, .groups = 2},
                    {.x = {2, 3, 3, 2}, .weight = {4, 3, 1, 1}, .bias = true},
                    {.x = {2, 3, 5, 5}, .weight = {2, 3, 1, 1}, .stride = 3},
                    {.x = {1, 1, 3, 3}, .weight = {1, 1, 2, 2}, .stride = {5, 4}, .padding = {1, 2}},
                    {.x = {1, 1, 1, 1}, .weight = {1, 1, 3, 3}, .bias = true, .padding = 1},
                    {.x = {2, 4, 4}, .weight = {3, 2, 3, 3}, .bias = true},
                    {.x = {0, 2, 4, 4}, .weight = {3, 2, 3, 3}, .bias = true, .padding = 1}});
  const Tensor channels_last = permute(sample_normal({2, 3, 4, 2}).detach(), {0, 3, 1, 2}).requires_grad_();
  samples.push_back(sample("F.conv2d(x[0], x[1], padding='same')", {channels_last, sample_normal({3, 2, 2, 2}, 2)},
                           [conv](auto& x) { return conv(x[0], x[1], Tensor(), ConvOptions{.padding = "same"}); }));
  samples.push_back(sample("F.conv2d(x[0], x[1], padding='same', dilation=(2, 1))",
                           {sample_normal({1, 2, 5, 4}), sample_normal({1, 2, 2, 4}, 2)}, [conv](auto& x) {
                             return conv(x[0], x[1], Tensor(), ConvOptions{.padding = "same", .dilation = {2, 1}});
                           }));
  samples.push_back(sample("F.conv2d(x[0], x[1], padding='valid')",
                           {sample_normal({1, 2, 3, 4}), sample_normal({1, 2, 2, 4}, 2)},
                           [conv](auto& x) { return conv(x[0], x[1], Tensor(), ConvOptions{.padding = "valid"}); }));
  return samples;
}

std::vector<OpError> conv2d_errors() {
  const auto of = [](const Shape& x, const Shape& weight, const ConvOptions& options = {}) {
    return [=] { conv2d(ones(x), ones(weight), {}, options); };
  };
  return {{of({1, 2, 4, 4}, {3, 1, 3, 3}),
           "input of shape (1, 2, 4, 4) has 2 channels, weight (3, 1, 3, 3) with groups 1 "
           "needs 1"},
          {of({4, 4}, {3, 1, 3, 3}), "input has shape (4, 4); (N, C, ...) or (C, ...) with 2 spatial axes is needed"},
          {of({1, 1, 4, 4}, {3, 1, 3}), "weight has shape (3, 1, 3); it must have 4 axes"},
          {of({1, 1, 2, 4}, {3, 1, 3, 3}), "kernel (3, 3) with dilation (1, 1) reaches over 3 places, more than the 2"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.dilation = 2}), "reaches over 5 places, more than the 4"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.stride = 0}), "stride is (0, 0); it must be at least 1"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.stride = {1, 1, 1}}),
           "stride has 3 numbers; give one, or one for each of the 2"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.padding = {-1, 0}}), "padding is (-1, 0); it must be at least 0"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.dilation = {0, 1}}), "dilation is (0, 1); it must be at least 1"},
          {of({1, 2, 4, 4}, {3, 1, 3, 3}, {.groups = 2}), "whose first size 3 is not a multiple of groups 2"},
          {of({1, 2, 4, 4}, {3, 1, 3, 3}, {.groups = 0}), "groups is 0"},
          {of({1, 1, 4, 4}, {3, 1, 3, 3}, {.stride = 2, .padding = "same"}), "padding \"same\" with stride (2, 2)"},
          {of({1, 0, 4, 4}, {3, 1, 3, 3}), "only the batch may be empty"},
          {of({1, 1, 4, 4}, {0, 1, 3, 3}), "weight has shape (0, 1, 3, 3) and no elements"},
          {[] {
             conv2d(ones({1, 1, 4, 4}), ones({3, 1, 3, 3}), {}, {.padding = "full"});
           },
           "padding is \"full\""},
          {[] {
             conv2d(ones({1, 1, 4, 4}), ones({3, 1, 3, 3}), ones({2}));
           },
           "bias has shape (2,); for 3 output channels it must be (3,)"},
          {[] {
             conv2d(ones({1, 1, 4, 4}, {.dtype = int64}), ones({3, 1, 3, 3}));
           },
           "input is int64"},
          {[] {
             conv2d(ones({1, 1, 4, 4}), ones({3, 1, 3, 3}, {.dtype = int64}));
           },
           "weight is int64"}};
}

}  // namespace

std::span<const OpInfo> convolution_ops() {
  static const OpInfo ops[] = {
      {"conv1d", "convolution",
       "sum over k and c of x[n, c, stride i + dilation k - padding] weight[o, c, k] + bias[o]", true,
       [] {
         return conv_samples(
             "conv1d", [](const auto&... a) { return conv1d(a...); },
             {{.x = {2, 2, 7}, .weight = {3, 2, 3}, .bias = true, .padding = 1},
              {.x = {1, 4, 9}, .weight = {4, 2, 2}, .stride = 3, .padding = 2, .dilation = 2, .groups = 2},
              {.x = {2, 5}, .weight = {1, 2, 3}, .bias = true},
              {.x = {0, 2, 7}, .weight = {3, 2, 3}, .bias = true}});
       },
       [] {
         return std::vector<OpError>{{[] {
                                        conv1d(ones({1, 1, 2}), ones({1, 1, 3}));
                                      },
                                      "reaches over 3 places"},
                                     {[] {
                                        conv1d(ones({3}), ones({1, 1, 3}));
                                      },
                                      "with 1 spatial axis is needed"}};
       }},
      {"conv2d", "convolution", "the same over two spatial axes", true,
       [] { return conv2d_samples([](const auto&... a) { return conv2d(a...); }); }, conv2d_errors},
      {"conv3d", "convolution", "the same over three spatial axes", true,
       [] {
         return conv_samples("conv3d", [](const auto&... a) { return conv3d(a...); },
                             {{.x = {1, 2, 3, 3, 4}, .weight = {2, 2, 2, 3, 2}, .bias = true, .padding = {0, 1, 1}},
                              {.x = {2, 2, 3, 4, 3},
                               .weight = {2, 1, 2, 2, 2},
                               .stride = {1, 2, 1},
                               .padding = 1,
                               .dilation = {2, 1, 1},
                               .groups = 2},
                              {.x = {0, 1, 2, 2, 2}, .weight = {1, 1, 2, 2, 2}, .bias = true}});
       },
       [] {
         return std::vector<OpError>{{[] {
                                        conv3d(ones({1, 1, 2, 3, 3}), ones({1, 1, 3, 3, 3}));
                                      },
                                      "reaches over 3 places, more than the 2"}};
       }},
      {"conv_transpose1d", "convolution", "the gradient of conv1d's input, plus bias", true,
       [] {
         return transpose_samples(
             "conv_transpose1d", [](const auto&... a) { return conv_transpose1d(a...); },
             {{.x = {2, 2, 5}, .weight = {2, 3, 3}, .bias = true, .padding = 1},
              {.x = {1, 4, 3}, .weight = {4, 2, 2}, .stride = 3, .output_padding = 2, .dilation = 2, .groups = 2},
              {.x = {2, 4}, .weight = {2, 1, 3}, .bias = true, .stride = 2},
              {.x = {0, 2, 5}, .weight = {2, 3, 3}, .bias = true}});
       },
       [] {
         return std::vector<OpError>{{[] {
                                        conv_transpose1d(ones({1, 2, 3}), ones({1, 1, 3}));
                                      },
                                      "has 2 channels, weight (1, 1, 3) needs 1"}};
       }},
      {"conv_transpose2d", "convolution", "the gradient of conv2d's input, plus bias", true,
       [] {
         return transpose_samples(
             "conv_transpose2d", [](const auto&... a) { return conv_transpose2d(a...); },
             {{.x = {2, 2, 3, 4}, .weight = {2, 3, 3, 2}, .bias = true, .stride = {2, 1}, .padding = {1, 0}},
              {.x = {1, 2, 3, 3}, .weight = {2, 2, 3, 3}, .stride = 2, .padding = 1, .output_padding = 1},
              {.x = {1, 4, 3, 2}, .weight = {4, 2, 2, 3}, .bias = true, .dilation = {2, 1}, .groups = 2},
              {.x = {1, 3, 2, 3}, .weight = {3, 1, 3, 3}, .bias = true, .stride = 2, .groups = 3},
              {.x = {2, 3, 2, 2}, .weight = {3, 2, 1, 1}, .bias = true},
              {.x = {1, 1, 2, 2}, .weight = {1, 2, 1, 1}, .bias = true, .stride = 3, .output_padding = 2},
              {.x = {0, 2, 3, 4}, .weight = {2, 3, 3, 2}, .bias = true}});
       },
       [] {
         const auto of = [](const Shape& x, const Shape& weight, const ConvTransposeOptions& options = {}) {
           return [=] { conv_transpose2d(ones(x), ones(weight), {}, options); };
         };
         return std::vector<OpError>{
             {of({1, 2, 3, 3}, {1, 1, 3, 3}), "has 2 channels, weight (1, 1, 3, 3) needs 1; it is (in, out / groups"},
             {of({1, 1, 3, 3}, {1, 1, 3, 3}, {.stride = 2, .output_padding = 2}),
              "output_padding is (2, 2); it must be "
              "less than stride (2, 2)"},
             {of({1, 1, 1, 1}, {1, 1, 2, 2}, {.padding = 1}), "padding (1, 1) leaves nothing of the result"},
             {of({1, 3, 3, 3}, {3, 1, 3, 3}, {.groups = 2}), "not a multiple of groups 2"},
             {[] {
                conv_transpose2d(ones({1, 1, 3, 3}), ones({1, 2, 3, 3}), ones({1}));
              },
              "for 2 output channels it must be (2,)"}};
       }},
      {"conv_transpose3d", "convolution", "the gradient of conv3d's input, plus bias", true,
       [] {
         return transpose_samples("conv_transpose3d", [](const auto&... a) { return conv_transpose3d(a...); },
                                  {{.x = {1, 2, 2, 3, 2},
                                    .weight = {2, 2, 2, 2, 3},
                                    .bias = true,
                                    .stride = {1, 2, 1},
                                    .padding = {0, 1, 1}},
                                   {.x = {0, 2, 2, 3, 2}, .weight = {2, 2, 2, 2, 3}, .bias = true}});
       },
       [] {
         return std::vector<OpError>{
             {[] {
                conv_transpose3d(ones({1, 1, 2, 2, 2}), ones({1, 1, 2, 2, 2}), {}, {.stride = -1});
              },
              "stride is (-1, -1, -1)"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
