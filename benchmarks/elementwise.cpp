// x * sigmoid(x) + 0.5 * tanh(x) on 4M floats, forward and backward: as a lambda, as a kernel written by hand, as
// operations of xgrad, and, where libtorch was found, as operations of libtorch. All in one process, by turns.
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#ifdef XGRAD_WITH_TORCH
#include <torch/torch.h>
#endif

namespace {

using namespace xgrad;

constexpr std::int64_t n = 4 << 20;

struct Contestant {
  std::string name;
  std::function<void()> run;
  std::vector<double> milliseconds = {};
};

/// The lambda's value and derivative written out on numbers, memory reused.
class ByHand {
 public:
  ByHand(const float* x, const float* upstream) : x_(x), upstream_(upstream) {}
  void operator()() {
    parallel_for(n, 16384, [&](std::int64_t begin, std::int64_t end) {
      vectorized([begin, end, x = x_, y = y_.data<float>(), slope = slope_.data<float>()] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = begin; i < end; ++i) {
          const float s = elementary::sigmoid(x[i]), t = elementary::tanh(x[i]);
          y[i] = x[i] * s + 0.5f * t;
          slope[i] = s + x[i] * (s * (1 - s)) + 0.5f * (1 - t * t);
        }
      });
    });
    parallel_for(n, 16384, [&](std::int64_t begin, std::int64_t end) {
      vectorized([begin, end, g = upstream_, slope = slope_.data<float>(), out = gradient_.data<float>()] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = begin; i < end; ++i) out[i] = g[i] * slope[i];
      });
    });
  }

 private:
  const float *x_, *upstream_;
  Tensor y_ = empty({n}), slope_ = empty({n}), gradient_ = empty({n});
};

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

}  // namespace

int main() {
  const Tensor x = randn({n}, {.requires_grad = true}), upstream = randn({n});
  const auto backward = [&](const Tensor& y) { grad(y, {x}, {.grad_outputs = {upstream}}); };
  constexpr auto formula = elementwise("formula", [](auto v) { return v * sigmoid(v) + 0.5 * tanh(v); });
  std::vector<Contestant> contestants = {
      {"elementwise lambda", [&] { backward(formula(x)); }},
      {"written by hand", ByHand(x.data<float>(), upstream.data<float>())},
      {"xgrad operations", [&] { backward(x * sigmoid(x) + 0.5 * tanh(x)); }},
  };
#ifdef XGRAD_WITH_TORCH
  torch::Tensor tx = torch::randn({n}, torch::requires_grad()), tg = torch::randn({n});
  contestants.push_back({"libtorch operations", [&] {
                           torch::autograd::grad({tx * torch::sigmoid(tx) + 0.5 * torch::tanh(tx)}, {tx}, {tg});
                         }});
#endif
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
#ifdef XGRAD_WITH_TORCH
    torch::set_num_threads(threads);
#endif
    for (Contestant& each : contestants) each.milliseconds.clear();
    for (int round = 0; round < 33; ++round)
      for (Contestant& each : contestants) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // OpenMP's threads spin for some 20 ms
        each.run();
        const auto start = std::chrono::steady_clock::now();
        each.run();
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        if (round >= 3) each.milliseconds.push_back(time.count());
      }
    std::printf("%d thread%s: milliseconds, median and least of 30\n", threads, threads == 1 ? "" : "s");
    for (const Contestant& each : contestants) {
      const auto& times = each.milliseconds;
      std::printf("  %-20s %7.2f %7.2f\n", each.name.c_str(), median(times),
                  *std::min_element(times.begin(), times.end()));
    }
  }
}
