// Forward mode, for every registered operation and for operations of the user's.
#include <xgrad/xgrad.hpp>

#include <thread>

#include "../catch.hpp"
#include "../reference/operation_samples.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

/// Different for each element, and for each call.
Tensor direction(const Tensor& like, std::uint64_t seed) {
  Tensor v = empty(like.shape(), {.dtype = float64});
  Generator generator(seed);
  generator.normal(v.data<double>(), v.numel(), 0, 1);
  return v;
}

/// The floating outputs of a sample as a function of those inputs that require a gradient.
struct SampleFunction {
  const OpSample& sample;
  std::vector<Tensor> inputs() const {
    std::vector<Tensor> wanted;
    for (const Tensor& input : sample.inputs)
      if (input.requires_grad()) wanted.push_back(input.detach());
    return wanted;
  }
  std::vector<Tensor> operator()(const std::vector<Tensor>& x) const {
    std::vector<Tensor> all, outputs;
    std::size_t next = 0;
    for (const Tensor& input : sample.inputs) all.push_back(input.requires_grad() ? x[next++] : input);
    for (const Tensor& output : sample.call(all))
      if (is_floating(output.dtype())) outputs.push_back(output);
    return outputs;
  }
  Tensor weighted(const std::vector<Tensor>& x) const {
    Tensor total = zeros({}, {.dtype = float64});
    std::uint64_t seed = 100;
    for (const Tensor& output : (*this)(x)) total = total + sum(output * direction(output, seed++));
    return total;
  }
};

/// Calls f with every sample of a differentiable operation that has something to differentiate by.
template <class F>
void for_each_sample(const F& f) {
  for (const OpInfo& op : registry()) {
    std::size_t number = 0;
    for (const OpSample& sample : op.samples()) {
      INFO(reference::key(op, number++) << " " << sample.reference);
      const SampleFunction function{sample};
      if (op.differentiable && !function.inputs().empty()) f(op, function);
    }
  }
}

std::vector<Tensor> directions(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> all;
  for (const Tensor& input : inputs) all.push_back(direction(input, all.size() + 7));
  return all;
}

std::vector<Tensor> moved(const std::vector<Tensor>& x, const std::vector<Tensor>& v, double step) {
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < x.size(); ++i) all.push_back(x[i] + step * v[i]);
  return all;
}

/// The reverse of reverse mode: v^T J is linear in v, and its derivative by v, along a direction, is J times that.
std::vector<Tensor> jvp_by_double_backward(const SampleFunction& f, const std::vector<Tensor>& v) {
  std::vector<Tensor> x, upstream, outputs;
  for (Tensor& input : x = f.inputs()) input.requires_grad_();
  for (const Tensor& output : f(x)) {
    if (!output.requires_grad()) continue;
    outputs.push_back(output);
    upstream.push_back(zeros_like(output).requires_grad_());
  }
  auto gradients = grad(outputs, x, {.create_graph = true, .allow_unused = true, .grad_outputs = upstream});
  std::vector<Tensor> used, weights;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (gradients[i].requires_grad()) used.push_back(gradients[i]), weights.push_back(v[i]);
  auto found = grad(used, upstream, {.allow_unused = true, .grad_outputs = weights});
  for (std::size_t k = 0; k < found.size(); ++k)
    if (!found[k].defined()) found[k] = zeros_like(outputs[k]);
  return found;
}

bool close(const Tensor& a, const Tensor& b, double tolerance) {
  return a.shape() == b.shape() && allclose(a, b, {.rtol = tolerance, .atol = tolerance, .equal_nan = true});
}

