#include <xgrad/xgrad.hpp>

#include <cmath>
#include <fstream>

#include "../reference/digests.hpp"

using namespace xgrad;
using reference::numbers;
using reference::shape_of;

namespace {

// By the number of spatial axes, less one.
constexpr Tensor (*conv[])(Operand, Operand, const Tensor&, const ConvOptions&) = {conv1d, conv2d, conv3d};
constexpr Tensor (*conv_transpose[])(Operand, Operand, const Tensor&, const ConvTransposeOptions&) = {
    conv_transpose1d, conv_transpose2d, conv_transpose3d};
constexpr Tensor (*max_pool[])(Operand, const Shape&, const MaxPoolOptions&) = {max_pool1d, max_pool2d, max_pool3d};
constexpr Tensor (*avg_pool[])(Operand, const Shape&, const AvgPoolOptions&) = {avg_pool1d, avg_pool2d, avg_pool3d};
constexpr Tensor (*adaptive_avg_pool[])(Operand, const Shape&) = {adaptive_avg_pool1d, adaptive_avg_pool2d,
                                                                  adaptive_avg_pool3d};
constexpr Tensor (*adaptive_max_pool[])(Operand, const Shape&) = {adaptive_max_pool1d, adaptive_max_pool2d,
                                                                  adaptive_max_pool3d};

Tensor call_operation(const nlohmann::json& call, const std::vector<Tensor>& x) {
  const std::string op = call["op"];
  const std::size_t axes = call["rank"].get<std::size_t>() - 1;
  const Tensor bias = x.size() > 2 ? x[2] : Tensor();
  if (op == "conv") {
    const bool same = call["padding"] == "same";
    const ConvOptions options{.stride = shape_of(call, "stride"),
                              .padding = same ? Padding("same") : Padding(shape_of(call, "padding")),
                              .dilation = shape_of(call, "dilation"),
                              .groups = call["groups"]};
    return conv[axes](x[0], x[1], bias, options);
  }
  if (op == "conv_transpose") {
    const ConvTransposeOptions options{.stride = shape_of(call, "stride"),
                                       .padding = shape_of(call, "padding"),
                                       .output_padding = shape_of(call, "output_padding"),
                                       .groups = call["groups"],
                                       .dilation = shape_of(call, "dilation")};
    return conv_transpose[axes](x[0], x[1], bias, options);
  }
  if (op == "max_pool") {
    const MaxPoolOptions options{.stride = shape_of(call, "stride"),
                                 .padding = shape_of(call, "padding"),
                                 .dilation = shape_of(call, "dilation"),
                                 .ceil_mode = call["ceil_mode"]};
    return max_pool[axes](x[0], shape_of(call, "kernel"), options);
  }
  if (op == "avg_pool") {
    const AvgPoolOptions options{.stride = shape_of(call, "stride"),
                                 .padding = shape_of(call, "padding"),
                                 .ceil_mode = call["ceil_mode"],
                                 .count_include_pad = call["count_include_pad"]};
    return avg_pool[axes](x[0], shape_of(call, "kernel"), options);
  }
  if (op == "adaptive_avg_pool") return adaptive_avg_pool[axes](x[0], shape_of(call, "output_size"));
  REQUIRE(op == "adaptive_max_pool");
  return adaptive_max_pool[axes](x[0], shape_of(call, "output_size"));
}

}  // namespace

TEST_CASE("convolution and pooling agree with PyTorch over a grid of options") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/windows.jsonl");
  int calls = 0;
  for (std::string line; std::getline(file, line); ++calls) {
    const nlohmann::json call = nlohmann::json::parse(line);
    INFO(line.substr(0, line.find("\"results\"")));
    std::vector<Tensor> x{numbers(shape_of(call, "x"), 1)};
    if (call["channels_last"]) x[0] = reference::channels_innermost(x[0]);
    if (call.contains("weight")) x.push_back(numbers(shape_of(call, "weight"), 2));
    if (call.value("bias", false)) {
      const Shape& weight = x[1].shape();
      x.push_back(numbers({call["op"] == "conv" ? weight[0] : weight[1] * call["groups"].get<std::int64_t>()}, 3));
    }
    for (Tensor& input : x) input.requires_grad_();
    reference::check_results(call_operation(call, x), x, call["results"]);
  }
  CHECK(calls == 300);
}

