#include <xgrad/autograd/primitives.hpp>
#include <xgrad/nn/module.hpp>

#include <algorithm>
#include <deque>
#include <iostream>
#include <map>
#include <sstream>
#include <variant>

#include "../catch.hpp"
#include "modules.hpp"

namespace {

struct Block {
  Affine fc{2, 3};
  Norm norm;
  Gate drop;
};

struct Net {
  std::string title = "net";
  Affine stem{5, 2, false};
  std::vector<Block> blocks = std::vector<Block>(2);
  std::optional<Affine> shortcut;
  std::optional<Affine> head = Affine(3, 1);
  std::array<Affine, 2> pair{Affine(1, 1), Affine(1, 1)};
  Affine array[2] = {{1, 1}, {1, 1, false}};
  std::unique_ptr<Affine> owned = std::make_unique<Affine>(1, 1);
  std::map<std::string, Affine> heads{{"left", {1, 1}}, {"right", {1, 1}}};
  std::tuple<Gate, Affine> mixed{Gate(), Affine(1, 1)};
  std::deque<Tensor> scales{ones({1}, {.requires_grad = true}), ones({1}, {.requires_grad = true})};
  std::vector<std::string> labels{"a"};
  std::vector<double> numbers{1};
  std::array<double, 1000> table{};
  std::variant<int, std::string> variant;
  std::function<Tensor(const Tensor&)> activation;
  const char* text = "text";
  const std::string* pointer = nullptr;
  struct Config {
    std::string name;
    std::vector<std::string> words;
  } config;
  const Config* shared_config = &config;
  std::FILE* file = nullptr;
  struct Incomplete* incomplete = nullptr;
  std::vector<double*> pointers;
  Tensor (*function)(const Tensor&) = nullptr;
  Tensor none;
  Tensor scale = ones({2}, {.requires_grad = true});
};

}  // namespace

TEST_CASE("named_parameters: fields at every depth, under PyTorch's names") {
  const Net net;
  CHECK(keys(nn::named_parameters(net)) == Keys{"scale",
                                                "stem.weight",
                                                "blocks.0.fc.weight",
                                                "blocks.0.fc.bias",
                                                "blocks.0.norm.weight",
                                                "blocks.0.norm.bias",
                                                "blocks.1.fc.weight",
                                                "blocks.1.fc.bias",
                                                "blocks.1.norm.weight",
                                                "blocks.1.norm.bias",
                                                "head.weight",
                                                "head.bias",
                                                "pair.0.weight",
                                                "pair.0.bias",
                                                "pair.1.weight",
                                                "pair.1.bias",
                                                "array.0.weight",
                                                "array.0.bias",
                                                "array.1.weight",
                                                "owned.weight",
                                                "owned.bias",
                                                "heads.left.weight",
                                                "heads.left.bias",
                                                "heads.right.weight",
                                                "heads.right.bias",
                                                "mixed.1.weight",
                                                "mixed.1.bias",
                                                "scales.0",
                                                "scales.1"});
  CHECK(keys(nn::named_buffers(net)) == Keys{"blocks.0.norm.running_mean", "blocks.0.norm.num_batches_tracked",
                                             "blocks.1.norm.running_mean", "blocks.1.norm.num_batches_tracked"});
  CHECK(nn::num_parameters(Block()) == 6 + 3 + 3 + 3);
}

TEST_CASE("parameters: the tensors themselves, not copies") {
  Block block;
  const auto all = nn::parameters(block);
  REQUIRE(all.size() == 4);
  CHECK(&all[0].impl() == &block.fc.weight.impl());
  CHECK(nn::parameters(block.norm).size() == 2);
  CHECK(nn::parameters(std::vector<Block>(3)).size() == 12);
}

TEST_CASE("parameters: a shared tensor is listed once, in state_dict under both names") {
  Block block;
  block.norm.weight = block.fc.bias;
  CHECK(keys(nn::named_parameters(block)) == Keys{"fc.weight", "fc.bias", "norm.bias"});
  CHECK(keys(nn::state_dict(block)) ==
        Keys{"fc.weight", "fc.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.num_batches_tracked"});
}

TEST_CASE("parameters: a tensor that comes from an operation is an error") {
  Block block;
  block.norm.weight = ones({3}, {.requires_grad = true}).clone();
  CHECK_THROWS_WITH(nn::parameters(block), Catch::Contains("norm.weight of shape (3,) in Norm"));
}

