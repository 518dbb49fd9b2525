// Intermediate results computed again in backward.
#include <xgrad/xgrad.hpp>

#include <stdexcept>
#include <thread>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

bool equal(const Tensor& a, const Tensor& b) { return all(a == b).item<bool>(); }

struct Block {
  nn::Linear first{32, 64};
  nn::Dropout dropout{0.3};
  nn::Linear second{64, 32};
  Tensor operator()(const Tensor& x) const { return x + second(dropout(gelu(first(x)))); }
};

// Loss and gradients of eight blocks, checkpointed or not, and what the generator gives afterwards.
struct Run {
  std::vector<Tensor> gradients;
  double loss, next;
  std::size_t peak;
};
Run train_step(bool checkpointed) {
  manual_seed(11);
  std::vector<Block> blocks(8);
  const Tensor x = randn({256, 32}, {.requires_grad = true});
  const std::size_t before = memory_stats().live_bytes;
  reset_peak_memory();
  Tensor h = x;
  for (const Block& block : blocks)
    h = checkpointed ? checkpoint([&block](const Tensor& t) { return block(t); }, h) : block(h);
  const Tensor loss = mean(square(h));
  loss.backward();
  Run run{{x.grad()}, loss.item(), 0, memory_stats().peak_bytes - before};
  for (const Tensor& parameter : nn::parameters(blocks)) run.gradients.push_back(parameter.grad());
  run.next = rand({1}).item();
  return run;
}

}  // namespace

TEST_CASE("checkpoint: gradients are equal bit for bit, dropout included, with less memory at the peak") {
  const Run plain = train_step(false), checkpointed = train_step(true);
  CHECK(checkpointed.loss == plain.loss);
  CHECK(checkpointed.next == plain.next);
  REQUIRE(checkpointed.gradients.size() == plain.gradients.size());
  for (std::size_t i = 0; i < plain.gradients.size(); ++i) {
    REQUIRE(checkpointed.gradients[i].defined());
    CHECK(equal(checkpointed.gradients[i], plain.gradients[i]));
  }
  INFO("peak bytes: " << plain.peak << " without, " << checkpointed.peak << " with checkpoints");
  CHECK(2 * checkpointed.peak < plain.peak);
}

TEST_CASE("checkpoint: the graph is one node, and holds the inputs only") {
  const Tensor w = ones({64, 64}, {.requires_grad = true}), x = ones({16, 64}, {.requires_grad = true});
  const auto f = [&](const Tensor& t) { return tanh(matmul(tanh(matmul(t, w)), w)); };
  const Tensor y = checkpoint(f, x);
  const GraphStats stats = graph_stats(y);
  CHECK(stats.operations == 1);
  CHECK(stats.leaves == 2);
  CHECK(stats.saved_tensors == 1);
  CHECK(stats.saved_bytes == 16 * 64 * 4);
  CHECK(graph_stats(f(x)).operations == 4);
}

TEST_CASE("checkpoint: derivatives to second order, of inputs and of what the function captured") {
  manual_seed(5);
  const Tensor x = randn({3, 2}, leaf64), w = randn({2, 2}, leaf64);
  const auto g = [](const Tensor& t, const Tensor& v) {
    const Tensor inner = v * v;  // no leaf, and not given to the checkpoint
    return checkpoint([inner](const Tensor& s) { return tanh(matmul(s * s, inner)) * sum(inner); }, t * 2.0) *
           sum(inner);
  };
  const auto first = gradcheck(g, {x, w}), second = gradgradcheck(g, {x, w});
  INFO(first.message << "\n" << second.message);
  CHECK(first);
  CHECK(second);
}

TEST_CASE("checkpoint: several outputs, some integer, some not used, some an input") {
  manual_seed(6);
  const Tensor x = randn({4, 3}, leaf64);
  const auto f = [](const Tensor& t) {
    return checkpoint([](const Tensor& s) { return std::tuple{exp(s), argmax(s, 1), s * s, s}; }, t);
  };
  const auto [e, at, square, same] = f(x);
  CHECK_FALSE(at.requires_grad());
  CHECK(at.dtype() == int64);
  (sum(square) + sum(same)).backward();
  CHECK(amax(abs(x.grad() - (2.0 * x.detach() + 1.0))).item() < 1e-14);
  const auto all_outputs = [&](const Tensor& t) {
    const auto [a, b, c, d] = f(t);
    return a * c + d;
  };
  const auto first = gradcheck(all_outputs, {x}), second = gradgradcheck(all_outputs, {x});
  INFO(first.message << "\n" << second.message);
  CHECK(first);
  CHECK(second);

  std::vector<Tensor> parts = checkpoint([](const Tensor& s) { return split(s, 2, 0); }, x);
  CHECK(parts.size() == 2);
  x.zero_grad();
  sum(parts[1] * 3.0).backward();
  CHECK(x.grad().data<double>()[0] == 0);
  CHECK(x.grad().data<double>()[11] == 3);
}

