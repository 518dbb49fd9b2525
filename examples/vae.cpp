// A variational autoencoder of Fashion-MNIST with two latent numbers: draws what it makes of points of the latent
// space, and where the test images lie in it. While it runs, a page shows how it goes on.
//   vae [--data DIRECTORY] [--epochs N] [--images N] [--seed N] [--log DIRECTORY] [--threads N]
#include <xgrad/train/run_page.hpp>
#include <xgrad/train/summary_writer.hpp>
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>
#include <vector>

#include "generative_options.hpp"
#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t pixels = 28 * 28, latent = 2;

struct Vae {
  nn::Sequential encoder{nn::Flatten(), nn::Linear(pixels, 256),   nn::ReLU(), nn::Linear(256, 64),
                         nn::ReLU(),    nn::Linear(64, 2 * latent)};
  nn::Sequential decoder{nn::Linear(latent, 64), nn::ReLU(), nn::Linear(64, 256), nn::ReLU(), nn::Linear(256, pixels)};

  /// Mean and logarithm of the variance of q(z | x), each (N, latent).
  std::pair<Tensor, Tensor> encode(const Tensor& x) const {
    const Tensor both = encoder(x);
    return {slice(both, 1, 0, latent), slice(both, 1, latent, 2 * latent)};
  }
  /// Pictures (N, 1, 28, 28) of points (N, latent).
  Tensor decode(const Tensor& z) const { return reshape(sigmoid(decoder(z)), {-1, 1, 28, 28}); }

  /// The negative of the evidence lower bound, a mean over the images, in nats; and the part of it that is the
  /// Kullback-Leibler divergence of q(z | x) from the normal distribution.
  std::pair<Tensor, Tensor> loss(const Tensor& x) const {
    const auto [mean, log_variance] = encode(x);
    const Tensor z = mean + exp(0.5 * log_variance) * randn_like(mean);  // differentiable by mean and variance
    const auto images = static_cast<double>(x.size(0));
    const Tensor pixel_loss =
        binary_cross_entropy_with_logits(decoder(z), flatten(x, 1), {.reduction = Reduction::sum}) / images;
    const Tensor divergence = -0.5 * sum(1 + log_variance - square(mean) - exp(log_variance)) / images;
    return {pixel_loss + divergence, divergence};
  }
};

double test_loss(const Vae& vae, const data::Dataset& test) {
  const NoGrad no_grad;
  double sum = 0;
  for (const auto& [x, y] : data::DataLoader(test, {.batch_size = 1000}))
    sum += vae.loss(x).first.item() * static_cast<double>(x.size(0));
  return sum / static_cast<double>(test.size());
}

/// A square of points (side^2, 2) from -2.2 to 2.2, upwards.
Tensor plane(std::int64_t side) {
  const Tensor axis = linspace(-2.2, 2.2, side);
  const Tensor across = expand(unsqueeze(axis, 0), {side, side}), up = expand(unsqueeze(-axis, 1), {side, side});
  return stack({flatten(across), flatten(up)}, 1);
}

void draw_samples(const std::string& file, const Vae& vae) {
  constexpr std::int64_t side = 20;
  const NoGrad no_grad;
  const Tensor pictures = reshape(vae.decode(plane(side)), {side, side, 28, 28});
  Gnuplot plot(file, 900, 930);
  plot << "set title 'Pictures of the points of the latent space, from -2.2 to 2.2 both ways' font ',14'\n"
          "unset key; unset tics; unset colorbox; unset border; set palette gray negative; set size ratio -1\n"
          "set yrange [*:*] reverse\n";
  plot.define("samples", reshape(permute(pictures, {0, 2, 1, 3}), {side * 28, side * 28}));
  plot << "plot $samples matrix with image\n";
}

void draw_latent_space(const std::string& file, const Vae& vae, const data::Dataset& test) {
  const NoGrad no_grad;
  std::vector<Tensor> places, classes;
  for (const auto& [x, y] : data::DataLoader(test, {.batch_size = 1000})) {
    places.push_back(vae.encode(x).first);
    classes.push_back(y.to(float32));
  }
  Gnuplot plot(file, 900, 760);
  plot.define("means", cat({cat(places, 0), unsqueeze(cat(classes, 0), 1)}, 1));
  plot << "set title 'Test images in the latent space' font ',14'\n"
          "set xrange [-4:4]; set yrange [-4:4]; set key outside; set size ratio 1; set grid lc rgb '#dddddd'\n"
          "set xlabel 'first'; set ylabel 'second'\nplot ";
  const char* colours[] = {"1f77b4", "ff7f0e", "2ca02c", "d62728", "9467bd",
                           "8c564b", "e377c2", "7f7f7f", "bcbd22", "17becf"};
  for (std::size_t i = 0; i < 10; ++i)
    plot << (i > 0 ? ", " : "") << "$means using ($3==" << static_cast<double>(i)
         << " ? $1 : NaN):2 with points pt 7 ps 0.25 lc rgb '#" << colours[i]
         << "' notitle, NaN with points pt 7 ps 1.2 lc rgb '#" << colours[i] << "' title '"
         << std::string(data::FashionMNIST::classes[i]) << "'";
  plot << "\n";
}

}  // namespace

int main(int argc, char** argv) try {
  GenerativeOptions options{.log = "runs/vae", .epochs = 30};
  CLI::App app("Trains a variational autoencoder on Fashion-MNIST");
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  options.apply();

  const data::Subset images = options.training_images();
  const data::FashionMNIST test(options.directory, {.train = false});
  data::DataLoader loader(images, {.batch_size = 128, .shuffle = true, .drop_last = true, .seed = options.seed});

  Vae vae;
  optim::Adam adam(vae, {.lr = 1e-3});
  optim::CosineAnnealingLR schedule(adam, {.t_max = options.epochs});
  train::SummaryWriter writer(options.log);
  writer.add_hparams({{"lr", adam.lr()}, {"batch_size", 128}, {"latent", latent}, {"epochs", options.epochs}});

  const double before = test_loss(vae, test);
  double after = before;
  std::int64_t step = 0;
  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    for (const auto& [x, y] : progress(loader)) {
      adam.zero_grad();
      const auto [loss, divergence] = vae.loss(x);
      loss.backward();
      if (step % 20 == 0) {
        writer.add_scalar("loss/train", loss.item(), step);
        writer.add_scalar("loss/divergence", divergence.item(), step);
        writer.add_norms(vae, step);
        writer.add_system(step);
      }
      adam.step();
      ++step;
    }
    writer.add_scalar("lr", adam.lr(), step);
    schedule.step();
    after = test_loss(vae, test);
    writer.add_scalar("loss/test", after, step);
    writer.add_histograms(vae, step);
    {
      const NoGrad no_grad;
      writer.add_image("samples", vae.decode(plane(8)), step);
    }
    writer.flush();
    train::write_run_page({options.log}, options.log + "/run.html");
    std::printf("epoch %2lld: %.2f nats an image on the test images\n", static_cast<long long>(epoch), after);
  }
  std::cout << "page: " << options.log << "/run.html\n";
  draw_samples("vae_samples.png", vae);
  draw_latent_space("vae_latent_space.png", vae, test);
  return after < before ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "vae: " << error.what() << '\n';
  return 1;
}
