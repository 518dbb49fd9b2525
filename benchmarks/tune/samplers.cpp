// How good a sampler is: for each seed a line with what it found after 25, 50, 100 and 200 trials, as far as TRIALS
// goes. Of one objective that is the best value minus the minimum, of several minus the hypervolume; less is better.
//   benchmark_samplers list
//   benchmark_samplers FUNCTION SAMPLER SEED TRIALS [SEED TRIALS]...
// SAMPLER is auto, gp, tpe, cmaes, nsgaii, random or pipe. By pipe another program is asked: a line "begin" for a new
// trial, a line with the name and the distribution's JSON for a parameter, whose value (a number, or the index of a
// choice) is read as a line, and a line "tell" with the values of the trial; see compare_samplers.py.

#include <xgrad/tune/samplers/automatic.hpp>
#include <xgrad/tune/samplers/cmaes.hpp>
#include <xgrad/tune/samplers/gp.hpp>
#include <xgrad/tune/samplers/nsgaii.hpp>
#include <xgrad/tune/samplers/tpe.hpp>
#include <xgrad/tune/trials/encoding.hpp>
#include <xgrad/tune/trials/hypervolume.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "functions.hpp"

using namespace xgrad::tune;

namespace {

struct Pipe {
  class Asking final : public Sampler {
   public:
    std::map<std::string, std::string> begin(const History&, const TrialRecord&) override {
      std::cout << "begin" << std::endl;
      return {};
    }
    double suggest(const History&, const TrialRecord&, const std::string& name,
                   const Distribution& distribution) override {
      std::cout << name << ' ' << distribution_to_json(distribution) << std::endl;
      double value = 0;
      if (!(std::cin >> value)) throw std::runtime_error("pipe: no value came");
      return value;
    }
  };

  std::unique_ptr<Sampler> make(std::uint64_t) const { return std::make_unique<Asking>(); }
};

AnySampler sampler_named(const std::string& name) {
  if (name == "auto") return Auto{};
  if (name == "gp") return GP{};
  if (name == "tpe") return TPE{};
  if (name == "cmaes") return CMAES{};
  if (name == "nsgaii") return NSGAII{};
  if (name == "random") return Random{};
  if (name == "pipe") return Pipe{};
  throw std::runtime_error("no sampler " + name);
}

void run(const Function& function, const std::string& name, std::uint64_t seed, int trials) {
  Search search(sampler_named(name), seed, function.objectives());
  search.prepare({.trials = trials});
  std::vector<std::vector<double>> values;
  std::vector<double> figures;
  double best = 0;
  for (int n = 1; n <= trials; ++n) {
    const auto value = search.run(function.evaluate);
    if (name == "pipe") {
      std::cout << "tell";
      for (const double each : value) std::cout << ' ' << each;
      std::cout << std::endl;
    }
    best = n == 1 ? value[0] : std::min(best, value[0]);
    values.push_back(value);
    if (n == 25 || n == 50 || n == 100 || n == 200)
      figures.push_back(function.objectives() > 1 ? -hypervolume(values, function.reference) : best - function.minimum);
  }
  std::cout << "found";
  for (const double figure : figures) std::cout << ' ' << figure;
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::cout.precision(17);
  if (arguments == std::vector<std::string>{"list"}) {
    for (const Function& function : functions()) std::cout << function.name << ' ' << function.objectives() << '\n';
    return 0;
  }
  if (arguments.size() < 4 || arguments.size() % 2 != 0) {
    std::cerr << "benchmark_samplers list | FUNCTION SAMPLER SEED TRIALS [SEED TRIALS]...\n";
    return 2;
  }
  for (const Function& function : functions())
    if (function.name == arguments[0])
      for (std::size_t i = 2; i < arguments.size(); i += 2)
        run(function, arguments[1], std::strtoull(arguments[i].c_str(), nullptr, 10),
            std::atoi(arguments[i + 1].c_str()));
}
