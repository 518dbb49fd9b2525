#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/fft/short_time.hpp>
#include <xgrad/ops/fft/transforms.hpp>

#include <cmath>
#include <complex>

#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor random(const Shape& shape, DType dtype) {
  Generator generator(11);
  return randn(shape, {.dtype = dtype, .generator = &generator});
}

double largest_difference(const Tensor& a, const Tensor& b) { return amax(abs(a.to(float64) - b.to(float64))).item(); }

/// Element k of the transform of the first row of complex x, as it is defined.
std::complex<double> element(const std::vector<double>& x, std::int64_t n, std::int64_t k) {
  std::complex<double> sum = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const double angle = -2 * M_PI * static_cast<double>(j * k % n) / static_cast<double>(n);
    const auto at = static_cast<std::size_t>(2 * j);
    sum += std::complex<double>(x[at], x[at + 1]) * std::polar(1.0, angle);
  }
  return sum;
}

}  // namespace

TEST_CASE("fft: lengths of every kind, of single lines and of many") {
  // Small factors, a prime, products of primes, powers, and lines that are cut up.
  for (const std::int64_t n : {1, 2, 8, 30, 49, 97, 121, 360, 1009, 1024, 2 * 1013, 3000, 9000})
    for (const std::int64_t lines : {1, 3, 21}) {
      INFO(lines << " lines of " << n);
      const Tensor x = random({lines, n, 2}, float64);
      const Tensor y = fft::fft(x);
      const auto in = x.to_vector<double>();
      const double scale = std::sqrt(static_cast<double>(n));
      for (std::int64_t k = 0; k < n; k += 1 + n / 5) {
        const std::complex<double> expected = element(in, n, k);
        CHECK(std::abs(y.at({0, k, 0}) - expected.real()) < 1e-13 * scale);
        CHECK(std::abs(y.at({0, k, 1}) - expected.imag()) < 1e-13 * scale);
      }
      CHECK(largest_difference(fft::ifft(y), x) < 1e-14);
      const Tensor single = fft::fft(x.to(float32));
      CHECK(largest_difference(single, y) < 2e-6 * scale);
    }
}

TEST_CASE("rfft: is the first half of fft, along every axis, and irfft its inverse") {
  for (const std::int64_t n : {1, 2, 7, 10, 60, 101, 2048, 2500, 4099})
    for (const Shape& shape : {Shape{n}, Shape{2, n, 3}, Shape{n, 20}}) {
      INFO(shape);
      const std::int64_t axis = shape.size() == 3 ? 1 : 0;
      const Tensor x = random(shape, float64);
      Tensor complex = zeros({shape.numel(), 2}, {.dtype = float64});
      for (std::int64_t i = 0; i < shape.numel(); ++i) complex.data<double>()[2 * i] = x.data<double>()[i];
      Shape with_parts = shape;
      with_parts.push_back(2);
      const Tensor whole = fft::fft(from_values<double>(complex.span<const double>(), with_parts), {.axis = axis});
      const Tensor half = fft::rfft(x, {.axis = axis});
      CHECK(half.shape()[static_cast<std::size_t>(axis)] == n / 2 + 1);
      double worst = 0;
      Shape at = Shape::filled(with_parts.size(), 0);
      for (std::int64_t k = 0; k <= n / 2; ++k)
        for (std::int64_t part = 0; part < 2; ++part) {
          at[static_cast<std::size_t>(axis)] = k;
          at[at.size() - 1] = part;
          worst = std::max(worst, std::abs(half.at(at) - whole.at(at)));
        }
      CHECK(worst < 1e-12);
      CHECK(largest_difference(fft::irfft(half, {.n = n, .axis = axis}), x) < 1e-14);
    }
}

TEST_CASE("fft: the same bits for any number of threads", "[threads]") {
  const Tensor x = random({1 << 15}, float32), images = random({40, 60, 2}, float32),
               prime = random({5003, 2}, float32);
  const auto run = [&](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    std::vector<std::vector<float>> results = {fft::rfft(x).to_vector<float>(), fft::fft2(images).to_vector<float>(),
                                               fft::fft(prime).to_vector<float>()};
    set_num_threads(before);
    return results;
  };
  CHECK(run(1) == run(3));
}

TEST_CASE("istft: gives the signal back") {
  const Tensor x = random({3, 200}, float64);
  Tensor window = empty(16, {.dtype = float64});
  for (std::int64_t i = 0; i < 16; ++i) window.data<double>()[i] = std::pow(std::sin(M_PI * (i + 0.5) / 16), 2);
  const Tensor spectra = fft::stft(x, 16, {.hop_length = 4, .window = window});
  const Tensor back = fft::istft(spectra, 16, {.hop_length = 4, .window = window, .length = 200});
  CHECK(largest_difference(back, x) < 1e-14);
}
