#include "../../examples/models/mobilenet_v2.hpp"
#include "../../examples/models/resnet.hpp"

#include <xgrad/nn/fold_batch_norm.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

/// In evaluation mode, with statistics and factors such as training leaves.
template <class Net>
Net trained(Net net) {
  const NoGrad no_grad;
  manual_seed(1);
  for (auto [name, tensor] : nn::state_dict(net)) {
    if (name.ends_with("running_mean") || (name.ends_with("bias") && tensor.numel() > 0))
      tensor.copy_(0.3 * randn(tensor.shape()));
    else if (name.ends_with("running_var") || (name.ends_with("weight") && tensor.dim() == 1))
      tensor.copy_(0.5 + rand(tensor.shape()));
  }
  nn::eval(net);
  return net;
}

double largest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item(); }

template <class Conv, class Norm>
void check_pair(Conv conv, Norm norm, const Tensor& x) {
  nn::to(conv, float64);
  nn::to(norm, float64);
  norm = trained(norm);
  const NoGrad no_grad;
  const Tensor expected = norm(conv(x));
  nn::fold_batch_norm(conv, norm);
  CHECK(largest_difference(conv(x), expected) < 1e-13);
  CHECK(largest_difference(norm(conv(x)), conv(x)) == 0);
  CHECK(conv.weight.requires_grad());
  CHECK(conv.bias.requires_grad());
}

struct OutOfOrder {
  nn::Conv2d conv1{2, 3, 1}, conv2{3, 3, 1};
  nn::BatchNorm2d bn1{3}, bn2{3};
  Tensor operator()(const Tensor& x) { return bn2(conv2(bn1(conv1(x)))); }
};

}  // namespace

TEST_CASE("fold_batch_norm: a pair becomes the convolution, and the norm the identity") {
  manual_seed(0);
  const TensorOptions doubles{.dtype = float64};
  const Tensor image = randn({2, 4, 5, 6}, doubles);
  check_pair(nn::Conv2d(4, 6, 3, {.padding = 1, .groups = 2, .bias = false}), nn::BatchNorm2d(6), image);
  check_pair(nn::Conv2d(4, 6, 3), nn::BatchNorm2d(6, {.affine = false}), image);
  check_pair(nn::Conv1d(4, 3, 2), nn::BatchNorm1d(3), randn({2, 4, 5}, doubles));
  check_pair(nn::Conv3d(2, 3, 2), nn::BatchNorm3d(3), randn({2, 2, 3, 3, 3}, doubles));
  check_pair(nn::ConvTranspose2d(4, 6, 3, {.stride = 2, .groups = 2}), nn::BatchNorm2d(6), image);
}

TEST_CASE("fold_batch_norm: a ResNet makes the same logits, and so does a MobileNetV2") {
  const NoGrad no_grad;
  const Tensor x = randn({2, 3, 32, 32});
  models::SmallResNet net = trained(models::resnet20());
  const Tensor logits = net(x);
  CHECK(nn::fold_batch_norm(net, x) == 21);
  CHECK(largest_difference(net(x), logits) <= 2e-5 * amax(abs(logits)).item());
  CHECK(net.layer2[0].downsample->operator[](1).is<nn::Identity>());
  CHECK(nn::fold_batch_norm(net) == 19);  // identities are folded once more, which changes nothing
  CHECK(largest_difference(net(x), logits) <= 2e-5 * amax(abs(logits)).item());

  models::MobileNetV2 mobile = trained(models::mobilenet_v2(7));
  nn::to(mobile, float64);
  const Tensor doubles = x.to(float64), scores = mobile(doubles);
  CHECK(nn::fold_batch_norm<models::InvertedResidual>(mobile, doubles) == 52);
  CHECK(largest_difference(mobile(doubles), scores) <= 1e-12 * amax(abs(scores)).item());
}

TEST_CASE("fold_batch_norm: what cannot be folded is an error, with nothing changed") {
  const NoGrad no_grad;
  const Tensor x = randn({2, 2, 3, 3});
  OutOfOrder net = trained(OutOfOrder());
  const Tensor expected = net(x);
  CHECK_THROWS_WITH(nn::fold_batch_norm(net, x), Catch::Contains("to whose results it is not applied"));
  CHECK(largest_difference(net(x), expected) == 0);
  nn::fold_batch_norm(net.conv1, net.bn1);
  nn::fold_batch_norm(net.conv2, net.bn2);
  CHECK(largest_difference(net(x), expected) < 1e-5);

  nn::Sequential fresh(nn::Conv2d(2, 3, 1), nn::BatchNorm2d(3));
  CHECK_THROWS_WITH(nn::fold_batch_norm(fresh), Catch::StartsWith("fold_batch_norm: a batch norm is in training mode"));
  nn::Conv2d conv(2, 4, 1);
  nn::BatchNorm2d other(3), without(4, {.track_running_stats = false});
  nn::eval(other);
  nn::eval(without);
  CHECK_THROWS_WITH(nn::fold_batch_norm(conv, other), Catch::Contains("3 channels behind a convolution that gives 4"));
  CHECK_THROWS_WITH(nn::fold_batch_norm(conv, without), Catch::Contains("keeps no running statistics"));
  nn::Sequential apart(nn::Conv2d(2, 3, 1), nn::ReLU(), other);
  nn::eval(apart);
  CHECK(nn::fold_batch_norm(apart) == 0);
}
