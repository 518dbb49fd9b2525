// Optimizers and schedules against the trajectories that tests/reference/make_optimizers.py recorded.
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "../catch.hpp"

using namespace xgrad;
using nlohmann::json;

namespace {

const json& reference() {
  static const json all = json::parse(std::ifstream(XGRAD_TESTS_DIR "/reference/optimizers.json"));
  return all;
}

/// Sets the options of these names.
template <class Options>
Options options_of(const json& values) {
  Options options;
  std::size_t found = 0;
  for_each_field(options, [&]<class Field>(std::string_view name, Field& field) {
    const auto value = values.find(std::string(name));
    if (value == values.end()) return;
    ++found;
    if constexpr (optim::is_option<Field>) {
      if constexpr (std::same_as<Field, optim::Option<bool>>)
        field = value->get<bool>();
      else if constexpr (std::same_as<Field, optim::Option<int>>)
        field = value->get<int>();
      else
        field = value->get<double>();
    } else if constexpr (std::same_as<Field, optim::Anneal>) {
      field = *value == "cos" ? optim::Anneal::cos : optim::Anneal::linear;
    } else if constexpr (std::same_as<Field, optim::CyclicMode>) {
      const std::map<std::string, optim::CyclicMode> modes{{"triangular", optim::CyclicMode::triangular},
                                                           {"triangular2", optim::CyclicMode::triangular2},
                                                           {"exp_range", optim::CyclicMode::exp_range}};
      field = modes.at(*value);
    } else if constexpr (std::same_as<Field, optim::PlateauMode>) {
      field = *value == "min" ? optim::PlateauMode::min : optim::PlateauMode::max;
    } else if constexpr (std::same_as<Field, optim::ThresholdMode>) {
      field = *value == "rel" ? optim::ThresholdMode::rel : optim::ThresholdMode::abs;
    } else {
      field = value->get<Field>();
    }
  });
  REQUIRE(found == values.size());
  return options;
}

template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> optimizer_of(const std::vector<Tensor>& parameters, const json& options,
                                               const json& group) {
  const std::vector<Tensor> first{parameters[0]}, rest(parameters.begin() + 1, parameters.end());
  return std::make_unique<Optimizer>(
      std::vector<optim::ParamGroup<Options>>{{first, {}}, {rest, options_of<Options>(group)}},
      options_of<Options>(options));
}

using Make = std::unique_ptr<optim::Optimizer> (*)(const std::vector<Tensor>&, const json&, const json&);
const std::map<std::string, Make> makers{{"SGD", optimizer_of<optim::SGD, optim::SGDOptions>},
                                         {"Adam", optimizer_of<optim::Adam, optim::AdamOptions>},
                                         {"AdamW", optimizer_of<optim::AdamW, optim::AdamWOptions>},
                                         {"RMSprop", optimizer_of<optim::RMSprop, optim::RMSpropOptions>},
                                         {"Adagrad", optimizer_of<optim::Adagrad, optim::AdagradOptions>},
                                         {"Adadelta", optimizer_of<optim::Adadelta, optim::AdadeltaOptions>},
                                         {"Adamax", optimizer_of<optim::Adamax, optim::AdamaxOptions>},
                                         {"NAdam", optimizer_of<optim::NAdam, optim::NAdamOptions>},
                                         {"RAdam", optimizer_of<optim::RAdam, optim::RAdamOptions>},
                                         {"Rprop", optimizer_of<optim::Rprop, optim::RpropOptions>},
                                         {"ASGD", optimizer_of<optim::ASGD, optim::ASGDOptions>},
                                         {"Adafactor", optimizer_of<optim::Adafactor, optim::AdafactorOptions>},
                                         {"LAMB", optimizer_of<optim::LAMB, optim::LAMBOptions>},
                                         {"Lion", optimizer_of<optim::Lion, optim::LionOptions>},
                                         {"Muon", optimizer_of<optim::Muon, optim::MuonOptions>}};

/// The gradients of step t, as the script has them.
void set_gradients(const std::vector<Tensor>& parameters, int t) {
  int i = 0;
  for (const Tensor& parameter : parameters) {
    const Tensor gradient = zeros_like(parameter);
    for (std::int64_t k = 0; k < parameter.numel(); ++k, ++i)
      gradient.data<double>()[k] =
          (0.5 + 0.5 * (i % 4)) * (parameter.data<double>()[k] - 2 * std::sin(2.1 * i)) + 0.3 * std::sin(0.7 * t + i);
    parameter.set_grad(gradient);
  }
}

std::vector<double> elements(const std::vector<Tensor>& parameters) {
  std::vector<double> all;
  for (const Tensor& parameter : parameters)
    all.insert(all.end(), parameter.data<double>(), parameter.data<double>() + parameter.numel());
  return all;
}

double checksum(const std::vector<Tensor>& parameters) {
  const std::vector<double> all = elements(parameters);
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    sum += all[i] * static_cast<double>(i + 1) / static_cast<double>(all.size());
  return sum;
}

bool near(double actual, double expected) {
  return std::abs(actual - expected) <= 1e-10 * std::max(1.0, std::abs(expected));
}

}  // namespace