/// 2 x^2, which has a jvp, and no backward.
struct OnlyForward {
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return input * input * 2.0;
  }
  Tensor backward(const Tensor&) const { fail("backward ran"); }
  Tensor jvp(const Tensor& dx) const { return 4.0 * x * dx; }
};
struct OnlyLinear {
  static constexpr bool linear = true;
  Tensor forward(const Tensor& x) const { return x * 3.0; }
  Tensor backward(const Tensor&) const { fail("backward ran"); }
};
/// x y and x + y, both without a rule for forward mode, and a third output that is no number.
struct ProductAndSum {
  Saved x = {}, y = {};
  std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& a, const Tensor& b) {
    x = a, y = b;
    return {a * b, a + b, a > b};
  }
  std::array<Tensor, 2> backward(const std::array<Tensor, 3>& g) const { return {g[0] * y + g[1], g[0] * x + g[1]}; }
};
struct SumOfAll {
  std::vector<Tensor> forward(const std::vector<Tensor>& x) const { return {x[0] + x[1], x[0] - x[1]}; }
  std::vector<Tensor> backward(const std::vector<Tensor>& g) const { return {g[0] + g[1], g[0] - g[1]}; }
  std::vector<Tensor> jvp(const std::vector<Tensor>& t) const {
    if (!t[0].defined()) return {t[1], -t[1]};
    return {t[0] + t[1], t[0] - t[1]};
  }
};
struct WrongTangentShape {
  Tensor forward(const Tensor& x) const { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return grad; }
  Tensor jvp(const Tensor& dx) const { return sum(dx); }
};
struct WrongTangentCount {
  std::vector<Tensor> forward(const Tensor& x) const { return {x * 1.0, x * 2.0}; }
  Tensor backward(const std::vector<Tensor>& g) const { return g[0]; }
  std::vector<Tensor> jvp(const Tensor& dx) const { return {dx}; }
};

}  // namespace

TEST_CASE("forward: jvp of every operation agrees with central differences") {
  for_each_sample([](const OpInfo&, const SampleFunction& f) {
    const NoGrad no_grad;
    const auto x = f.inputs(), v = directions(x);
    const auto [values, tangents] = jvp(f, x, v);
    const auto above = f(moved(x, v, 1e-6)), below = f(moved(x, v, -1e-6)), at = f(x);
    REQUIRE(tangents.size() == at.size());
    for (std::size_t k = 0; k < tangents.size(); ++k) {
      CHECK_FALSE(tangents[k].requires_grad());
      CHECK(close(values[k], at[k], 0));
      INFO("output " << k << ": " << tangents[k] << "\ncentral differences: " << (above[k] - below[k]) / 2e-6);
      // Infinite and undefined values have no differences.
      const Tensor smooth = isfinite(above[k] - below[k]);
      CHECK(close(where(smooth, tangents[k], 0), where(smooth, (above[k] - below[k]) / 2e-6, 0), 2e-5));
    }
  });
}

TEST_CASE("forward: jvp of every operation agrees with the derivative of its backward, recorded or not") {
  for_each_sample([](const OpInfo&, const SampleFunction& f) {
    const auto x = f.inputs(), v = directions(x);
    const auto expected = jvp_by_double_backward(f, v);
    for (const bool recorded : {false, true}) {
      auto at = x;
      if (recorded)
        for (Tensor& input : at) input = input.detach().requires_grad_();
      std::vector<Tensor> tangents;
      for (const auto [values, changes] = jvp(f, at, v); const Tensor& change : changes) tangents.push_back(change);
      std::size_t next = 0;
      const auto outputs = f([&] {
        auto leaves = x;
        for (Tensor& leaf : leaves) leaf = leaf.detach().requires_grad_();
        return leaves;
      }());
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        if (!outputs[k].requires_grad()) continue;
        INFO("output " << k << " recorded " << recorded << ": " << tangents[k] << "\nexpected: " << expected[next]);
        CHECK(close(tangents[k], expected[next++], 1e-12));
      }
    }
  });
}

TEST_CASE("forward: the derivatives of every operation's jvp agree with central differences") {
  for_each_sample([](const OpInfo&, const SampleFunction& f) {
    auto x = f.inputs();
    const auto v = directions(x);
    std::int64_t elements = 0;
    for (Tensor& input : x) elements += input.requires_grad_().numel();
    if (elements > 20) return;  // samples of the same operation that are smaller say as much
    const auto tangents = [&](const std::vector<Tensor>& at) { return jvp(f, at, v).second; };
    bool depends = false;
    for (const Tensor& tangent : tangents(x)) depends = depends || tangent.requires_grad();
    if (!depends) return;
    const auto result = gradcheck(tangents, x);
    INFO(result.message);
    CHECK(result);
  });
}

