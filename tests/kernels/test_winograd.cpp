#include <xgrad/core/parallel.hpp>
#include <xgrad/kernels/winograd.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;
using namespace xgrad::detail;

namespace {

using Floats = std::vector<float>;

Floats normal(std::int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> distribution;
  Floats all(static_cast<std::size_t>(count));
  for (float& each : all) each = distribution(engine);
  return all;
}

struct Case {
  std::int64_t images, in, out, height, width, padding;
  ConvolutionSize size() const {
    return {images,
            1,
            in,
            out,
            {1, height, width},
            {1, 3, 3},
            {1, 1, 1},
            {0, padding, padding},
            {1, 1, 1},
            {1, height + 2 * padding - 2, width + 2 * padding - 2}};
  }
};
constexpr Case cases[] = {
    {2, 16, 24, 14, 14, 1}, {2, 16, 40, 17, 12, 0}, {3, 32, 16, 7, 13, 2}, {1, 32, 272, 16, 12, 1}};

/// The largest difference from what is computed in float64, in units of `allowed`(number of the result).
template <class Allowed>
double worst(const Floats& results, const std::vector<double>& exact, const Allowed& allowed) {
  double most = 0;
  for (std::size_t i = 0; i < results.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(results[i]) - exact[i]) / allowed(i));
  return most;
}

double largest(const Floats& x) {
  double most = 0;
  for (const float each : x) most = std::max(most, static_cast<double>(std::abs(each)));
  return most;
}

std::vector<double> widened(const Floats& x) { return {x.begin(), x.end()}; }

constexpr double unit = 0x1p-24;

}  // namespace

TEST_CASE("winograd: convolution, its derivative by the input and by the weight round little") {
  for (const Case& c : cases) {
    const ConvolutionSize size = c.size();
    const std::int64_t places = c.images * size.outputs(), weights = c.out * c.in * 9;
    const Floats x = normal(c.images * c.height * c.width * c.in, 1), w = normal(weights, 2),
                 grad = normal(places * c.out, 3), bias = normal(c.out, 4);
    const Window window = forward_window(size);
    CAPTURE(c.images, c.in, c.out, c.height, c.width, c.padding);
    REQUIRE(suits_winograd(
        {c.images, 1, c.in, c.out, size.input, size.output, size.kernel, window, w.data(), 9, c.in * 9}));
    REQUIRE(suits_winograd_weight_grad(size));

    Floats y(grad.size()), x_grad(x.size()), w_grad(w.size());
    convolution(size, x.data(), w.data(), bias.data(), y.data());
    convolution_input_grad<float>(size, grad.data(), w.data(), nullptr, x_grad.data());
    convolution_weight_grad(size, x.data(), grad.data(), w_grad.data());
    const auto x2 = widened(x), w2 = widened(w), grad2 = widened(grad), bias2 = widened(bias);
    std::vector<double> y2(y.size()), x_grad2(x.size()), w_grad2(w.size());
    convolution(size, x2.data(), w2.data(), bias2.data(), y2.data());
    convolution_input_grad<double>(size, grad2.data(), w2.data(), nullptr, x_grad2.data());
    convolution_weight_grad(size, x2.data(), grad2.data(), w_grad2.data());

    std::vector<double> by_out(static_cast<std::size_t>(c.out)), by_in(static_cast<std::size_t>(c.in)),
        by_grad(static_cast<std::size_t>(c.out));
    for (std::int64_t i = 0; i < weights; ++i) {
      const double size_of = std::abs(w2[static_cast<std::size_t>(i)]);
      by_out[static_cast<std::size_t>(i / 9 / c.in)] += size_of;
      by_in[static_cast<std::size_t>(i / 9 % c.in)] += size_of;
    }
    for (std::size_t i = 0; i < grad2.size(); ++i) by_grad[i % by_grad.size()] += std::abs(grad2[i]);
    CHECK(worst(y, y2, [&](std::size_t i) { return unit * largest(x) * by_out[i % by_out.size()]; }) <= 1);
    CHECK(worst(x_grad, x_grad2, [&](std::size_t i) { return unit * largest(grad) * by_in[i % by_in.size()]; }) <= 1);
    CHECK(worst(w_grad, w_grad2, [&](std::size_t i) {
            return unit * largest(x) * by_grad[i / static_cast<std::size_t>(9 * c.in)];
          }) <= 1);

    const int before = num_threads();
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      Floats again(y.size()), x_again(x.size()), w_again(w.size());
      convolution(size, x.data(), w.data(), bias.data(), again.data());
      convolution_input_grad<float>(size, grad.data(), w.data(), nullptr, x_again.data());
      convolution_weight_grad(size, x.data(), grad.data(), w_again.data());
      CHECK((again == y && x_again == x_grad && w_again == w_grad));
    }
    set_num_threads(before);
  }
}
