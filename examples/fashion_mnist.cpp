// Trains a batch-normalised network with a softmax output on Fashion-MNIST, and says how well it does on each class.
//   fashion_mnist [DIRECTORY] [--epochs N] [--batch-size N] [--lr RATE] [--seed N] [--threads N] [--bfloat16] [--save
//   FILE]
// DIRECTORY holds the four IDX files; by default it is where Debian's dataset-fashion-mnist puts them.
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "confusion.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Linear fc1{784, 256, {.bias = false}};  // batch norm subtracts the mean, so a bias before it would be dead
  nn::BatchNorm1d bn1{256};
  nn::Linear fc2{256, 128, {.bias = false}};
  nn::BatchNorm1d bn2{128};
  nn::Linear out{128, 10};

  Tensor operator()(const Tensor& image) {
    Tensor h = relu(bn1(fc1(flatten(image, 1))));
    h = relu(bn2(fc2(h)));
    return out(h);
  }
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Trains a batch-normalised classifier on Fashion-MNIST");
  std::string directory, file = "fashion_mnist.safetensors";
  std::int64_t epochs = 10, batch_size = 128;
  std::uint64_t seed = 0;
  double lr = 3e-3;
  int threads = num_threads();
  bool in_bfloat16 = false;
  app.add_option("directory", directory, "Where the four IDX files are");
  app.add_option("--epochs", epochs, "Passes over the training images")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-size", batch_size, "Images a step")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--lr", lr, "Learning rate at the start")->capture_default_str();
  app.add_option("--seed", seed, "Of weights and batches")->capture_default_str();
  app.add_option("--threads", threads, "Threads")->capture_default_str();
  app.add_flag("--bfloat16", in_bfloat16, "Products in 16 bits: faster on processors with matrix instructions");
  app.add_option("--save", file, "Where the weights go")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  set_num_threads(threads);
  manual_seed(seed);
  if (directory.empty()) directory = data::fashion_mnist_directory();
  const auto train = data::FashionMNIST(directory, {.train = true});
  const auto test = data::FashionMNIST(directory, {.train = false});

  Net net;
  std::cout << nn::summary(net);
  optim::Adam adam(nn::parameters(net), {.lr = lr});
  optim::CosineAnnealingLR schedule(adam, {.t_max = epochs});

  Confusion on_test{};
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    nn::train(net);
    double loss_sum = 0;
    std::int64_t right = 0;
    for (const auto& [x, y] : progress(data::DataLoader(train, {.batch_size = batch_size, .shuffle = true}))) {
      adam.zero_grad();
      Tensor logits, loss;
      {
        const Autocast autocast(bfloat16, {.enabled = in_bfloat16});
        logits = net(x);
        loss = cross_entropy(logits, y);
      }
      loss.backward();
      adam.step();
      loss_sum += loss.item() * static_cast<double>(y.numel());
      right += sum(argmax(logits.detach(), 1) == y).item<std::int64_t>();
    }
    schedule.step();
    on_test = confusion(net, test);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    const auto images = static_cast<double>(train.size());
    std::printf("epoch %2lld  loss %.4f  train accuracy %.4f  test accuracy %.4f  %.1f s\n",
                static_cast<long long>(epoch), loss_sum / images, static_cast<double>(right) / images,
                accuracy(on_test), time.count());
    std::fflush(stdout);
  }
  print_classes(on_test);
  save(net, file);
  std::cout << "\nweights saved to " << file << '\n';
} catch (const Error& error) {
  std::cerr << "fashion_mnist: " << error.what() << '\n';
  return 1;
}
