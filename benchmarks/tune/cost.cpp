// What a trial costs: microseconds to choose five parameters and to take in a value, in memory, after so many trials;
// the median of a hundred trials.
//   benchmark_cost random|tpe TRIALS...

#include <xgrad/tune/tpe.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "search.hpp"

using namespace xgrad::tune;

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  const bool tpe = std::string_view(argv[1]) == "tpe";
  const FloatDistribution lr{1e-5, 1, log_scale}, momentum{0, 1};
  const IntDistribution layers{1, 4}, units{32, 512, log_scale};
  const CategoricalDistribution activation{{std::string("relu"), std::string("tanh"), std::string("gelu")}};
  Search search(tpe ? AnySampler(TPE{}) : AnySampler(Random{}), 1);
  for (int i = 2; i < argc; ++i) {
    const std::int64_t trials = std::atoll(argv[i]);
    std::vector<double> times;
    while (search.history().size() < trials) {
      const auto begin = std::chrono::steady_clock::now();
      search.run([&](Search& t) {
        const double x = t("lr", lr), y = t("momentum", momentum), l = t("layers", layers), u = t("units", units);
        return std::abs(x - 0.01) + std::abs(y - 0.9) + std::abs(l - 2) + u / 512 + t("activation", activation);
      });
      times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    const auto last = times.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(100, times.size()));
    std::nth_element(last, last + (times.end() - last) / 2, times.end());
    std::cout << trials << ' ' << last[(times.end() - last) / 2] << '\n';
  }
}
