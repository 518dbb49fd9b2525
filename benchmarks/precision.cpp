// What 16 bits and bytes cost and save: processor time of one thread, medians, by turns with float32.
#include <xgrad/autograd/autocast.hpp>
#include <xgrad/nn/quantize.hpp>
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace xgrad;

namespace {

double milliseconds() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

struct Contestant {
  const char* name;
  std::function<void()> run;
};

/// Prints the time of the first, and of each other one as a part of it.
void compare(const std::string& what, const std::vector<Contestant>& contestants) {
  constexpr int rounds = 15, warm_up = 2;
  std::vector<std::vector<double>> times(contestants.size());
  for (int round = 0; round < rounds + warm_up; ++round)
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      const double begin = milliseconds();
      contestants[i].run();
      if (round >= warm_up) times[i].push_back(milliseconds() - begin);
    }
  const double reference = median(times[0]);
  std::printf("%-34s %s %8.3f ms", what.c_str(), contestants[0].name, reference);
  for (std::size_t i = 1; i < contestants.size(); ++i)
    std::printf("  %s %.2f", contestants[i].name, median(times[i]) / reference);
  std::printf("\n");
}

#if defined(__x86_64__)
/// The most that AMX multiplies: tiles of random numbers, loaded from the first-level cache for every four products.
[[gnu::target("amx-tile,amx-bf16"), gnu::noinline]] void multiply_tiles(const BFloat16* tiles, std::int64_t times) {
  struct alignas(64) Configuration {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static constexpr Configuration configuration;
  _tile_loadconfig(&configuration);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t i = 0; i < times; ++i) {
    const BFloat16* const at = tiles + i % 4 * 2048;
    _tile_loadd(4, at, 64);
    _tile_loadd(5, at + 512, 64);
    _tile_loadd(6, at + 1024, 64);
    _tile_loadd(7, at + 1536, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

void peak_of_tiles() {
  if (simd_level() != SimdLevel::amx) return;
  constexpr std::int64_t times = 100'000, products = 4 * 16 * 16 * 32;
  const Tensor tiles = randn({4, 2048}).to(bfloat16);
  std::vector<double> figures;
  for (int round = 0; round < 15; ++round) {
    const double begin = milliseconds();
    multiply_tiles(tiles.data<BFloat16>(), times);
    figures.push_back(2e-6 * products * times / (milliseconds() - begin));
  }
  const double peak = median(figures);
  std::printf("products of tiles alone: %.0f GF/s; as a part of it", peak);
  for (const std::int64_t size : {512, 1024, 2048}) {
    const Tensor a = randn({size, size}).to(bfloat16), b = randn({size, size}).to(bfloat16);
    const NoGrad no_grad;
    std::vector<double> rates;
    for (int round = 0; round < 15; ++round) {
      const double begin = milliseconds();
      for (int i = 0; i < 4; ++i) matmul(a, b);
      rates.push_back(8e-6 * static_cast<double>(size * size * size) / (milliseconds() - begin));
    }
    std::printf("  %ld^3 %.2f", static_cast<long>(size), median(rates) / peak);
  }
  std::printf("\n");
}
#else
void peak_of_tiles() {}
#endif

void products(std::int64_t rows, std::int64_t in, std::int64_t out) {
  const NoGrad no_grad;
  const nn::Linear fc(in, out), small = nn::quantize(fc);
  nn::Linear brain = nn::clone(fc), half = nn::clone(fc);
  nn::to(brain, bfloat16);
  nn::to(half, float16);
  const Tensor x = randn({rows, in}), of_brain = x.to(bfloat16), of_half = x.to(float16);
  compare("linear " + std::to_string(rows) + " x " + std::to_string(in) + " x " + std::to_string(out),
          {{"float32", [&] { fc(x); }},
           {"bfloat16", [&] { brain(of_brain); }},
           {"float16", [&] { half(of_half); }},
           {"int8", [&] { small(x); }}});
}

/// An operation that reads and writes memory, forward and backward, on `rows` rows of 1024.
void memory_bound(const char* name, std::int64_t rows, const std::function<Tensor(const Tensor&)>& f) {
  std::vector<Contestant> forward, both;
  for (const DType dtype : {float32, bfloat16, float16}) {
    const Tensor x = randn({rows, 1024}).to(dtype);
    forward.push_back({xgrad::name(dtype), [=] {
                         const NoGrad no_grad;
                         f(x);
                       }});
    both.push_back({xgrad::name(dtype), [f, leaf = x.detach().requires_grad_()] {
                      leaf.zero_grad();
                      const Tensor y = f(leaf);
                      y.backward(expand(ones({}, {.dtype = y.dtype()}), y.shape()));
                    }});
  }
  compare(std::string(name) + " " + std::to_string(rows) + " x 1024", forward);
  compare(std::string(name) + " and its gradient", both);
}

void memory() {
  for (const std::int64_t rows : {1024, 16384}) {
    const Tensor y = randint(0, 1024, {rows});
    memory_bound("relu", rows, [](const Tensor& x) { return relu(x); });
    memory_bound("softmax", rows, [](const Tensor& x) { return softmax(x, 1); });
    memory_bound("cross_entropy", rows, [y](const Tensor& x) { return cross_entropy(x, y); });
    memory_bound("layer_norm", rows, [](const Tensor& x) { return layer_norm(x, {1024}); });
    memory_bound("batch_norm", rows, [rows](const Tensor& x) {
      return batch_norm(reshape(x, {rows / 64, 64, 1024}), Tensor(), Tensor(), Tensor(), Tensor(), {.training = true});
    });
    memory_bound("sum over rows", rows, [](const Tensor& x) { return sum(x, 0); });
  }
}

void training_step() {
  nn::Sequential net{nn::Linear(784, 1024), nn::ReLU(), nn::Linear(1024, 1024), nn::ReLU(), nn::Linear(1024, 10)};
  const Tensor x = randn({512, 784}), y = randint(0, 10, {512});
  const auto step = [&](bool cast) {
    nn::zero_grad(net);
    Tensor loss;
    {
      const Autocast autocast(bfloat16, {.enabled = cast});
      loss = cross_entropy(net(x), y);
    }
    loss.backward();
  };
  compare("784-1024-1024-10, batch 512, step",
          {{"float32", [&] { step(false); }}, {"autocast to bfloat16", [&] { step(true); }}});
}

}  // namespace

int main() {
  set_num_threads(1);
  peak_of_tiles();
  for (const auto& [rows, in, out] : {std::array<std::int64_t, 3>{1, 1024, 1024},
                                      {1, 4096, 4096},
                                      {16, 1024, 1024},
                                      {64, 784, 256},
                                      {512, 784, 256},
                                      {512, 1024, 1024},
                                      {1024, 1024, 1024}})
    products(rows, in, out);
  memory();
  training_step();
}
