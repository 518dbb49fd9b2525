// How long nodes, gradients and hooks live, and what ends them early.
#include <xgrad/xgrad.hpp>

#include <cstdlib>
#include <new>
#include <thread>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

bool equal(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && all(a == b).item<bool>(); }
Tensor values(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = float64}); }

}  // namespace

TEST_CASE("lifetime: gradients that were recorded go with the last handle of their tensor") {
  const auto nodes = live_nodes();
  const auto memory = memory_stats();
  SECTION("of one leaf") {
    for (int i = 0; i < 10; ++i) {
      Tensor x = ones({100}, leaf64);
      sum(square(x)).backward({}, {.create_graph = true});
      sum(square(x.grad())).backward({}, {.create_graph = true});  // 2 x + 8 x
      CHECK(equal(x.grad(), x.detach() * 10.0));
      const Tensor copy = x;  // another handle
      CHECK(copy.grad().requires_grad());
    }
  }
  SECTION("of leaves that keep each other") {
    Tensor x = ones({3}, leaf64), y = ones({3}, leaf64);
    sum(x * y * exp(x)).backward({}, {.create_graph = true});
    x = Tensor();
    CHECK(y.grad().requires_grad());
  }
  SECTION("of a module, with gradients accumulated") {
    auto net = nn::Sequential(nn::Linear(3, 4), nn::Tanh(), nn::LayerNorm(4), nn::Linear(4, 1));
    for (int i = 0; i < 3; ++i) mean(square(net(ones({2, 3})))).backward({}, {.create_graph = true});
    CHECK(nn::parameters(net)[0].grad().requires_grad());
  }
  SECTION("kept of a tensor that is no leaf") {
    Tensor x = ones({3}, leaf64), y = exp(x);
    y.retain_grad();
    sum(y * y * y).backward({}, {.create_graph = true});
    CHECK(y.grad().requires_grad());
  }
  SECTION("that were set") {
    Tensor x = ones({3}, leaf64);
    x.set_grad(grad(sum(exp(x)), {x}, {.create_graph = true})[0]);
  }
  SECTION("where only the graph has the leaf yet") {
    Tensor loss;
    {
      Tensor x = ones({3}, leaf64);
      loss = sum(exp(x));
    }
    loss.backward({}, {.create_graph = true});
  }
  SECTION("of a leaf that is frozen") {
    Tensor x = ones({3}, leaf64);
    sum(exp(x)).backward({}, {.create_graph = true});
    x.requires_grad_(false);
  }
  SECTION("let go of by several threads at once") {
    for (int i = 0; i < 200; ++i) {
      Tensor x = ones({3}, leaf64);
      sum(exp(x)).backward({}, {.create_graph = true});
      std::thread a([copy = x]() mutable { copy = Tensor(); }), b([copy = x]() mutable { copy = Tensor(); });
      x = Tensor();
      a.join(), b.join();
    }
  }
  CHECK(live_nodes() == nodes);
  CHECK(memory_stats().live_bytes == memory.live_bytes);
  CHECK(memory_stats().live_blocks == memory.live_blocks);
}

TEST_CASE("lifetime: a recorded gradient stays as long as anyone can ask for it") {
  Tensor x = full({2}, 3, leaf64), copy, gradient;
  sum(x * x * x).backward({}, {.create_graph = true});
  copy = x;
  x = Tensor();
  REQUIRE(copy.grad().defined());
  gradient = copy.grad();
  CHECK(equal(grad(sum(gradient), {copy})[0], values({18, 18})));
  const Tensor again = grad(sum(square(copy)), {copy}, {.create_graph = true})[0];
  copy = Tensor();
  CHECK(equal(gradient, values({27, 27})));
  sum(again).backward();  // into a leaf that no one has any more
}

