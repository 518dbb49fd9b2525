// What a trial costs: microseconds to ask for one, choose its five parameters and tell its value, after so many trials;
// the median of the last thousand. "memory:" or "sqlite:FILE" is where the study is kept; the file must not be there
// yet.
//   benchmark_cost random|tpe STORAGE TRIALS...

#include <xgrad/tune.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <vector>

using namespace xgrad;

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  const bool tpe = std::string_view(argv[1]) == "tpe";
  auto study = tune::Study::open(
      argv[2], "cost", {.sampler = tpe ? tune::AnySampler(tune::TPE{}) : tune::AnySampler(tune::Random{}), .seed = 1});
  std::vector<double> times;
  for (int i = 3; i < argc; ++i) {
    const auto trials = static_cast<std::size_t>(std::atoll(argv[i]));
    while (times.size() < trials) {
      const auto begin = std::chrono::steady_clock::now();
      tune::Trial t = study.ask();
      const double lr = t.suggest_float("lr", 1e-5, 1, tune::log_scale), momentum = t.suggest_float("momentum", 0, 1);
      const auto layers = t.suggest_int("layers", 1, 4), units = t.suggest_int("units", 32, 512, tune::log_scale);
      const auto kind = t.suggest_categorical("activation", {"relu", "tanh", "gelu"});
      study.tell(t, std::abs(lr - 0.01) + std::abs(momentum - 0.9) + std::abs(static_cast<double>(layers) - 2) +
                        static_cast<double>(units) / 512 +
                        (kind == "relu"   ? 0
                         : kind == "tanh" ? 1
                                          : 2));
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    std::vector<double> last(times.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(1000, times.size())),
                             times.end());
    std::nth_element(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2), last.end());
    std::cout << trials << ' ' << last[last.size() / 2] << std::endl;
  }
}
