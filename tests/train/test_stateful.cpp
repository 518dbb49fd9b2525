#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/node.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/optim/sgd.hpp>
#include <xgrad/train/stateful.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

struct Counter {
  std::int64_t steps = 0;
  NamedTensors state_dict() const { return {{"steps", tensor(steps)}}; }
  void load_state_dict(const NamedTensors& state) { steps = state.at(0).second.item<std::int64_t>(); }
};

}  // namespace

TEST_CASE("stateful: a type of one's own is kept by its state_dict, a module by its fields") {
  Counter counter{7};
  const Stateful of_counter = Stateful::of(counter);
  const NamedTensors kept = of_counter.save();
  counter.steps = 0;
  of_counter.load(kept, false);
  CHECK(counter.steps == 7);

  nn::Linear layer(2, 1);
  const Stateful of_layer = Stateful::of(layer);
  const float before = layer.weight.data<float>()[0];
  NamedTensors weights;
  for (const auto& [name, values] : of_layer.save()) weights.emplace_back(name, values.clone());
  {
    const NoGrad no_grad;
    layer.weight.fill_(before + 1);
  }
  of_layer.load(weights, false);
  CHECK(layer.weight.data<float>()[0] == before);
}

TEST_CASE("stateful: an optimizer keeps its own rate where that is asked for") {
  optim::SGD sgd(std::vector<Tensor>{ones({2}, {.requires_grad = true})}, {.lr = 0.5});
  const Stateful of_sgd = Stateful::of(sgd);
  const NamedTensors kept = of_sgd.save();
  sgd.set_lr(0.25);
  of_sgd.load(kept, true);
  CHECK(sgd.lr() == 0.25);
  of_sgd.load(kept, false);
  CHECK(sgd.lr() == 0.5);
}
