// Trains a network of two convolutions on Fashion-MNIST with augmentation; stopped and started again, it goes on where
// it was.
//   fashion_cnn [CHECKPOINT] [--epochs N] [--batch-size N] [--seed N] [--workers N] [--threads N] [--data DIRECTORY]
#include "fashion_images.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Conv2d conv1{1, 32, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{32};
  nn::Conv2d conv2{32, 96, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{96};
  nn::Linear hidden{96 * 7 * 7, 256, {.bias = false}};
  nn::BatchNorm1d bn3{256};
  nn::Dropout dropout{0.25};
  nn::Linear out{256, 10};

  Tensor operator()(const Tensor& image) {  // (N, 1, 28, 28)
    Tensor h = max_pool2d(bn1.relu(conv1(image)), 2);
    h = max_pool2d(bn2.relu(conv2(h)), 2);
    return out(dropout(bn3.relu(hidden(flatten(h, 1)))));
  }
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Trains a convolutional network on Fashion-MNIST");
  FashionOptions options{.checkpoint = "fashion_cnn.checkpoint", .shift = 1, .label_smoothing = 0.05};
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  set_num_threads(options.threads);
  manual_seed(options.seed);

  Net net;
  optim::AdamW adam(net, {.lr = 3e-3, .weight_decay = 1e-2});
  const auto make_schedule = [](optim::Optimizer& optimizer, std::int64_t steps) {
    return std::make_unique<optim::OneCycleLR>(optimizer,
                                               optim::OneCycleLROptions{.max_lr = 3e-3, .total_steps = steps});
  };
  train_on_fashion(net, net.conv1.weight, adam, make_schedule, options, "fashion_cnn");
} catch (const Error& error) {
  std::cerr << "fashion_cnn: " << error.what() << '\n';
  return 1;
}