TEST_CASE("parameters: local structs and classes with private fields are modules") {
  class Hidden {
   public:
    Hidden() : scale_(ones({2}, {.requires_grad = true})) {}
    auto fields() { return xgrad::fields("scale", scale_); }

   private:
    Tensor scale_;
  };
  struct Local {
    Hidden hidden;
    Affine fc{1, 1};
  };
  CHECK(keys(nn::named_parameters(Local())) == Keys{"hidden.scale", "fc.weight", "fc.bias"});
}

TEST_CASE("train and eval: reach every depth, and nothing but flags of that name") {
  struct Outer {
    bool trained = true;
    std::vector<std::optional<Block>> blocks{Block(), std::nullopt, Block()};
    std::shared_ptr<Block> shared = std::make_shared<Block>();
    nn::Sequential layers{Gate(), nn::Sequential(Gate()), Block().norm};
    bool training = true;
  } net;
  nn::eval(net);
  CHECK_FALSE(net.training);
  CHECK(net.trained);
  CHECK_FALSE(net.blocks[0]->drop.training);
  CHECK_FALSE(net.blocks[2]->norm.training);
  CHECK_FALSE(net.shared->norm.training);
  CHECK_FALSE(net.layers[0].as<Gate>().training);
  CHECK_FALSE(net.layers[1].as<nn::Sequential>()[0].as<Gate>().training);
  CHECK_FALSE(net.layers[2].as<Norm>().training);
  nn::train(net.blocks[2]->drop);
  CHECK(net.blocks[2]->drop.training);
  CHECK_FALSE(net.blocks[2]->norm.training);
  nn::train(net);
  CHECK(net.training);
  CHECK(net.shared->drop.training);
}

TEST_CASE("requires_grad_: freezes and thaws the parameters of layers, not their buffers") {
  Affine fc(2, 3);
  nn::requires_grad_(fc, false);
  CHECK_FALSE(fc.weight.requires_grad());
  CHECK(nn::parameters(fc).size() == 2);
  nn::requires_grad_(fc);
  CHECK(fc.bias.requires_grad());

  Norm norm;
  nn::requires_grad_(norm, true);
  CHECK_FALSE(norm.running_mean.requires_grad());
}

TEST_CASE("zero_grad: removes all gradients") {
  Block block;
  for (const auto& p : nn::parameters(block)) p.set_grad(ones_like(p));
  nn::zero_grad(block);
  for (const auto& p : nn::parameters(block)) CHECK_FALSE(p.grad().defined());
}

TEST_CASE("clone: shares nothing with the original") {
  Block original;
  original.fc.weight.set_grad(ones_like(original.fc.weight));
  nn::requires_grad_(original.norm, false);
  original.drop.training = false;
  Block copy = nn::clone(original);
  for (const auto& [name, tensor] : nn::state_dict(copy)) detail::overwrite(tensor, full_like(tensor, 7));
  CHECK(values(original.fc.weight) == std::vector<double>(6, 1));
  CHECK(values(original.norm.running_mean) == std::vector<double>(3, 0));
  CHECK(values(copy.norm.running_mean) == std::vector<double>(3, 7));
  CHECK(copy.fc.weight.requires_grad());
  CHECK(copy.fc.weight.is_leaf());
  CHECK_FALSE(copy.fc.weight.grad().defined());
  CHECK_FALSE(copy.norm.weight.requires_grad());
  CHECK_FALSE(copy.drop.training);
}

TEST_CASE("clone: what is shared inside stays shared, and with the original no longer") {
  struct Shared {
    std::shared_ptr<Affine> first = std::make_shared<Affine>(1, 1), second = first;
    Affine tied{1, 1};
    std::vector<std::shared_ptr<std::shared_ptr<Affine>>> deep{std::make_shared<std::shared_ptr<Affine>>(first)};
  } original;
  original.tied.weight = original.first->weight;
  Shared copy = nn::clone(original);
  CHECK(copy.first != original.first);
  CHECK(copy.first == copy.second);
  CHECK(*copy.deep[0] == copy.first);
  CHECK(&copy.tied.weight.impl() == &copy.first->weight.impl());
  CHECK(&copy.tied.weight.impl() != &original.tied.weight.impl());
  CHECK(original.first == original.second);
}

