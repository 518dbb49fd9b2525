// Faults of the graph and the engine that must leave everything as it was.
#include <xgrad/xgrad.hpp>

#include <stdexcept>
#include <thread>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

struct ThrowsForward {
  Tensor forward(const Tensor&) { throw std::runtime_error("forward broke"); }
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct ThrowsBackward {
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return input * 2.0;
  }
  Tensor backward(const Tensor&) const { throw std::runtime_error("backward broke"); }
};
struct WrongShape {
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor&) const { return ones({7}, {.dtype = float64}); }
};
struct WrongCount {
  Tensor forward(const Tensor& x, const Tensor& y) { return x * y; }
  std::vector<Tensor> backward(const Tensor& grad) const { return {grad}; }
};
struct GivesNothing {
  Tensor forward(const Tensor&) { return {}; }
  Tensor backward(const Tensor& grad) const { return grad; }
};

}  // namespace

TEST_CASE("faults: an exception in a custom forward, backward or hook changes no gradient and leaks nothing") {
  Tensor a = full({3}, 2, leaf64), b = full({3}, 3, leaf64);
  sum(a * b).backward();
  const Tensor grad_a = a.grad().clone(), grad_b = b.grad().clone();
  const auto before = memory_stats();
  {
    CHECK_THROWS_WITH(apply(ThrowsForward{}, a), "forward broke");
    Tensor y = sum(apply(ThrowsBackward{}, a) * b);
    CHECK_THROWS_WITH(y.backward(), "backward broke");
    Tensor h = a * b;
    const auto hook = a.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("hook broke"); });
    CHECK_THROWS_WITH(sum(h).backward(), "hook broke");
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
  for (int i = 0; i < 3; ++i) {
    CHECK(a.grad().data<double>()[i] == grad_a.data<double>()[i]);
    CHECK(b.grad().data<double>()[i] == grad_b.data<double>()[i]);
  }
}

