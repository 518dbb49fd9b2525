#include <xgrad/autograd/primitives.hpp>
#include <xgrad/io/module.hpp>

#include "../catch.hpp"
#include "../nn/modules.hpp"
#include "../temporary_directory.hpp"

namespace {

struct Model {
  nn::Sequential body{Affine(2, 3), Norm()};
  Affine head{3, 1, false};
};

}  // namespace

TEST_CASE("save and load: a module comes back, in the tensors it has") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  Model model;
  double value = 0;
  for (const auto& [name, tensor] : nn::state_dict(model)) detail::overwrite(tensor, full_like(tensor, ++value));
  save(model, path);
  CHECK(load_safetensors_metadata(path).at("format") == "pt");

  Model other;
  nn::to(other, float64);
  const Tensor weight = other.head.weight;
  load(other, path);
  CHECK(values(weight) == std::vector<double>{7, 7, 7});
  CHECK(weight.requires_grad());
  CHECK(other.body[1].as<Norm>().num_batches_tracked.item<std::int64_t>() == 6);
}

TEST_CASE("load: a file that does not fit changes nothing, and the error names the file and every key") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  Model model;
  save(nn::Sequential(Affine(2, 3), Affine(1, 1, false)), path);
  CHECK_THROWS_WITH(load(model, path), Catch::Contains("load: " + path) && Catch::Contains("missing: body.0.weight") &&
                                           Catch::Contains("unexpected: 0.weight, 0.bias, 1.weight"));
  CHECK(values(model.head.weight) == std::vector<double>{1, 1, 1});
  CHECK_THROWS_AS(load(model, directory.path("none")), Error);
}

TEST_CASE("load: not strict, it takes what fits") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("model.safetensors");
  save_safetensors(path, {{"head.weight", full({1, 3}, 9)}, {"tail", ones({2})}});
  Model model;
  const auto keys = load(model, path, {.strict = false});
  CHECK(keys.unexpected_keys == Keys{"tail"});
  CHECK(keys.missing_keys.size() == 6);
  CHECK(values(model.head.weight) == std::vector<double>{9, 9, 9});
}