namespace {

// What f writes to the standard error stream.
template <class F>
std::string said(const F& f) {
  std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  f();
  std::cerr.rdbuf(before);
  return text.str();
}

}  // namespace

TEST_CASE("parameters: copies that share all their tensors are named once") {
  const std::vector<Affine> copies(3, Affine(2, 2));
  const std::string first = said([&] { CHECK(nn::parameters(copies).size() == 2); });
  CHECK(first ==
        "xgrad: 0 and 1 (Affine) are copies that share their parameters, as copied modules do. Make each anew or with "
        "nn::clone; to share one on purpose, hold it by std::shared_ptr.\n"
        "xgrad: 0 and 2 (Affine) are copies that share their parameters, as copied modules do. Make each anew or with "
        "nn::clone; to share one on purpose, hold it by std::shared_ptr.\n");
  CHECK(said([&] { nn::parameters(copies), nn::summary(copies); }).empty());

  struct Net {
    Block a, b = a;  // named as a whole, not by their parts
    nn::Sequential row;
  } net;
  const Affine thin(1, 1, false);
  net.row.add(thin).add(thin);
  const std::string text = said([&] { nn::summary(net); });
  CHECK_THAT(text, Catch::StartsWith("xgrad: a and b (Block) ") && Catch::Contains("xgrad: row.0 and row.1 (Affine) "));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("parameters: what is shared on purpose is not named") {
  struct Net {
    std::shared_ptr<Affine> first = std::make_shared<Affine>(1, 1), second = first;
    std::vector<std::shared_ptr<Affine>> row{first, first};
    Affine tied{1, 1}, encoder{1, 1, false}, decoder{1, 1, false};
  } net;
  net.tied.weight = net.first->weight;
  net.decoder.weight = net.encoder.weight;
  CHECK(said([&] { nn::parameters(net), nn::summary(net); }).empty());
}

TEST_CASE("copying a module shares its tensors") {
  Block original, copy = original;
  CHECK(&copy.fc.weight.impl() == &original.fc.weight.impl());
}

TEST_CASE("to: converts floating tensors alone") {
  Block block;
  block.norm.weight = block.fc.bias;
  nn::to(block, float64);
  CHECK(block.fc.weight.dtype() == float64);
  CHECK(block.fc.weight.requires_grad());
  CHECK(block.norm.running_mean.dtype() == float64);
  CHECK(block.norm.num_batches_tracked.dtype() == int64);
  CHECK(&block.norm.weight.impl() == &block.fc.bias.impl());
  CHECK_THROWS_WITH(nn::to(block, int64), Catch::Contains("int64"));
}

TEST_CASE("modules: a cycle of shared_ptr is an error") {
  struct Ring {
    Affine fc{1, 1};
    std::shared_ptr<Ring> next;
  };
  auto ring = std::make_shared<Ring>();
  ring->next = ring;
  CHECK_THROWS_WITH(nn::parameters(*ring), Catch::Contains("1000"));
  ring->next.reset();
}

TEST_CASE("summary: a table of modules, aligned, with totals") {
  struct Model {
    Affine stem{784, 256, false};
    std::vector<Block> blocks = std::vector<Block>(1);
    Gate gate;
    Tensor scale = ones({2}, {.requires_grad = true});
  } model;
  nn::requires_grad_(model.blocks[0].fc, false);
  CHECK("\n" + nn::summary(model) == R"(
Model
Module    Type    Parameters                                Count
-----------------------------------------------------------------
          Model   scale (2,)                                    2
stem      Affine  weight (256, 784)                       200,704
blocks    vector
  0       Block
    fc    Affine  weight (3, 2) frozen, bias (3,) frozen        9
    norm  Norm    weight (3,), bias (3,)                        6
    drop  Gate
gate      Gate
-----------------------------------------------------------------
Parameters: 200,721 (200,712 trainable, 9 frozen)
Buffers: 4
Memory: 803 kB
)");
}

TEST_CASE("summary: a shared tensor is counted once") {
  Block block;
  block.norm.weight = block.fc.bias;
  CHECK_THAT(nn::summary(block), Catch::Contains("weight (3,) shared, bias (3,)      3\n"));
  CHECK_THAT(nn::summary(block), Catch::Contains("Parameters: 12\n"));
}