TEST_CASE("forward: the hessian of every operation is symmetric, and hvp is its product") {
  for_each_sample([](const OpInfo&, const SampleFunction& f) {
    const NoGrad no_grad;
    const auto x = f.inputs(), v = directions(x);
    std::int64_t elements = 0;
    std::size_t axes = 0;
    for (const Tensor& input : x) elements += input.numel(), axes = std::max(axes, input.dim());
    if (elements > 20 || 2 * axes > Shape::max_rank) return;
    const auto scalar = [&](const std::vector<Tensor>& at) { return f.weighted(at); };
    const auto blocks = hessian(scalar, x);
    const auto product = hvp(scalar, x, v);
    for (std::size_t i = 0; i < x.size(); ++i) {
      Tensor expected = zeros({x[i].numel()}, {.dtype = float64});
      for (std::size_t j = 0; j < x.size(); ++j) {
        const Tensor block = reshape(blocks[i][j], {x[i].numel(), x[j].numel()}),
                     other = reshape(blocks[j][i], {x[j].numel(), x[i].numel()});
        INFO("block " << i << ", " << j << ": " << block << other);
        CHECK(close(block, transpose(other, 0, 1), 1e-12));
        expected = expected + matmul(block, reshape(v[j], {x[j].numel()}));
      }
      CHECK(close(product[i], reshape(expected, x[i].shape()), 1e-10));
    }
  });
}

TEST_CASE("forward: a rule serves without backward") {
  const Tensor x = tensor({1, -2, 3}, {.dtype = float64}), v = tensor({5, 6, 7}, {.dtype = float64});
  CHECK(close(jvp([](const Tensor& t) { return apply(OnlyForward{}, t); }, x, v).second, 4.0 * x * v, 0));
  CHECK(close(jvp([](const Tensor& t) { return apply(OnlyLinear{}, t); }, x, v).second, 3.0 * v, 0));
  CHECK_THROWS_WITH(grad([](const Tensor& t) { return sum(apply(OnlyForward{}, t)); }, x),
                    Catch::StartsWith("backward ran"));
  // and has derivatives itself
  const auto change = [&](const Tensor& t) {
    return jvp([](const Tensor& s) { return apply(OnlyForward{}, s); }, t, v).second;
  };
  CHECK(gradcheck(change, {x.clone().requires_grad_()}));
}

TEST_CASE("forward: operations of several inputs and outputs, with a rule and without") {
  const Tensor x = tensor({1, -2, 3}, {.dtype = float64}), y = tensor({4, 5, -6}, {.dtype = float64}),
               v = tensor({0.5, 0.25, 2}, {.dtype = float64}), w = tensor({-1, 3, 0.125}, {.dtype = float64});
  const auto f = [](const Tensor& a, const Tensor& b) {
    const auto [product, total, larger] = apply(ProductAndSum{}, a, b);
    return std::pair(product, total);
  };
  const auto both = jvp(f, {x, y}, {v, w}).second;
  CHECK(close(both[0], v * y + x * w, 1e-15));
  CHECK(close(both[1], v + w, 1e-15));
  // with one input a constant
  const auto one = jvp([&](const Tensor& b) { return f(x, b); }, y, w).second;
  CHECK(close(one[0], x * w, 1e-15));
  CHECK(close(one[1], w, 1e-15));
  const auto g = [](const std::vector<Tensor>& t) { return xgrad::apply(SumOfAll{}, t); };
  const auto sums = jvp(g, {x, y}, {v, w}).second;
  CHECK(close(sums[1], v - w, 0));
  CHECK(close(jvp([&](const Tensor& b) { return g({x, b})[1]; }, y, w).second, -w, 0));
}

TEST_CASE("forward: a rule that gives the wrong shape or number of tangents is an error") {
  const Tensor x = ones({3}, {.dtype = float64});
  CHECK_THROWS_WITH(
      jvp([](const Tensor& t) { return apply(WrongTangentShape{}, t); }, x, x),
      Catch::StartsWith(
          "WrongTangentShape: forward mode gave output 0 of shape (3,) and dtype float64 a tangent of shape () "
          "and dtype float64"));
  CHECK_THROWS_WITH(jvp([](const Tensor& t) { return apply(WrongTangentCount{}, t); }, x, x),
                    Catch::StartsWith("WrongTangentCount: jvp returned 1 tangents for 2 outputs"));
}