TEST_CASE("checkpoint: one inside another") {
  manual_seed(7);
  const Tensor x = randn({3}, leaf64), w = randn({3}, leaf64);
  const auto nested = [](const Tensor& t, const Tensor& v) {
    return checkpoint(
        [v](const Tensor& s) {
          const Tensor h = checkpoint([v](const Tensor& r) { return dropout(tanh(r * v), 0.4); }, s);
          return checkpoint([v](const Tensor& r) { return dropout(exp(r * v), 0.4); }, h) * s;
        },
        t * 1.5);
  };
  const auto plain = [](const Tensor& t, const Tensor& v) {
    const Tensor s = t * 1.5;
    return dropout(exp(dropout(tanh(s * v), 0.4) * v), 0.4) * s;
  };
  manual_seed(8);
  sum(nested(x, w)).backward();
  const Tensor x_grad = x.grad(), w_grad = w.grad();
  x.zero_grad(), w.zero_grad();
  manual_seed(8);
  sum(plain(x, w)).backward();
  CHECK(equal(x.grad(), x_grad));
  CHECK(equal(w.grad(), w_grad));
}

TEST_CASE("checkpoint: backward twice needs retain_graph, and then gives exactly twice the gradient") {
  Tensor x = full({3}, 2, leaf64);
  const Tensor y = sum(checkpoint([](const Tensor& t) { return dropout(t * t, 0.5); }, x));
  y.backward({}, {.retain_graph = true});
  const Tensor once = x.grad().clone();
  y.backward();
  CHECK(equal(x.grad(), 2.0 * once));
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("checkpoint: backward ran through this graph before"));
  CHECK(equal(x.grad(), 2.0 * once));
}

