// A generative adversarial network of Fashion-MNIST (Goodfellow et al., 2014; the layers of Radford et al., 2015): a
// generator makes pictures of noise, a discriminator learns to tell them from the images, and the generator to be taken
// for right. Draws a sheet of samples; while it runs, a page shows how they become.
//   gan [--data DIRECTORY] [--epochs N] [--images N] [--seed N] [--log DIRECTORY] [--threads N]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>
#include <vector>

#include "generative_options.hpp"
#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t latent = 64;

/// Pictures (N, 1, 28, 28) of noise (N, latent).
struct PictureGenerator {
  nn::Linear in{latent, 64 * 7 * 7, {.bias = false}};
  nn::BatchNorm2d bn1{64};
  nn::ConvTranspose2d conv1{64, 32, 4, {.stride = 2, .padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{32};
  nn::ConvTranspose2d conv2{32, 1, 4, {.stride = 2, .padding = 1}};

  Tensor operator()(const Tensor& noise) {
    const Tensor h = relu(bn1(reshape(in(noise), {-1, 64, 7, 7})));
    return sigmoid(conv2(relu(bn2(conv1(h)))));
  }
};

/// Logits (N, 1) of whether pictures are real.
nn::Sequential discriminator_of_pictures() {
  return nn::Sequential{nn::Conv2d(1, 32, 4, {.stride = 2, .padding = 1}),
                        nn::LeakyReLU(0.2),
                        nn::Dropout(0.3),
                        nn::Conv2d(32, 64, 4, {.stride = 2, .padding = 1}),
                        nn::LeakyReLU(0.2),
                        nn::Dropout(0.3),
                        nn::Flatten(),
                        nn::Linear(64 * 7 * 7, 1)};
}

/// How far the mean of samples is from that of the images: neither tells good pictures from bad ones, but it falls
/// while the generator learns where there is something to be seen.
double distance(const Tensor& samples, const Tensor& mean_image) { return norm(mean(samples, 0) - mean_image).item(); }

/// Pictures (N, 1, 28, 28) in rows of `columns`.
void draw_sheet(const std::string& file, const Tensor& pictures, std::int64_t columns) {
  const std::int64_t rows = pictures.size(0) / columns;
  Gnuplot plot(file, 900, 930);
  plot << "set title 'Pictures of noise' font ',14'\n"
          "unset key; unset tics; unset colorbox; unset border; set palette gray negative; set size ratio -1\n"
          "set yrange [*:*] reverse\n";
  plot.define("samples",
              reshape(permute(reshape(pictures, {rows, columns, 28, 28}), {0, 2, 1, 3}), {rows * 28, columns * 28}));
  plot << "plot $samples matrix with image\n";
}

}  // namespace

int main(int argc, char** argv) try {
  GenerativeOptions options{.log = "runs/gan", .epochs = 20};
  CLI::App app("Trains a generative adversarial network on Fashion-MNIST");
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  options.apply();

  const data::Subset images = options.training_images();
  data::DataLoader loader(images, {.batch_size = 64, .shuffle = true, .drop_last = true, .seed = options.seed});
  const Tensor mean_image = mean((*data::DataLoader(images, {.batch_size = 1000}).begin()).x, 0);

  PictureGenerator generator;
  nn::Sequential discriminator = discriminator_of_pictures();
  optim::Adam for_generator(generator, {.lr = 2e-4, .beta1 = 0.5});
  optim::Adam for_discriminator(discriminator, {.lr = 2e-4, .beta1 = 0.5});
  train::SummaryWriter writer(options.log);
  writer.add_hparams({{"lr", for_generator.lr()}, {"latent", latent}, {"epochs", options.epochs}});

  const Tensor noise = randn({100, latent});  // of the pictures that are shown
  const auto samples = [&] {
    const NoGrad no_grad;
    nn::eval(generator);
    const Tensor pictures = generator(noise);
    nn::train(generator);
    return pictures;
  };
  const double before = distance(samples(), mean_image);
  double after = before;
  std::int64_t step = 0;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    for (const auto& [x, y] : progress(loader)) {
      const Tensor real = ones({x.size(0), 1}), made = zeros({x.size(0), 1});
      const Tensor fake = generator(randn({x.size(0), latent}));

      for_discriminator.zero_grad();
      const Tensor told = binary_cross_entropy_with_logits(discriminator(x), real) +
                          binary_cross_entropy_with_logits(discriminator(fake.detach()), made);
      told.backward();
      for_discriminator.step();

      for_generator.zero_grad();
      const Tensor taken = binary_cross_entropy_with_logits(discriminator(fake), real);
      taken.backward();
      for_generator.step();

      if (step % 20 == 0) {
        writer.add_scalar("loss/discriminator", told.item(), step);
        writer.add_scalar("loss/generator", taken.item(), step);
        writer.add_system(step);
      }
      ++step;
    }
    const Tensor pictures = samples();
    after = distance(pictures, mean_image);
    writer.add_scalar("distance of means", after, step);
    writer.add_image("samples", slice(pictures, 0, 0, 64), step);
    writer.flush();
    train::write_run_page({options.log}, options.log + "/run.html");
    std::printf("epoch %2lld: the samples' mean is %.2f from the images'\n", static_cast<long long>(epoch), after);
    std::fflush(stdout);
  }
  std::cout << "page: " << options.log << "/run.html\n";
  draw_sheet("gan_samples.png", samples(), 10);
  return after < before ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "gan: " << error.what() << '\n';
  return 1;
}
