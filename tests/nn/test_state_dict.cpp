#include <xgrad/core/allocator.hpp>
#include <xgrad/nn/module.hpp>

#include "../catch.hpp"
#include "modules.hpp"

namespace {

struct Model {
  Norm norm;
  Affine fc{2, 3};
};

NamedTensors dictionary(double value) {
  Model model;
  NamedTensors all;
  for (const auto& [name, tensor] : nn::state_dict(model)) all.emplace_back(name, full_like(tensor, value));
  return all;
}

}  // namespace

TEST_CASE("state_dict: parameters before buffers in each module, as in PyTorch, detached") {
  Model model;
  const auto all = nn::state_dict(model);
  CHECK(keys(all) ==
        Keys{"norm.weight", "norm.bias", "norm.running_mean", "norm.num_batches_tracked", "fc.weight", "fc.bias"});
  CHECK_FALSE(all[0].second.requires_grad());
  CHECK(all[0].second.data<float>() == model.norm.weight.data<float>());
}

TEST_CASE("load_state_dict: copies into the tensors that are there, in any order, converting dtypes") {
  Model model;
  auto all = dictionary(5);
  std::reverse(all.begin(), all.end());
  for (auto& [name, tensor] : all) tensor = tensor.to(float64);
  const Tensor weight = model.fc.weight;
  const auto version = weight.version();
  const auto incompatible = nn::load_state_dict(model, all);
  CHECK(incompatible.missing_keys.empty());
  CHECK(incompatible.unexpected_keys.empty());
  CHECK(values(weight) == std::vector<double>(6, 5));
  CHECK(weight.version() > version);
  CHECK(weight.requires_grad());
  CHECK(weight.is_leaf());
  CHECK(weight.dtype() == float32);
  CHECK(model.norm.num_batches_tracked.item<std::int64_t>() == 5);
}

TEST_CASE("load_state_dict: missing, unexpected, repeated and misshaped keys are all listed, and nothing is changed") {
  Model model;
  auto all = dictionary(5);
  all[1].first = "norm.bais";
  all[4].second = ones({3, 3});
  all.emplace_back("extra", ones({1}));
  all.emplace_back("fc.bias", ones({3}));
  all.erase(all.begin());
  CHECK_THROWS_WITH(nn::load_state_dict(model, all),
                    Catch::Contains("missing: norm.weight, norm.bias\n") &&
                        Catch::Contains("unexpected: norm.bais, extra\n") &&
                        Catch::Contains("given twice: fc.bias\n") &&
                        Catch::Contains("of another shape: fc.weight is (3, 2) in the module, (3, 3) in the"));
  CHECK(values(model.norm.running_mean) == std::vector<double>(3, 0));
  CHECK(values(model.fc.bias) == std::vector<double>(3, 2));
}

TEST_CASE("load_state_dict: not strict, it loads what fits and reports the rest; shapes still have to agree") {
  Model model;
  auto all = dictionary(5);
  all.erase(all.begin());
  all.emplace_back("extra", ones({1}));
  const auto incompatible = nn::load_state_dict(model, all, {.strict = false});
  CHECK(incompatible.missing_keys == Keys{"norm.weight"});
  CHECK(incompatible.unexpected_keys == Keys{"extra"});
  CHECK(values(model.norm.weight) == std::vector<double>(3, 1));
  CHECK(values(model.fc.bias) == std::vector<double>(3, 5));

  all[0].second = ones({1, 3});
  CHECK_THROWS_WITH(nn::load_state_dict(model, all, {.strict = false}), Catch::Contains("norm.bias is (3,)"));
}

TEST_CASE("load_state_dict: one of two names for a tensor is enough") {
  Model model;
  model.norm.weight = model.fc.bias;
  auto all = dictionary(5);
  all.erase(all.begin());
  nn::load_state_dict(model, all);
  CHECK(values(model.norm.weight) == std::vector<double>(3, 5));
}

TEST_CASE("load_state_dict: values may lie in the module's own memory") {
  struct Pair {
    Tensor a = full({2}, 1), b = full({2}, 2);
  } pair;
  nn::load_state_dict(pair, {{"a", pair.b}, {"b", pair.a}});
  CHECK(values(pair.a) == std::vector<double>{2, 2});
  CHECK(values(pair.b) == std::vector<double>{1, 1});
}

TEST_CASE("load_state_dict: an undefined value is an error") {
  Model model;
  CHECK_THROWS_WITH(nn::load_state_dict(model, {{"fc.weight", Tensor()}}), Catch::Contains("fc.weight is undefined"));
}