TEST_CASE("checkpoint: hooks run once, and grad() is limited to what it asks for") {
  Tensor x = full({2}, 3, leaf64), w = full({2}, 5, leaf64);
  int calls = 0;
  const auto hook = x.register_hook([&](const Tensor&) { return ++calls, Tensor(); });
  Tensor h = x * 1.0;
  const auto inner = h.register_hook([&](const Tensor& g) { return ++calls, g * 10.0; });
  const Tensor y = checkpoint([&](const Tensor& t) { return t * h * w; }, h);
  sum(y).backward({}, {.retain_graph = true});
  CHECK(calls == 2);
  CHECK(equal(x.grad(), full({2}, 10 * 2 * 3 * 5, {.dtype = float64})));
  w.zero_grad();
  const Tensor g = grad(sum(y), {w})[0];
  CHECK(equal(g, full({2}, 9, {.dtype = float64})));
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("checkpoint: an exception in either run changes no gradient and no generator, and leaks nothing") {
  Tensor x = full({3}, 2, leaf64), w = full({3}, 3, leaf64);
  sum(x * w).backward();
  const Tensor x_grad = x.grad().clone();
  const std::int64_t nodes = live_nodes();
  const auto memory = memory_stats();
  manual_seed(1);
  {
    int run = 0;
    const auto f = [&](const Tensor& t) {
      const Tensor h = dropout(t * w, 0.5);
      if (++run == 2) throw std::runtime_error("the second run broke");
      return h;
    };
    const Tensor y = sum(checkpoint(f, x) * x);
    const GeneratorState state = default_generator().state();
    CHECK_THROWS_WITH(y.backward(), "the second run broke");
    CHECK(default_generator().state() == state);
    CHECK_THROWS_WITH(checkpoint([](const Tensor&) -> Tensor { throw std::runtime_error("the first run broke"); }, x),
                      "the first run broke");
  }
  CHECK(equal(x.grad(), x_grad));
  CHECK(live_nodes() == nodes);
  CHECK(memory_stats().live_blocks == memory.live_blocks);
}

TEST_CASE("checkpoint: a second run that differs, or a changed input, is an error") {
  Tensor x = full({3}, 2, leaf64), w = full({3}, 3, leaf64);
  int run = 0;
  const Tensor other_shape = checkpoint(
      [&](const Tensor& t) {
        return ++run == 1 ? t * 1.0 : expand(t, {2, 3}) * 1.0;
      },
      x);
  CHECK_THROWS_WITH(sum(other_shape).backward(),
                    "checkpoint: output 0 of the function had shape (3,) and dtype float64, and run again for backward "
                    "it has shape (2, 3) and dtype float64; it must do the same both times");
  run = 0;
  const Tensor other_source = checkpoint([&](const Tensor& t) { return ++run == 1 ? t * w : t * 1.0; }, x);
  CHECK_THROWS_WITH(sum(other_source).backward(), Catch::Contains("used other tensors that require a gradient"));
  run = 0;
  const auto other_count = checkpoint(
      [&](const Tensor& t) {
        return ++run == 1 ? std::vector<Tensor>{t * 1.0, t * 2.0} : std::vector<Tensor>{t * 1.0};
      },
      x);
  CHECK_THROWS_WITH(sum(other_count[0]).backward(), Catch::Contains("returned 2 tensors, and run again"));
  Tensor h = x * 1.0;
  const Tensor y = checkpoint([](const Tensor& t) { return exp(t); }, h);
  h.add_(1);
  CHECK_THROWS_WITH(sum(y).backward(), Catch::Contains("checkpoint: a tensor of shape (3,) saved for backward") &&
                                           Catch::Contains("was changed in place by add_"));
  CHECK_THROWS_WITH(checkpoint([](const Tensor&) { return Tensor(); }, x),
                    "checkpoint: output 0 of the function is undefined; every output needs a value");
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("checkpoint: what the function captured and was changed before backward is an error, not a wrong gradient") {
  Tensor x = full({3}, 2, leaf64), p = full({3}, 3, leaf64), constant = full({3}, 4, {.dtype = float64});
  const auto change = [](Tensor& tensor) {
    const NoGrad no_grad;
    tensor.mul_(5);
  };
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> functions[] = {
      {"saved by an operation", [&](const Tensor& t) { return t * p; }},
      {"not saved by one", [&](const Tensor& t) { return square(t + p); }},
      {"as a view", [&](const Tensor& t) { return t * narrow(p, 0, 0, 1); }},
      {"in a checkpoint inside",
       [&](const Tensor& t) { return checkpoint([&](const Tensor& inner) { return inner * p; }, t * 2.0); }}};
  for (const auto& [name, f] : functions) {
    INFO(name);
    Tensor y = sum(checkpoint(f, x));
    change(p);
    CHECK_THROWS_WITH(y.backward(), Catch::Contains("checkpoint: a tensor of shape (3,) saved for backward") &&
                                        Catch::Contains("was changed in place by mul_ at ") &&
                                        Catch::Contains("test_recompute.cpp"));
    y = sum(checkpoint(f, x));  // again, with what it is now
    y.backward();
    CHECK(equal(x.grad(), grad(sum(f(x)), {x})[0]));
    change(p);
    x.zero_grad(), p.zero_grad();
  }
  Tensor y = sum(checkpoint([&](const Tensor& t) { return t * constant; }, x));
  change(constant);
  CHECK_THROWS_WITH(y.backward(),
                    Catch::Contains("the function gave output 0 of shape (3,) other values than at first"));
  double factor = 0;
  y = sum(checkpoint([&](const Tensor& t) { return t * ++factor; }, x));
  CHECK_THROWS_WITH(y.backward(), Catch::Contains("other values than at first"));
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(p.grad().defined());
}

TEST_CASE("checkpoint: whichever allocation fails, nothing changes, and the rerun gives the same") {
  Tensor x = full({40}, 2, leaf64), w = full({40}, 3, leaf64);
  const auto step = [&] {
    manual_seed(4);
    Tensor h = checkpoint([&](const Tensor& t) { return dropout(exp(t * w), 0.5); }, x * 0.5);
    h = h * 1.0;
    h.mul_(w);
    sum(h).backward();
  };
  step();
  const Tensor x_grad = x.grad(), w_grad = w.grad();
  x.zero_grad(), w.zero_grad();
  int failures = 0;
  for (bool done = false; !done; ++failures) {
    const std::int64_t nodes = live_nodes();
    detail::fail_allocation_after(failures + 1);
    try {
      step();
      done = true;
    } catch (const Error&) {
      CHECK_FALSE(x.grad().defined());
      CHECK_FALSE(w.grad().defined());
      CHECK(live_nodes() == nodes);
    }
    detail::fail_allocation_after(0);
  }
  CHECK(failures > 20);
  CHECK(equal(x.grad(), x_grad));
  CHECK(equal(w.grad(), w_grad));
}

TEST_CASE("checkpoint: without a graph it is the function") {
  Tensor x = full({3}, 2, {.dtype = float64});
  CHECK_FALSE(checkpoint([](const Tensor& t) { return exp(t); }, x).requires_grad());
  x.requires_grad_();
  const NoGrad no_grad;
  CHECK_FALSE(checkpoint([](const Tensor& t) { return exp(t); }, x).requires_grad());
}

TEST_CASE("checkpoint: in several threads, into shared parameters", "[threads]") {
  const Tensor w = full({16}, 0.5, leaf64);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([w] {
      for (int i = 0; i < 25; ++i)
        sum(checkpoint([w](const Tensor& x) { return dropout(x * w, 0.0); }, ones({16}, {.dtype = float64})))
            .backward();
    });
  for (auto& thread : threads) thread.join();
  CHECK(equal(w.grad(), full({16}, 200, {.dtype = float64})));
}