TEST_CASE("lifetime: retain_grad keeps the gradient of what the tensor became in place") {
  Tensor x = values({3}).requires_grad_();
  SECTION("once") {
    Tensor y = x * 2.0;
    y.retain_grad();
    y.mul_(5.0);
    sum(y).backward();
    CHECK(equal(y.grad(), values({1})));
  }
  SECTION("several times, saved in between") {
    Tensor y = x * 2.0;
    y.retain_grad();
    y.mul_(5.0);
    y.add_(x);
    const Tensor z = y * 1.0;
    y.mul_(3.0);
    sum(y + z).backward({}, {.retain_graph = true});
    CHECK(equal(y.grad(), values({1})));
    sum(y * 2.0).backward();
    CHECK(equal(y.grad(), values({3})));
  }
  SECTION("an output that was saved") {
    Tensor y = exp(x), w = ones({1}, leaf64);
    const Tensor used = y * w;
    y.retain_grad();
    y.copy_(x * 4.0);
    sum(y * 7.0).backward();
    CHECK(equal(y.grad(), values({7})));
    CHECK(equal(x.grad(), values({28})));
  }
  SECTION("asked for after the change only") {
    Tensor y = x * 2.0;
    y.mul_(5.0);
    y.retain_grad();
    sum(y * 2.0).backward();
    CHECK(equal(y.grad(), values({2})));
  }
  SECTION("of one output of several") {
    auto parts = split(concat({x * 2.0, x * 3.0}), 1);
    Tensor y = parts[1].clone();
    y.retain_grad();
    parts[0].retain_grad();
    y.mul_(2.0);
    sum(y * 2.0 + parts[0] * 3.0).backward();
    CHECK(equal(y.grad(), values({2})));
    CHECK(equal(parts[0].grad(), values({3})));
  }
  SECTION("and it is no one else's memory") {
    Tensor y = x * 2.0, z = x * 3.0;
    y.retain_grad(), z.retain_grad();
    sum(y + z).backward();
    y.grad().mul_(100.0);
    CHECK(equal(z.grad(), values({1})));
    CHECK(equal(x.grad(), values({5})));
  }
}

TEST_CASE("lifetime: a gradient and hooks outlive freezing") {
  Tensor x = values({3}).requires_grad_();
  int calls = 0;
  const auto hook = x.register_hook([&](const Tensor&) { return ++calls, Tensor(); });
  Tensor before = sum(x * 2.0);
  before.backward({}, {.retain_graph = true});
  x.requires_grad_(false);
  CHECK_FALSE(x.requires_grad());
  CHECK_FALSE((x * 2.0).requires_grad());
  CHECK(equal(x.grad(), values({2})));
  before.backward({}, {.retain_graph = true});  // a graph from before: nothing is added while frozen, as in PyTorch
  CHECK(equal(x.grad(), values({2})));
  x.requires_grad_(true);
  CHECK(equal(x.grad(), values({2})));
  calls = 0;
  before.backward();
  sum(x).backward();
  CHECK(equal(x.grad(), values({5})));
  CHECK(calls == 2);
  x.requires_grad_(false);
  x.zero_grad();
  x.requires_grad_(true);
  CHECK_FALSE(x.grad().defined());

  nn::Linear linear(2, 1);
  optim::SGD sgd(nn::parameters(linear), {.lr = 1});
  sum(linear(ones({1, 2}))).backward();
  nn::requires_grad_(linear, false);
  const Tensor weight = linear.weight.clone();
  sgd.step();
  CHECK(equal(linear.weight.detach(), weight));  // frozen
  nn::requires_grad_(linear, true);
  CHECK(equal(linear.weight.grad(), ones({1, 2})));
  sgd.step();
  CHECK(equal(linear.weight.detach(), weight - 1.0));
}

TEST_CASE("lifetime: a tensor that was frozen and then became part of a graph has no gradient of its own") {
  Tensor x = values({3}).requires_grad_(), y = values({2}).requires_grad_();
  sum(x * 2.0).backward();
  x.requires_grad_(false);
  x.mul_(y);
  CHECK_FALSE(x.is_leaf());
  CHECK_FALSE(x.grad().defined());
  sum(x).backward();
  CHECK(equal(y.grad(), values({3})));
}