TEST_CASE("forward: views, changes in place, and tensors used twice") {
  const Tensor x = tensor({{1, -2, 3}, {0.5, 4, -1}}, {.dtype = float64}), v = direction(x, 3);
  const auto in_place = [](const Tensor& t) {
    Tensor y = 2.0 * t;
    y.add_(t).sub_(slice(t, 0, 0, 1)).mul_(transpose(transpose(t, 0, 1), 0, 1)).div_(3);
    Tensor z = zeros({2, 3}, {.dtype = float64});
    z.copy_(y);
    z.mul_(z);
    return z + select(t, 0, 0);
  };
  const auto apart = [](const Tensor& t) {
    const Tensor y = (3.0 * t - slice(t, 0, 0, 1)) * t / 3.0;
    return y * y + select(t, 0, 0);
  };
  CHECK(close(jvp(in_place, x, v).second, jvp(apart, x, v).second, 1e-14));
  CHECK(close(jvp([](const Tensor& t) { return t; }, x, v).second, v, 0));
  auto [values, tangents] = jvp([](const Tensor& t) { return std::vector<Tensor>{t, t * t, t}; }, x, v);
  CHECK(close(tangents[1], 2.0 * x * v, 0));
  CHECK(close(tangents[2], v, 0));
  tangents[0].fill_(0);  // shares no memory
  CHECK(close(tangents[2], v, 0));
  CHECK(close(v, direction(x, 3), 0));

  CHECK_THROWS_WITH(jvp(
                        [](const Tensor& t) {
                          Tensor y = exp(t);
                          y.mul_(2);
                          return y;
                        },
                        x, v),
                    Catch::StartsWith("exp: a tensor of shape (2, 3) saved for backward was changed") &&
                        Catch::Contains("was changed in place by mul_"));
  CHECK_THROWS_WITH(
      jvp(
          [](const Tensor& t) {
            Tensor y = t * 1.0;
            const Tensor before = y, z = square(y);
            y.add_(1);
            return before * 2.0;
          },
          x, v),
      Catch::StartsWith(
          "mul: a tensor of shape (2, 3) was changed through another Tensor of the same memory by add_") &&
          Catch::Contains("use the Tensor that was changed"));
  CHECK_THROWS_WITH(jvp([](Tensor t) { return t.add_(1); }, x, v), Catch::StartsWith("add_: a leaf of shape (2, 3)"));
  CHECK(x.data<double>()[0] == 1);
}

TEST_CASE("forward: float32, and conversions between dtypes") {
  const Tensor x = tensor({1.0, 2.0}), v = tensor({3.0, 4.0});
  const auto [y, change] = jvp([](const Tensor& t) { return square(t.to(float64)) * 0.5; }, x, v);
  CHECK(change.dtype() == float64);
  CHECK(close(change, tensor({3, 8}, {.dtype = float64}), 0));
  CHECK(jvp([](const Tensor& t) { return exp(t); }, x, v).second.dtype() == float32);
}

TEST_CASE("forward: long chains and wide graphs") {
  const auto chain = [](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 20000; ++i) y = y * 0.9999 + 1e-5;
    return y;
  };
  const auto diamond = [](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 40; ++i) y = 0.5 * (y + y);
    return y;
  };
  const Tensor x = full({}, 2, {.dtype = float64}), v = full({}, 3, {.dtype = float64});
  CHECK(jvp(chain, x, v).second.item() == Approx(3 * std::pow(0.9999, 20000)));
  CHECK(jvp(diamond, x, v).second.item() == Approx(3));
  // Without a rule; each node's double backward must not walk the whole graph.
  const auto steps = [](const Tensor& t) {
    Tensor y = t;
    for (int i = 0; i < 3000; ++i) y = std::get<1>(apply(ProductAndSum{}, y, t));
    return y;
  };
  CHECK(jvp(steps, x, v).second.item() == Approx(3 * 3001));
}

TEST_CASE("forward: threads", "[threads]") {
  const Tensor w = sum(square(full({8}, 0.5, leaf64)));  // part of every graph
  std::vector<double> results(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] {
      const Tensor x = full({8}, static_cast<double>(i + 1), {.dtype = float64}), v = ones({8}, {.dtype = float64});
      for (int repeat = 0; repeat < 50; ++repeat)
        results[i] = jvp([&](const Tensor& t) { return sum(w * t * t); }, x, v).second.item();
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i)
    CHECK(results[i] == Approx(8 * 2.0 * 2 * static_cast<double>(i + 1)));
}