TEST_CASE("convolution and pooling: results are equal, bit for bit, for any number of threads", "[threads]") {
  const int before = num_threads();
  const auto run = [](const Shape& image, const Shape& weight, const ConvOptions& options) {
    const Tensor x = numbers(image, 1).to(float32).requires_grad_(),
                 w = numbers(weight, 2).to(float32).requires_grad_();
    const Tensor y = avg_pool2d(max_pool2d(conv2d(x, w, {}, options), 2), 3, {.stride = 1, .padding = 1});
    const std::vector<Tensor> gradients = grad(y, {x, w}, {.grad_outputs = {numbers(y.shape(), 9).to(float32)}});
    std::vector<std::vector<float>> all{y.to_vector<float>()};
    for (const Tensor& gradient : gradients) all.push_back(gradient.to_vector<float>());
    return all;
  };
  const auto check = [&](const Shape& image, const Shape& weight, const ConvOptions& options) {
    set_num_threads(1);
    const auto one = run(image, weight, options);
    for (const int threads : {2, 4}) {
      set_num_threads(threads);
      CHECK(run(image, weight, options) == one);
    }
  };
  check({8, 3, 33, 31}, {16, 3, 3, 3}, {.padding = 1});
  check({3, 40, 17, 18}, {70, 40, 3, 3}, {.stride = 2, .padding = 1});
  check({9, 48, 20, 20}, {48, 1, 3, 3}, {.padding = 1, .groups = 48});
  check({2, 64, 24, 24}, {96, 64, 1, 1}, {});
  check({2, 64, 12, 12}, {64, 16, 3, 3}, {.padding = "same", .groups = 4});
  set_num_threads(before);
}

TEST_CASE("convolution and pooling: results have their channels innermost in memory, and take them so") {
  const Tensor x = numbers({2, 3, 6, 4}, 1), y = conv2d(x, numbers({5, 3, 3, 3}, 2), {}, {.padding = 1});
  CHECK(y.shape() == Shape{2, 5, 6, 4});
  CHECK(y.strides() == Shape{120, 1, 20, 5});
  CHECK(max_pool2d(y, 2).strides() == Shape{30, 1, 10, 5});
  CHECK(adaptive_avg_pool2d(x, {2, 2}).strides() == Shape{12, 1, 6, 3});
  CHECK(conv_transpose2d(y, numbers({5, 2, 2, 2}, 2), {}, {.stride = 2}).strides() == Shape{192, 1, 16, 2});
}

TEST_CASE("max pooling: NaN wins, and of equal elements the first gets the gradient") {
  const Tensor x = tensor({{1.0, NAN, 3.0, 3.0}}, {.dtype = float64, .requires_grad = true});
  const Tensor y = max_pool1d(x, 2);
  CHECK(std::isnan(y.at({0, 0})));
  CHECK(y.at({0, 1}) == 3);
  y.backward(ones_like(y));
  CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 1, 1, 0});
}

TEST_CASE("max pooling: a window whose taps are all in the padding is -infinity, and has no derivative") {
  const Tensor x = ones({1, 1, 1}, {.dtype = float64, .requires_grad = true});
  const ValuesAndIndices found = max_pool1d_with_indices(x, 2, {.stride = 1, .padding = 1, .dilation = 2});
  CHECK(found.values.to_vector<double>() == std::vector<double>{-INFINITY});
  CHECK(found.indices.item<std::int64_t>() == -1);
  CHECK(grad(sum(found.values), {x})[0].item() == 0);
}

TEST_CASE("lp_pool: the gradient is 0 where all is 0") {
  const Tensor x = zeros({1, 1, 4}, {.dtype = float64, .requires_grad = true});
  const Tensor y = lp_pool1d(x, 2, 2);
  CHECK(y.to_vector<double>() == std::vector<double>{0, 0});
  CHECK(grad(sum(y), {x})[0].to_vector<double>() == std::vector<double>{0, 0, 0, 0});
  CHECK(lp_pool1d(tensor({{-3.0, 1.0}}), INFINITY, 2).item() == 3);
}

TEST_CASE("convolution: float32 and float64 promote") {
  CHECK(conv1d(ones({1, 1, 3}), ones({1, 1, 2}, {.dtype = float64})).dtype() == float64);
  CHECK(conv1d(ones({1, 1, 3}), ones({1, 1, 2}), ones({1}, {.dtype = float64})).dtype() == float64);
}
