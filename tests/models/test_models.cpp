#include "../../examples/models/lenet.hpp"
#include "../../examples/models/mobilenet_v2.hpp"
#include "../../examples/models/resnet.hpp"
#include "../../examples/models/unet.hpp"
#include "../../examples/models/vgg.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

const nlohmann::json& reference() {
  static const nlohmann::json data = [] {
    std::ifstream file(XGRAD_TESTS_DIR "/reference/vision_models.json");
    REQUIRE(file);
    return nlohmann::json::parse(file);
  }();
  return data;
}

/// In [-1, 1): `numbers` of make_vision_models.py.
Tensor numbers(std::uint32_t stream, const Shape& shape, DType dtype = float32) {
  Tensor values = empty(shape, {.dtype = float64});
  for (std::uint32_t i = 0; i < values.numel(); ++i) {
    std::uint32_t h = i * 2654435761u + stream * 2246822519u;
    h = (h ^ (h >> 15)) * 739982445u;
    h = (h ^ (h >> 12)) * 695872825u;
    h ^= h >> 15;
    values.data<double>()[i] = static_cast<double>(h >> 8) * 0x1p-23 - 1;
  }
  return values.to(dtype);
}

void fill(const NamedTensors& state) {
  const NoGrad no_grad;
  std::uint32_t stream = 0;
  for (auto [name, tensor] : state) {
    const std::uint32_t own = stream++;
    if (name.ends_with("num_batches_tracked")) continue;
    Tensor values = numbers(own, tensor.shape(), float64);
    if (tensor.dim() > 1)
      values = values * std::sqrt(6.0 * static_cast<double>(tensor.size(0)) / static_cast<double>(tensor.numel()));
    else if (name.ends_with("running_var") || name.ends_with("weight"))
      values = 1 + 0.25 * values;
    else
      values = 0.1 * values;
    tensor.copy_(values);
  }
}

void check_names(const NamedTensors& state, const char* model) {
  const auto& expected = reference()["names"][model];
  REQUIRE(state.size() == expected.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    CHECK(state[i].first == expected[i][0]);
    CHECK(state[i].second.shape() == Shape(expected[i][1].get<std::vector<std::int64_t>>()));
  }
}

double norm_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

/// ||a - b|| / ||b||
double distance(const Tensor& actual, const nlohmann::json& expected) {
  const auto right = expected.get<std::vector<double>>();
  std::vector<double> difference = actual.to_vector<double>();
  REQUIRE(difference.size() == right.size());
  for (std::size_t i = 0; i < right.size(); ++i) difference[i] -= right[i];
  return norm_of(difference) / norm_of(right);
}

/// Whether norm and product with a direction are those recorded, relative to the norm, or to 1 where that is less: a
/// bias before a batch norm has a gradient of 0, but for rounding.
void check_digest(const Tensor& actual, const nlohmann::json& expected, double tolerance) {
  const auto values = actual.to_vector<double>();
  const auto direction = numbers(1000, actual.numel(), float64).to_vector<double>();
  double product = 0;
  for (std::size_t i = 0; i < values.size(); ++i) product += values[i] * direction[i];
  const double norm = expected[0];
  const double scale = std::max(norm, 1.0);
  CHECK(std::abs(norm_of(values) - norm) <= tolerance * scale);
  CHECK(std::abs(product - expected[1].get<double>()) <= tolerance * scale);
}

/// `logits` and `gradients` are relative tolerances.
template <class Net>
void check_run(Net net, const char* model, DType dtype, double logits, double gradients) {
  CAPTURE(dtype);
  const auto& expected = reference()["runs"][model];
  nn::to(net, dtype);
  fill(nn::state_dict(net));
  const Tensor x = numbers(2000, {4, 3, 64, 64}, dtype);
  nn::eval(net);
  CHECK(distance(net(x), expected["evaluation"]) < logits);
  nn::train(net);
  const Tensor y = net(x);
  CHECK(distance(y, expected["training"]) < logits);
  sum(y * numbers(3000, y.shape(), dtype)).backward();
  for (const auto& [name, parameter] : nn::named_parameters(net)) {
    CAPTURE(name);
    check_digest(parameter.grad(), expected["gradients"][name], gradients);
  }
  const NamedTensors state = nn::state_dict(net);
  for (const auto& [name, digest] : expected["buffers"].items()) {
    CAPTURE(name);
    check_digest(state[name].to(float64), digest, logits);
  }
}

}  // namespace

TEST_CASE("models: names and shapes are torchvision's") {
  check_names(nn::state_dict(models::resnet18()), "resnet18");
  check_names(nn::state_dict(models::resnet34()), "resnet34");
  check_names(nn::state_dict(models::resnet50()), "resnet50");
  check_names(nn::state_dict(models::mobilenet_v2()), "mobilenet_v2");
  check_names(nn::state_dict(models::vgg11_bn()), "vgg11_bn");
}

TEST_CASE("models: ResNet-18 gives PyTorch's logits, gradients and running statistics") {
  check_run(models::resnet18(7), "resnet18", float32, 1e-4, 1e-3);
  check_run(models::resnet18(7), "resnet18", float64, 1e-10, 1e-9);
}

TEST_CASE("models: MobileNetV2 gives PyTorch's logits, gradients and running statistics") {
  auto net = models::mobilenet_v2(7);
  net.classifier[0].as<nn::Dropout>().p = 0;
  // PyTorch's own gradients in float32 are 3 % off those in float64.
  check_run(std::move(net), "mobilenet_v2", float64, 1e-10, 1e-8);
}

TEST_CASE("models: shapes of results") {
  const NoGrad no_grad;
  CHECK(models::LeNet()(numbers(0, {2, 1, 28, 28})).shape() == Shape{2, 10});
  CHECK(models::resnet20(1)(numbers(0, {2, 1, 28, 28})).shape() == Shape{2, 10});
  CHECK(models::UNet::make(3, 2, 8, 2)(numbers(0, {2, 3, 16, 24})).shape() == Shape{2, 2, 16, 24});
  auto resnet50 = models::resnet50(5);
  CHECK(resnet50(numbers(0, {2, 3, 32, 32})).shape() == Shape{2, 5});
}
