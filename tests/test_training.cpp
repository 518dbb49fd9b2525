// Whole trainings: against PyTorch step by step, and bit for bit against themselves.
#include <xgrad/io/safetensors.hpp>
#include <xgrad/xgrad.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "catch.hpp"

using namespace xgrad;

namespace {

struct Net {
  nn::Linear fc1{20, 32, {.bias = false}};
  nn::BatchNorm1d bn1{32};
  nn::Linear fc2{32, 16, {.bias = false}};
  nn::BatchNorm1d bn2{16};
  nn::Linear out{16, 5};

  Tensor operator()(const Tensor& x) {
    Tensor h = relu(bn1(fc1(x)));
    h = relu(bn2(fc2(h)));
    return out(h);
  }
};

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)>;

const std::vector<std::pair<std::string, MakeOptimizer>> optimizers = {
    {"sgd",
     [](auto p) {
       return std::make_unique<optim::SGD>(
           p, optim::SGDOptions{.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true});
     }},
    {"rmsprop",
     [](auto p) {
       return std::make_unique<optim::RMSprop>(p, optim::RMSpropOptions{.lr = 1e-3, .alpha = 0.95, .momentum = 0.5});
     }},
    {"adam",
     [](auto p) {
       return std::make_unique<optim::Adam>(p, optim::AdamOptions{.lr = 3e-3, .beta2 = 0.99, .weight_decay = 1e-4});
     }},
    {"adamw",
     [](auto p) { return std::make_unique<optim::AdamW>(p, optim::AdamWOptions{.lr = 3e-3, .weight_decay = 0.05}); }},
    {"adagrad",
     [](auto p) { return std::make_unique<optim::Adagrad>(p, optim::AdagradOptions{.lr = 0.05, .lr_decay = 1e-3}); }}};

Tensor find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [key, value] : tensors)
    if (key == name) return value;
  FAIL(name << " is missing");
  return {};
}

void check_close(const Tensor& actual, const Tensor& expected, const std::string& what) {
  INFO(what);
  REQUIRE(actual.shape() == expected.shape());
  const Tensor a = actual.detach().to(float64).contiguous(), e = expected.to(float64).contiguous();
  for (std::int64_t i = 0; i < a.numel(); ++i)
    CHECK(std::abs(a.data<double>()[i] - e.data<double>()[i]) <= 1e-9 * std::max(1e-3, std::abs(e.data<double>()[i])));
}

}  // namespace

TEST_CASE("training: 200 steps of each optimizer follow PyTorch's losses and running statistics") {
  const auto reference = load_safetensors(XGRAD_TESTS_DIR "/reference/training.safetensors");
  const Tensor x = find(reference, "x"), y = find(reference, "y");
  for (const auto& [name, make] : optimizers) {
    Net net;
    nn::to(net, float64);
    NamedTensors start;
    for (const auto& [key, value] : reference)
      if (key.starts_with("start.")) start.emplace_back(key.substr(6), value);
    nn::load_state_dict(net, start);
    const auto optimizer = make(nn::parameters(net));
    const Tensor losses = find(reference, name + ".losses");
    for (std::int64_t step = 0; step < losses.numel(); ++step) {
      const std::int64_t first = step * 32 % x.size(0);
      optimizer->zero_grad();
      const Tensor loss = cross_entropy(net(slice(x, 0, first, first + 32)), slice(y, 0, first, first + 32));
      loss.backward();
      optimizer->step();
      INFO(name << ", step " << step);
      REQUIRE(loss.item() == Approx(losses.data<double>()[step]).epsilon(1e-9));
    }
    for (const auto& [key, value] : nn::state_dict(net))
      check_close(value, find(reference, name + "." + key), name + "." + key);
  }
}

TEST_CASE("training: the same seed gives the same bits, with one, two and four threads") {
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(3);
    struct Wide {
      nn::Linear fc1{784, 256, {.bias = false}};
      nn::BatchNorm1d bn1{256};
      nn::Linear fc2{256, 128, {.bias = false}};
      nn::BatchNorm1d bn2{128};
      nn::Dropout dropout{0.1};
      nn::Linear out{128, 10};
      Tensor operator()(const Tensor& image) { return out(dropout(relu(bn2(fc2(relu(bn1(fc1(image)))))))); }
    } net;
    optim::Adam adam(nn::parameters(net), {.lr = 3e-3});
    for (int step = 0; step < 100; ++step) {
      const Tensor x = randn({128, 784}), y = randint(0, 10, {128});
      adam.zero_grad();
      cross_entropy(net(x), y).backward();
      adam.step();
    }
    std::vector<float> weights;
    for (const auto& [name, value] : nn::state_dict(net))
      if (value.dtype() == float32)
        weights.insert(weights.end(), value.data<float>(), value.data<float>() + value.numel());
    return weights;
  };
  const int before = num_threads();
  const auto expected = run(1);
  CHECK((run(1) == expected));
  CHECK((run(2) == expected));
  CHECK((run(4) == expected));
  set_num_threads(before);
}

TEST_CASE("training: batches of none, of one, and smaller than asked for") {
  manual_seed(3);
  Net net;
  const auto loss_of = [&](std::int64_t rows) {
    return cross_entropy(net(randn({rows, 20})), zeros({rows}, {.dtype = int64}), {.reduction = Reduction::sum});
  };
  for (const std::int64_t rows : {0, 1}) {  // fewer values than a variance takes
    CHECK_THROWS_WITH(loss_of(rows),
                      Catch::Contains("batch_norm") && Catch::Contains("(" + std::to_string(rows) + ", 32)"));
    for (const auto& [name, buffer] : nn::state_dict(net))
      if (name.ends_with("running_mean")) CHECK(count_nonzero(buffer).item() == 0);
  }
  nn::eval(net);
  for (const std::int64_t rows : {0, 1, 3}) {
    nn::zero_grad(net);
    const Tensor loss = loss_of(rows);
    loss.backward();
    CHECK((loss.item() == 0) == (rows == 0));
    for (const Tensor& parameter : nn::parameters(net)) {
      REQUIRE(parameter.grad().defined());
      CHECK(all(isfinite(parameter.grad())).item<bool>());
      if (rows == 0) CHECK(count_nonzero(parameter.grad()).item() == 0);
    }
  }
  CHECK(std::isnan(cross_entropy(zeros({0, 5}), zeros({0}, {.dtype = int64})).item()));  // the mean of nothing
}

#if !defined(XGRAD_SANITIZED)  // sanitizers keep what was freed, and touch memory of their own
TEST_CASE("training: once warm, a step touches no page of memory that it did not touch before") {
  const auto faults = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  struct Wide {
    nn::Linear fc1{784, 256};
    nn::BatchNorm1d bn1{256};
    nn::Linear out{256, 10};
  } net;
  optim::Adam adam(nn::parameters(net));
  const Tensor x = randn({64, 784}), y = zeros({64}, {.dtype = int64});
  const auto steps = [&](int n) {
    const auto before = faults();
    for (int i = 0; i < n; ++i) {
      adam.zero_grad();
      cross_entropy(net.out(relu(net.bn1(net.fc1(x)))), y).backward();
      adam.step();
    }
    return faults() - before;
  };
  const auto before = faults();
  CHECK(std::vector<char>(64 << 20).size() > 0);
  CHECK(faults() > before);  // the counter counts
  long least = steps(50);
  for (int attempt = 0; attempt < 3 && least > 0; ++attempt) least = std::min(least, steps(50));
  CHECK(least == 0);
}
#endif