TEST_CASE("lifetime: hooks may do anything to the graph they run in") {
  Tensor x = full({}, 2, leaf64), y;
  HookHandle handle;
  SECTION("a leaf that is the root stops requiring a gradient") {
    handle = x.register_hook([&](const Tensor&) { return x.requires_grad_(false), Tensor(); });
    x.backward();
    CHECK_FALSE(x.grad().defined());
  }
  SECTION("the last handle of the leaf goes") {
    handle = x.register_hook([&](const Tensor&) { return x = Tensor(), Tensor(); });
    y = x * x;
    y.backward();
    CHECK_FALSE(x.defined());
  }
  SECTION("the last handle of the root goes, and the hook itself") {
    y = x * x;
    handle = y.register_hook([&](const Tensor&) {
      y = Tensor();
      handle.remove();
      return Tensor();
    });
    y.backward();
    CHECK(x.grad().item() == 4);
  }
  SECTION("the root becomes another tensor in place") {
    y = x * x;
    handle = y.register_hook([&](const Tensor&) {
      y = x * 3.0;
      const EnableGrad enable_grad;
      y.mul_(x);
      return Tensor();
    });
    y.backward();
    CHECK(x.grad().item() == 4);
  }
  SECTION("the outputs and inputs of grad() go") {
    std::vector<Tensor> outputs{x * x}, inputs{x};
    handle = outputs[0].register_hook([&](const Tensor&) {
      outputs.clear();
      inputs.clear();
      return Tensor();
    });
    CHECK(grad(outputs, inputs)[0].item() == 4);
  }
  SECTION("a pass of its own through the same graph") {
    y = x * x;
    const Tensor z = y * 3.0;
    handle = y.register_hook([&](const Tensor&) { return handle.remove(), grad(y, {x}, {.retain_graph = true})[0]; });
    z.backward();
    CHECK(x.grad().item() == 16);  // its result, 4, takes the place of the gradient, 3
  }
  SECTION("a pass of its own that frees the graph") {
    y = x * x;
    handle = y.register_hook([&](const Tensor&) { return handle.remove(), y.backward(), Tensor(); });
    CHECK_THROWS_WITH((y * 3.0).backward(), Catch::Contains("retain_graph"));
    CHECK(x.grad().item() == 4);
  }
  SECTION("more hooks") {
    y = x * x;
    HookHandle second;
    handle = y.register_hook([&](const Tensor&) {
      second = x.register_hook([](const Tensor& gradient) { return gradient * 10.0; });
      return Tensor();
    });
    y.backward();
    CHECK(x.grad().item() == 40);
  }
  SECTION("changes of its gradient reach no other tensor's") {
    Tensor z = full({}, 2, leaf64);
    handle = x.register_hook([&](const Tensor& gradient) { return Tensor(gradient).mul_(100.0), Tensor(); });
    (x + z).backward();
    CHECK(x.grad().item() == 100);
    CHECK(z.grad().item() == 1);
  }
}

TEST_CASE("lifetime: the first hooks of a tensor, from several threads at once", "[threads]") {
  for (int round = 0; round < 500; ++round) {
    Tensor w = ones({4}, leaf64);
    std::atomic<int> calls = 0, ready = 0;
    HookHandle handles[2];
    const auto meet = [&] {
      for (++ready; ready < 3;) {
      }
    };
    std::thread first([&] { meet(), handles[0] = w.register_hook([&](const Tensor&) { return ++calls, Tensor(); }); });
    std::thread second([&] { meet(), handles[1] = w.register_hook([&](const Tensor&) { return ++calls, Tensor(); }); });
    meet();
    sum(w * w).backward();
    first.join(), second.join();
    calls = 0;
    sum(w * w).backward();
    REQUIRE(calls == 2);
  }
}

TEST_CASE("lifetime: no memory beside the tensors' is an Error too, and changes no gradient") {
  struct Throws {
    bool forward_throws, long_vector;
    Tensor forward(const Tensor& x) {
      if (forward_throws) grow();
      return x * 1.0;
    }
    Tensor backward(const Tensor& gradient) const {
      grow();
      return gradient;
    }
    void grow() const {
      if (!long_vector) throw std::bad_alloc();
      std::vector<char>().reserve(std::size_t(-1));
    }
  };
  Tensor x = ones({2}, leaf64);
  sum(x).backward();
  const auto nodes = live_nodes();
  for (const bool long_vector : {false, true}) {
    CHECK_THROWS_WITH(apply(Throws{true, long_vector}, x), Catch::Contains("Throws: out of memory"));
    CHECK_THROWS_WITH(sum(apply(Throws{false, long_vector}, x) + x).backward(),
                      Catch::Contains("backward: out of memory"));
    CHECK_THROWS_WITH(grad(sum(apply(Throws{false, long_vector}, x)), {x}), Catch::Contains("grad: out of memory"));
    CHECK_THROWS_WITH(jacobian(
                          [&](const Tensor& t) {
                            return apply(Throws{false, long_vector}, t);
                          },
                          x),
                      Catch::Contains("out of memory"));
  }
  CHECK(equal(x.grad(), ones({2}, {.dtype = float64})));
  CHECK(live_nodes() == nodes);
}