TEST_CASE("faults: a custom operation that breaks its contract is named") {
  Tensor x = full({3}, 2, leaf64);
  CHECK_THROWS_WITH(sum(apply(WrongShape{}, x)).backward(), Catch::Contains("WrongShape") && Catch::Contains("(7,)"));
  CHECK_THROWS_WITH(sum(apply(WrongCount{}, x, x)).backward(),
                    Catch::Contains("WrongCount") && Catch::Contains("1 gradients for 2"));
  CHECK_THROWS_WITH(apply(GivesNothing{}, x), Catch::Contains("GivesNothing"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("faults: a change in place after saving is an error, through a view and of a saved output too") {
  Tensor x = full({4}, 2, leaf64);
  SECTION("of the saved tensor") {
    Tensor h = x * 1.0;
    Tensor y = sum(h * h);
    h.mul_(2.0);
    CHECK_THROWS_WITH(y.backward(), Catch::Contains("version 1") && Catch::Contains("saved at 0"));
  }
  SECTION("through a view") {
    Tensor h = x * 1.0;
    Tensor y = sum(h * h);
    {
      const NoGrad no_grad;
      slice(h, 0, 0, 2).fill_(7);
    }
    CHECK_THROWS_WITH(y.backward(), Catch::Contains("version 1") && Catch::Contains("saved at 0"));
  }
  SECTION("of a saved output") {
    Tensor h = exp(x);
    Tensor y = sum(h);
    h.add_(1.0);
    CHECK_THROWS_WITH(sum(h).backward(),
                      Catch::Contains("exp") && Catch::Contains("version 1") && Catch::Contains("saved at 0"));
  }
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("faults: ten thousand steps leave no node and no byte behind") {
  Tensor w = full({8, 8}, 0.1, {.requires_grad = true});
  const Tensor x = ones({4, 8});
  optim::SGD sgd({w}, {.lr = 1e-3, .momentum = 0.9});
  const auto step = [&] {
    sgd.zero_grad();
    mean(square(tanh(matmul(x, w)))).backward();
    sgd.step();
  };
  for (int i = 0; i < 10; ++i) step();
  const auto before = memory_stats();
  for (int i = 0; i < 10000; ++i) step();
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().cached_bytes <= before.cached_bytes + (1 << 20));
}

TEST_CASE("faults: thousands of steps with custom operations, checkpoints and hooks leave nothing behind") {
  struct Logistic {  // saves its own output
    Saved y = {};
    Tensor forward(const Tensor& x) {
      const Tensor out = sigmoid(x);
      y = out;
      return out;
    }
    Tensor backward(const Tensor& grad) const { return grad * y * (1.0 - y); }
  };
  Tensor w = full({8, 8}, 0.1, {.requires_grad = true});
  const auto accumulated = w.register_post_accumulate_grad_hook([w](const Tensor&) { CHECK(w.grad().defined()); });
  const Tensor x = ones({4, 8});
  const auto step = [&](int i) {
    w.zero_grad();
    Tensor h = checkpoint([&](const Tensor& t) { return apply(Logistic{}, matmul(t, w)); }, x);
    const auto hook = h.register_hook([h](const Tensor& g) { return g * h.detach(); });
    h = h * 1.0;
    h.add_(1);
    const Tensor loss = mean(square(h));
    if (i % 3 == 0) loss.backward();
    if (i % 3 == 1) grad(sum(grad(loss, {w}, {.create_graph = true})[0]), {w});
  };
  for (int i = 0; i < 30; ++i) step(i);
  const auto before = memory_stats();
  const std::int64_t nodes = live_nodes();
  for (int i = 0; i < 9000; ++i) step(i);
  step(2);
  CHECK(live_nodes() == nodes);
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("anomaly mode names the operation that made the first non-finite value, and the line that called it") {
  Tensor x = tensor({1, -1}, leaf64);
  const AnomalyMode anomaly;
  const std::string line = "test_faults.cpp:" + std::to_string(__LINE__ + 1);
  const auto broken = [&] { return log(x); };
  CHECK_THROWS_WITH(broken(),
                    Catch::Contains("log: output 0") && Catch::Contains("nan at (1,)") && Catch::Contains(line));
  Tensor zero = zeros({2}, leaf64);
  const std::string forward_line = "test_faults.cpp:" + std::to_string(__LINE__ + 1);
  Tensor y = sqrt(zero);
  CHECK_THROWS_WITH(sum(y).backward(), Catch::Contains("sqrt: backward") && Catch::Contains("inf at (0,)") &&
                                           Catch::Contains(forward_line));
}

TEST_CASE("threads: independent graphs run side by side", "[threads]") {
  std::vector<std::thread> threads;
  std::vector<double> results(8);
  for (std::size_t t = 0; t < results.size(); ++t)
    threads.emplace_back([t, &results] {
      for (int i = 0; i < 50; ++i) {
        Tensor x = full({16, 16}, 0.01 * static_cast<double>(t + 1), leaf64);
        Tensor y = sum(tanh(matmul(x, x)));
        y.backward();
        results[t] = x.grad().data<double>()[0];
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t t = 0; t < results.size(); ++t) {
    Tensor x = full({16, 16}, 0.01 * static_cast<double>(t + 1), leaf64);
    sum(tanh(matmul(x, x))).backward();
    CHECK(results[t] == x.grad().data<double>()[0]);
  }
}

TEST_CASE("threads: concurrent backward passes into one leaf sum up", "[threads]") {
  Tensor w = full({32}, 1, leaf64);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([w] {
      for (int i = 0; i < 100; ++i) sum(w * 2.0).backward();
    });
  for (auto& thread : threads) thread.join();
  CHECK(w.grad().data<double>()[5] == 1600);
}

TEST_CASE("threads: a model shared for inference gives every thread the same", "[threads]") {
  const Tensor w = full({64, 64}, 0.02, {.requires_grad = true}), x = ones({8, 64});
  const Tensor expected = tanh(matmul(x, w)).detach();
  std::vector<int> equal(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      const NoGrad no_grad;
      equal[t] = 1;
      for (int i = 0; i < 50; ++i) equal[t] = equal[t] && all(tanh(matmul(x, w)) == expected).item<bool>();
    });
  for (auto& thread : threads) thread.join();
  for (const int same : equal) CHECK(same == 1);
}
