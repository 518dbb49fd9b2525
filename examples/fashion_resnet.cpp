// Trains a residual network of 20 layers on Fashion-MNIST with augmentation; stopped and started again, it goes on
// where it was.
//   fashion_resnet [CHECKPOINT] [--epochs N] [--batch-size N] [--seed N] [--workers N] [--threads N] [--data DIRECTORY]
#include "fashion_images.hpp"
#include "models/resnet.hpp"

using namespace xgrad;

int main(int argc, char** argv) try {
  CLI::App app("Trains a residual network on Fashion-MNIST");
  FashionOptions options{.checkpoint = "fashion_resnet.checkpoint", .epochs = 20};
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  set_num_threads(options.threads);
  manual_seed(options.seed);

  models::SmallResNet net = models::resnet20(1);
  optim::SGD sgd(net, {.lr = 0.1, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true});
  const auto make_schedule = [](optim::Optimizer& optimizer, std::int64_t steps) {
    return std::make_unique<optim::OneCycleLR>(
        optimizer, optim::OneCycleLROptions{.max_lr = 0.1, .total_steps = steps, .cycle_momentum = false});
  };
  train_on_fashion(net, net.conv1.weight, sgd, make_schedule, options, "fashion_resnet");
} catch (const Error& error) {
  std::cerr << "fashion_resnet: " << error.what() << '\n';
  return 1;
}
