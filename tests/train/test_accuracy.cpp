#include <xgrad/xgrad.hpp>

#include <cmath>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

// Scores for class 0 and class 1 of the probability x of class 1.
const auto scores = [](const Tensor& x) { return concat({1.0 - x, x}, 1); };

struct Net {
  nn::Sequential layers{nn::Linear(4, 3), nn::BatchNorm1d(3), nn::Dropout(0.5)};
  std::vector<nn::Dropout> dropouts = std::vector<nn::Dropout>(2);
  bool training = true;
  bool fails = false;
  Tensor operator()(const Tensor& x) {
    CHECK_FALSE(training);
    CHECK_FALSE(dropouts[0].training);
    if (fails) throw std::runtime_error("the model's own");
    dropouts.resize(dropouts.size() + 1, nn::Dropout(0.25));  // where they lie now, they did not before
    return dropouts[0](layers(x));
  }
};

// All that a function that looks at a model could change.
std::vector<double> condition(Net& net) {
  std::vector<double> all{double(net.training),
                          double(net.layers[1].as<nn::BatchNorm1d>().training),
                          double(net.layers[2].as<nn::Dropout>().training),
                          double(net.dropouts[0].training),
                          double(net.dropouts[1].training),
                          double(detail::grad_enabled)};
  for (const auto& [name, tensor] : nn::named_parameters(net)) {
    all.push_back(tensor.requires_grad());
    all.push_back(tensor.grad().defined() ? tensor.grad().data<float>()[0] : -1);
  }
  for (const auto& [name, tensor] : nn::state_dict(net)) all.push_back(tensor.to(float64).data<double>()[0]);
  return all;
}

}  // namespace

TEST_CASE("accuracy: counts right classes, of targets (N,) and (N, 1)") {
  const Tensor x = reshape(tensor({1, 0, 1, 1}), {4, 1}), y = tensor({0, 0, 1, 1}, {.dtype = int64});
  for (const std::int64_t batch_size : {1, 3, 4, 100}) {
    const nn::AccuracyOptions options{.batch_size = batch_size};
    CHECK(nn::accuracy(scores, data::TensorDataset(x, y), options) == 0.75);
    CHECK(nn::accuracy(scores, data::TensorDataset(x, reshape(y, {4, 1})), options) == 0.75);
  }
  CHECK(std::isnan(nn::accuracy(scores, data::TensorDataset(zeros({0, 1}), zeros({0})))));
}

TEST_CASE("accuracy: other shapes are errors") {
  const Tensor x = reshape(tensor({1, 0, 1, 1}), {4, 1});
  const auto identity = [](const Tensor& t) { return t; };
  CHECK_THROWS_WITH(nn::accuracy(scores, data::TensorDataset(x, zeros({4, 2}))),
                    Contains("targets of shape (4, 2) do not go along with scores of shape (4, 2)"));
  CHECK_THROWS_WITH(nn::accuracy(identity, data::TensorDataset(x, zeros({4}))), Contains("scores of shape (4, 1)"));
  CHECK_THROWS_WITH(nn::accuracy(identity, data::TensorDataset(zeros({4}), zeros({4}))),
                    Contains("scores of shape (4,)"));
  CHECK_THROWS_AS(nn::accuracy(scores, data::TensorDataset(x, zeros({4})), {.batch_size = 0}), Error);
  struct Model {
    std::vector<nn::Sequential> layers{nn::Sequential{nn::Linear(1, 2), nn::Linear(3, 2)}};
    Tensor operator()(const Tensor& t) const { return layers[0](t); }
  } model;
  CHECK_THROWS_WITH(nn::accuracy(model, data::TensorDataset(x, zeros({4}))), Catch::EndsWith("; in layers.0.1"));
}

TEST_CASE("what looks at a model gives it back as it was, in each module's own mode, after an exception too") {
  Net net;
  net.layers[2].as<nn::Dropout>().training = false;  // frozen by hand
  net.dropouts[1].training = false;
  auto& linear = net.layers[0].as<nn::Linear>();
  linear.bias.requires_grad_(false);
  linear.weight.set_grad(full_like(linear.weight, 7));
  const data::TensorDataset set(randn({5, 4}), zeros({5}, {.dtype = int64}));
  const auto before = condition(net);

  nn::accuracy(net, set);
  CHECK(condition(net) == before);
  CHECK(net.dropouts.back().training);
  net.fails = true;
  CHECK_THROWS_WITH(nn::accuracy(net, set), "the model's own");
  CHECK(condition(net) == before);
  CHECK_THROWS_AS(nn::accuracy(net, data::TensorDataset(zeros({5, 9}), zeros({5}))), std::exception);
  CHECK(condition(net) == before);

  nn::summary(net);
  nn::clone(net);
  nn::state_dict(net);
  const TemporaryDirectory directory;
  save(net, directory.path("net.safetensors"));
  load(net, directory.path("net.safetensors"));
  CHECK(condition(net) == before);
  const auto loss = [](Net& m) { return mean(square(m.layers[0].as<nn::Linear>().weight)); };
  const Net gradient = value_and_grad(loss, net).second;
  CHECK(condition(net) == before);
  jvp(loss, net, gradient);
  hvp(loss, net, gradient);
  vjp(loss, net).second(ones({}));
  CHECK(condition(net) == before);
  CHECK_THROWS_AS(value_and_grad([](Net&) -> Tensor { throw std::runtime_error("no"); }, net), std::runtime_error);
  CHECK(condition(net) == before);
}