TEST_CASE(
    "optim: 300 steps of each optimizer with 50 settings, by groups and resumed in between, follow PyTorch or the "
    "paper") {
  std::map<std::string, int> runs;
  const auto checked = reference()["checked"].get<std::vector<int>>();
  for (const json& run : reference()["trajectories"]) {
    const std::string name = run["optimizer"];
    CAPTURE(name, run["options"].dump(), run["group"].dump());
    ++runs[name];
    std::vector<Tensor> parameters;
    int i = 0;
    for (const auto& shape : run["shapes"]) {
      const std::vector<std::int64_t> sizes = shape;
      parameters.push_back(zeros(sizes, {.dtype = float64, .requires_grad = true}));
      for (std::int64_t k = 0; k < parameters.back().numel(); ++k)
        parameters.back().data<double>()[k] = std::cos(1.3 * i++);
    }
    const auto make = [&] { return makers.at(name)(parameters, run["options"], run["group"]); };
    auto optimizer = make();
    std::size_t at = 0;
    for (int t = 1; t <= checked.back(); ++t) {
      if (t == 7 || t == 150) {
        auto resumed = make();
        resumed->load_state_dict(optimizer->state_dict());
        optimizer = std::move(resumed);
      }
      set_gradients(parameters, t);
      optimizer->step();
      if (t != checked[at]) continue;
      INFO("step " << t << ", checksum " << checksum(parameters) << ", expected " << run["checksums"][at]);
      REQUIRE(near(checksum(parameters), run["checksums"][at]));
      ++at;
    }
    const std::vector<double> end = elements(parameters);
    REQUIRE(end.size() == run["end"].size());
    for (std::size_t k = 0; k < end.size(); ++k) REQUIRE(near(end[k], run["end"][k]));
  }
  CHECK(runs.size() == makers.size());
  for (const auto& [name, count] : runs) CHECK(count == 50);
}

namespace {

template <class S, class Options>
std::unique_ptr<optim::LRScheduler> schedule_of(optim::Optimizer& optimizer, const json& options) {
  return std::make_unique<S>(optimizer, options_of<Options>(options));
}

using MakeSchedule = std::unique_ptr<optim::LRScheduler> (*)(optim::Optimizer&, const json&);
const std::map<std::string, MakeSchedule> schedule_makers{
    {"StepLR", schedule_of<optim::StepLR, optim::StepLROptions>},
    {"MultiStepLR", schedule_of<optim::MultiStepLR, optim::MultiStepLROptions>},
    {"ExponentialLR", schedule_of<optim::ExponentialLR, optim::ExponentialLROptions>},
    {"LinearLR", schedule_of<optim::LinearLR, optim::LinearLROptions>},
    {"PolynomialLR", schedule_of<optim::PolynomialLR, optim::PolynomialLROptions>},
    {"CosineAnnealingLR", schedule_of<optim::CosineAnnealingLR, optim::CosineAnnealingLROptions>},
    {"CosineAnnealingWarmRestarts",
     schedule_of<optim::CosineAnnealingWarmRestarts, optim::CosineAnnealingWarmRestartsOptions>},
    {"OneCycleLR", schedule_of<optim::OneCycleLR, optim::OneCycleLROptions>},
    {"CyclicLR", schedule_of<optim::CyclicLR, optim::CyclicLROptions>},
    {"ReduceLROnPlateau", schedule_of<optim::ReduceLROnPlateau, optim::ReduceLROnPlateauOptions>}};

/// An optimizer of two groups, and what its rates are.
struct TwoGroups {
  explicit TwoGroups(bool is_adam) {
    const auto parameter = [] { return std::vector<Tensor>{zeros({2}, {.dtype = float64, .requires_grad = true})}; };
    if (is_adam)
      adam.emplace(std::vector<optim::ParamGroup<optim::AdamOptions>>{{parameter()}, {parameter(), {.lr = 0.05}}},
                   optim::AdamOptions{.lr = 0.2});
    else
      sgd.emplace(std::vector<optim::ParamGroup<optim::SGDOptions>>{{parameter()}, {parameter(), {.lr = 0.05}}},
                  optim::SGDOptions{.lr = 0.2, .momentum = 0.9});
  }
  optim::Optimizer& get() { return adam ? static_cast<optim::Optimizer&>(*adam) : *sgd; }
  double momentum() const { return adam ? adam->options(1).beta1 : sgd->options(1).momentum; }

  std::optional<optim::Adam> adam;
  std::optional<optim::SGD> sgd;
};

}  // namespace

TEST_CASE(
    "optim: 1,000 epochs of each schedule with 50 settings, of two groups, and resumed in between, follow PyTorch") {
  const auto epochs = reference()["epochs"].get<std::vector<int>>();
  std::map<std::string, int> runs;
  for (const json& run : reference()["schedules"]) {
    const std::string name = run["schedule"];
    constexpr int stops[] = {3, 30, 100, 600};
    CAPTURE(name, run["options"].dump());
    for (const int stop : {-1, stops[runs[name]++ % 4]}) {
      TwoGroups first(run["adam"]), second(run["adam"]);
      TwoGroups* optimizer = &first;
      auto schedule = schedule_makers.at(name)(optimizer->get(), run["options"]);
      std::size_t at = 0;
      for (int epoch = 0; epoch <= epochs.back(); ++epoch) {
        if (epoch == stop) {
          second.get().load_state_dict(first.get().state_dict());
          auto resumed = schedule_makers.at(name)(second.get(), run["options"]);
          resumed->load_state_dict(schedule->state_dict());
          schedule = std::move(resumed);
          optimizer = &second;
        }
        if (epoch == epochs[at]) {
          CAPTURE(stop, epoch);
          const json& rates = run["rates"][at++];
          REQUIRE(near(optimizer->get().lr(0), rates[0]));
          REQUIRE(near(optimizer->get().lr(1), rates[1]));
          REQUIRE(near(optimizer->momentum(), rates[2]));
        }
        if (auto* plateau = dynamic_cast<optim::ReduceLROnPlateau*>(schedule.get()))
          plateau->step(std::exp(-epoch / 150.0) + 0.02 * std::sin(epoch));
        else
          schedule->step();
      }
    }
  }
  CHECK(runs.size() == schedule_makers.size());
  for (const auto& [name, count] : runs) CHECK(count == 50);
}
