#include "sampler.hpp"

#include "../trials/draws.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune {
namespace {

class RandomSampler final : public Sampler {
 public:
  explicit RandomSampler(std::uint64_t seed) : seed_(seed) {}

  double suggest(const History&, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    return unwarp(distribution, Draws(seed_, trial.number, name).uniform());
  }

 private:
  std::uint64_t seed_;
};

}  // namespace

void Sampler::prepare(const SearchPlan&) {}

std::map<std::string, std::string> Sampler::begin(const History&, const TrialRecord&) { return {}; }

std::unique_ptr<Sampler> Random::make(std::uint64_t seed) const { return std::make_unique<RandomSampler>(seed); }

}  // namespace xgrad::tune
