// Operations as structs: what they may be made of, and what they must not do.
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <memory>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

Tensor sample(const Shape& shape) { return randn(shape, leaf64); }

template <class F>
void expect_derivatives(const F& f, const std::vector<Tensor>& inputs) {
  const auto first = gradcheck(f, inputs), second = gradgradcheck(f, inputs);
  INFO(first.message << "\n" << second.message);
  CHECK(first);
  CHECK(second);
}

// Length and direction of the rows: two outputs.
struct Polar {
  Saved x = {}, radius = {};
  std::pair<Tensor, Tensor> forward(const Tensor& rows) {
    x = rows;
    const Tensor length = sqrt(sum(square(rows), {1}, {.keepdim = true}));
    radius = length;
    return {length, rows / length};
  }
  Tensor backward(const std::array<Tensor, 2>& grads) const {
    const Tensor unit = x / radius;
    return grads[0] * unit + (grads[1] - unit * sum(grads[1] * unit, {1}, {.keepdim = true})) / radius;
  }
};

// Maximum of each row, its position, and its distance to the second largest as a constant.
struct Top {
  static constexpr int non_differentiable[] = {2};
  Saved mask = {};
  std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& x) {
    const Tensor top = amax(x, {1}, {.keepdim = true});
    mask = (x == top).to(x.dtype());
    return {top, argmax(x, 1), top - mean(x, {1}, {.keepdim = true})};
  }
  Tensor backward(const std::array<Tensor, 3>& grads) const {
    CHECK_FALSE(grads[1].defined());
    CHECK_FALSE(grads[2].defined());
    return grads[0] * mask;
  }
};

// x * weight + bias, of which the last two may be absent.
struct Affine {
  Saved x = {}, weight = {};
  Tensor forward(const Tensor& input, const Tensor& w, const Tensor& bias) {
    x = input, weight = w;
    Tensor y = w.defined() ? input * w : input * 1.0;
    return bias.defined() ? y + bias : y;
  }
  std::array<Tensor, 3> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? weight.defined() ? grad * weight : grad : Tensor(), needs[1] ? grad * x : Tensor(),
            needs[2] ? grad : Tensor()};
  }
};

// exp over its own input.
struct ExpInPlace {
  static constexpr const char* name = "exp_";
  static constexpr bool in_place = true;
  Saved y = {};
  Tensor forward(const Tensor& x) {
    const Tensor value = exp(x);
    Tensor out = x;
    out.copy_(value);
    y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return grad * y; }
};
Tensor exp_in_place(const Tensor& x) { return apply(ExpInPlace{}, x); }

// x += factor * other, with an argument that is no tensor and cannot be copied.
struct AddScaled {
  static constexpr bool in_place = true;
  std::unique_ptr<double> factor;
  Tensor forward(Tensor& x, const Tensor& other) { return x.add_(*factor * other); }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, *factor * grad}; }
};
Tensor add_scaled(const Tensor& x, const Tensor& other, double factor) {
  return apply(AddScaled{std::make_unique<double>(factor)}, x, other);
}

struct SumAll {
  Tensor forward(const std::vector<Tensor>& terms) {
    count = terms.size();
    Tensor total = terms[0] * 1.0;
    for (std::size_t i = 1; i < terms.size(); ++i) total = total + terms[i];
    return total;
  }
  std::vector<Tensor> backward(const Tensor& grad) const { return std::vector<Tensor>(count, grad); }
  std::size_t count = 0;
};

}  // namespace

TEST_CASE("apply: several outputs, of which some or all are used") {
  manual_seed(1);
  const Tensor x = sample({3, 2});
  expect_derivatives([](const Tensor& t) { return apply(Polar{}, t); }, {x});
  expect_derivatives([](const Tensor& t) { return apply(Polar{}, t).first; }, {x});
  expect_derivatives([](const Tensor& t) { return apply(Polar{}, t).second; }, {x});
}

TEST_CASE("apply: outputs without a gradient count as constants") {
  Tensor x = tensor({{1, 5, 2}, {7, 3, 4}}, leaf64);
  const auto [top, at, margin] = apply(Top{}, x);
  CHECK(top.requires_grad());
  CHECK_FALSE(at.requires_grad());
  CHECK_FALSE(margin.requires_grad());
  CHECK(margin.is_leaf());
  sum(top * margin).backward();
  CHECK(all(x.grad() == margin * (x.detach() == top.detach()).to(float64)).item<bool>());
}

TEST_CASE("apply: inputs may be absent") {
  manual_seed(2);
  const Tensor x = sample({2, 3}), w = sample({3}), b = sample({3});
  expect_derivatives([](const Tensor& p, const Tensor& q, const Tensor& r) { return apply(Affine{}, p, q, r); },
                     {x, w, b});
  expect_derivatives([](const Tensor& p) { return apply(Affine{}, p, std::optional<Tensor>(), Tensor()); }, {x});
  expect_derivatives(
      [](const Tensor& p, const Tensor& r) { return apply(Affine{}, p, Tensor(), std::optional<Tensor>(r)); }, {x, b});
}

TEST_CASE("apply: a vector of inputs, whatever it is as an expression") {
  std::vector<Tensor> terms = {full({2}, 1, leaf64), full({2}, 2, leaf64)};
  const std::vector<Tensor> fixed = terms;
  for (const Tensor& y : {apply(SumAll{}, terms), apply(SumAll{}, fixed), apply(SumAll{}, std::vector<Tensor>(terms))})
    sum(y).backward();
  CHECK(all(terms[1].grad() == full({2}, 3, {.dtype = float64})).item<bool>());
}

TEST_CASE("apply: an operation in place becomes its input, and raises the version") {
  manual_seed(3);
  const Tensor x = sample({4}), w = sample({4});
  expect_derivatives([](const Tensor& t) { return exp_in_place(t * 0.5); }, {x});
  expect_derivatives([](const Tensor& t, const Tensor& v) { return add_scaled(t * t, v * v, 1.5); }, {x, w});
  expect_derivatives(
      [](const Tensor& t, const Tensor& v) {
        Tensor y = t * 1.0;
        return exp_in_place(add_scaled(y, v * v, 0.5));
      },
      {x, w});

  Tensor h = x * 2.0;
  const Tensor copy = h;
  const Tensor y = exp_in_place(h);
  CHECK(y.data<double>() == h.data<double>());
  CHECK(h.version() == 2);  // exp_, and copy_ inside it
  sum(copy).backward();     // no operation saved h: all its handles are y now
  CHECK(x.grad().data<double>()[1] == Approx(2 * std::exp(2 * x.data<double>()[1])));

  const NoGrad no_grad;
  Tensor plain = zeros({2}, {.dtype = float64});
  exp_in_place(plain);
  CHECK(plain.data<double>()[1] == 1);
  CHECK(plain.version() == 2);
}

TEST_CASE("apply: what an operation in place leaves behind cannot be used by mistake, and leaks nothing") {
  const std::int64_t nodes = live_nodes();
  const auto memory = memory_stats();
  {
    Tensor x = full({3}, 2, leaf64);
    Tensor h = x * 1.0;
    const Tensor squared = h * h;  // saves h
    const Tensor y = add_scaled(h, squared, 1);
    CHECK_THROWS_WITH(h * 2.0, Catch::Contains("mul: a tensor of shape (3,) was changed through another Tensor of the "
                                               "same memory by AddScaled at "));
    CHECK_THROWS_WITH(sum(y).backward(), Catch::Contains("mul") && Catch::Contains("by AddScaled"));
    CHECK_THROWS_WITH(apply(ExpInPlace{}, x), Catch::Contains("exp_: a leaf of shape (3,)"));
    Tensor z = x * 1.0;
    CHECK_THROWS_WITH(apply(ExpInPlace{}, slice(z, 0, 0, 1)), Catch::Contains("exp_: a view"));
    CHECK_THROWS_WITH(apply(ExpInPlace{}, expand(z, {2, 3})),
                      Catch::Contains("exp_: a tensor of shape (2, 3) repeats"));
    CHECK_FALSE(x.grad().defined());
  }
  CHECK(live_nodes() == nodes);
  CHECK(memory_stats().live_blocks == memory.live_blocks);
}

namespace {

struct IntegerGradient {
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return grad.to(int64); }
};
struct WrongShapes {
  Tensor forward(const Tensor& x, const Tensor& y) { return x * y; }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, slice(grad, 0, 1)}; }
};
struct TooFew {
  Tensor forward(const Tensor& x, const Tensor& y) { return x * y; }
  std::vector<Tensor> backward(const Tensor& grad) const { return {grad}; }
};
struct OneUndefined {
  std::pair<Tensor, Tensor> forward(const Tensor& x) { return {x * 1.0, Tensor()}; }
  Tensor backward(const std::array<Tensor, 2>& grads) const { return grads[0]; }
};
struct NoGradient {
  Tensor forward(const Tensor& x, const Tensor& y) { return x * y; }
  std::array<Tensor, 2> backward(const Tensor& grad) const { return {grad, Tensor()}; }
};
struct OtherPrecision {
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return grad.to(float32); }
};
struct NotInPlace {
  static constexpr bool in_place = true;
  Tensor forward(const Tensor& x) { return x * 2.0; }
  Tensor backward(const Tensor& grad) const { return grad * 2.0; }
};
template <class T>
struct Templated {
  Tensor forward(const Tensor&) { return {}; }
  Tensor backward(const Tensor& grad) const { return grad; }
};

}  // namespace

TEST_CASE("apply: a broken contract is an error that names the struct and says what to do; nothing changes") {
  Tensor x = full({3}, 2, leaf64);
  CHECK_THROWS_WITH(
      sum(apply(IntegerGradient{}, x)).backward(),
      Catch::StartsWith(
          "IntegerGradient: backward gave a gradient of dtype int64 for input 0 of dtype float64; a gradient "
          "has the dtype of its input"));
  CHECK_THROWS_WITH(
      sum(apply(WrongShapes{}, x, x)).backward(),
      Catch::StartsWith(
          "WrongShapes: backward gave a gradient of shape (2,) for input 1 of shape (3,); a gradient has the "
          "shape of its input, or one that the input broadcasts to"));
  CHECK_THROWS_WITH(
      sum(apply(TooFew{}, x, x)).backward(),
      Catch::StartsWith(
          "TooFew: backward returned 1 gradients for 2 inputs; it must return one for each input of forward, "
          "an undefined Tensor for one that has none"));
  CHECK_THROWS_WITH(
      apply(OneUndefined{}, x),
      Catch::StartsWith("OneUndefined: forward returned an undefined tensor as output 1; every output needs a value"));
  CHECK_THROWS_WITH(apply(Affine{}, Tensor(), x, x),
                    Catch::StartsWith("Affine: input 0 is undefined and forward used it; give the Tensor a value"));
  CHECK_THROWS_WITH(
      apply(NotInPlace{}, x * 1.0),
      Catch::StartsWith(
          "NotInPlace: forward returned a tensor of shape (3,) that is not its first input, of shape (3,); an "
          "in_place operation writes its result there and returns it"));
  CHECK_THROWS_WITH(apply(NotInPlace{}, Tensor()), Catch::Contains("NotInPlace: the tensor to change in place"));
  CHECK_THROWS_WITH(apply(Templated<std::vector<int>>{}, x), Catch::Contains("Templated: forward"));
  CHECK_FALSE(x.grad().defined());
}

namespace {

// Their gradients are what they keep: an input, or a tensor of their own, whole or as a view, in one that cannot be
// copied too.
struct OfInput {
  Saved x = {};
  Tensor forward(const Tensor& input) {
    x = input;
    return square(input) * 0.5;
  }
  Tensor backward(const Tensor&) const { return x; }
};
template <bool as_view, class Extra>
struct OfOwn {
  Extra extra = {};
  Saved slope = {};
  Tensor forward(const Tensor& input) {
    slope = full(input.shape(), 3, {.dtype = input.dtype()});
    return input * 3.0;
  }
  Tensor backward(const Tensor&) const { return as_view ? reshape(slope, {-1}) : slope.get(); }
};
struct BothOfOwn {
  Saved slope = {};
  Tensor forward(const Tensor& a, const Tensor& b) {
    slope = full(a.shape(), 3, {.dtype = a.dtype()});
    return (a + b) * 3.0;
  }
  std::array<Tensor, 2> backward(const Tensor&) const { return {slope, slope}; }
};

template <class Op, class... Inputs>
void expect_out_of_reach(const Op& op, const Inputs&... inputs) {
  const std::vector<Tensor> all = {inputs...};
  const Tensor y = sum(apply(op, inputs...));
  std::vector<Tensor> first = grad(y, all, {.retain_graph = true}), expected;
  for (const Tensor& gradient : first) expected.push_back(gradient.clone());
  for (Tensor& gradient : first) gradient.mul_(100.0);
  const auto hook = all[0].register_hook([](const Tensor& gradient) {
    Tensor same = gradient;
    same.zero_();
    return Tensor();
  });
  grad(y, all, {.retain_graph = true});
  const_cast<HookHandle&>(hook).remove();
  const std::vector<Tensor> last = grad(y, all);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(allclose(last[i], expected[i]));
}

}  // namespace

TEST_CASE("apply: what an operation keeps is out of reach of who gets its gradient") {
  const Tensor x = full({3}, 2, leaf64), y = full({3}, 5, leaf64);
  expect_out_of_reach(OfInput{}, x);
  CHECK(x.data<double>()[0] == 2);
  expect_out_of_reach(OfOwn<false, int>{}, x);
  expect_out_of_reach(OfOwn<true, int>{}, x);
  expect_out_of_reach(BothOfOwn{}, x, y);
  expect_out_of_reach(OfOwn<false, std::vector<int>>{}, x);
  // The last pass hands the memory over, and that of no one else.
  Tensor g = grad(sum(apply(OfInput{}, x)), {x})[0];
  g.mul_(100.0);
  CHECK(x.data<double>()[0] == 2);
  const Tensor slope = grad(sum(apply(OfOwn<false, int>{}, x)), {x})[0];
  CHECK(slope.data<double>()[0] == 3);
}

TEST_CASE("losses: gradients that are kept are out of reach, and with weights that require one, right") {
  const Tensor t = tensor({0, 2, 1, -100}, {.dtype = int64}), x = sample({4, 3});
  const Tensor w = rand({3}, leaf64);
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
    for (const double smoothing : {0.0, 0.2})
      for (const bool weighted : {false, true}) {
        const Tensor weight = weighted ? w : Tensor();
        const auto loss = [&](const Tensor& in, const Tensor& classes) {
          return cross_entropy(in, t, {.weight = classes, .reduction = reduction, .label_smoothing = smoothing});
        };
        const auto likelihood = [&](const Tensor& in, const Tensor& classes) {
          return nll_loss(in, t, {.weight = classes, .reduction = reduction});
        };
        if (weighted) {
          expect_derivatives(loss, {x, w});
          expect_derivatives(likelihood, {x, w});
        }
        for (const Tensor& y : {sum(loss(x, weight)), sum(likelihood(x, weight))}) {
          Tensor first = grad(y, {x}, {.retain_graph = true})[0];
          const Tensor expected = first.clone();
          first.mul_(100.0);
          CHECK(allclose(grad(y, {x})[0], expected));
        }
      }
}

TEST_CASE("losses: targets that change before a recorded backward are an error, and do not matter to a plain one") {
  for (const bool from_logits : {false, true}) {
    const auto changed = [&](bool create_graph) {
      const Tensor x = sample({2, 3});
      Tensor t = tensor({0, 2}, {.dtype = int64});
      const Tensor loss = from_logits ? cross_entropy(x, t) : nll_loss(x, t);
      t.fill_(1000000000000);
      grad(loss, {x}, {.create_graph = create_graph});
    };
    CHECK_NOTHROW(changed(false));
    CHECK_THROWS_WITH(changed(true), Catch::StartsWith(from_logits ? "cross_entropy: " : "nll_loss: ") &&
                                         Catch::Contains("was changed in place by fill_"));
  }
}

TEST_CASE("batch norm: running statistics have gradients in evaluation") {
  const Tensor x = sample({4, 3}), w = sample({3}), b = sample({3}), mean = sample({3}), var = rand({3}, leaf64);
  expect_derivatives([](const Tensor& in, const Tensor& scale, const Tensor& shift, const Tensor& m,
                        const Tensor& v) { return batch_norm(in, m, v, scale, shift, {}); },
                     {x, w, b, mean, (var + 0.5).detach().requires_grad_()});
}

TEST_CASE("apply: an undefined gradient counts as zero, and one of another floating dtype is converted") {
  Tensor x = full({3}, 2, leaf64), y = full({3}, 5, leaf64);
  sum(apply(NoGradient{}, x, y)).backward();
  CHECK(x.grad().defined());
  CHECK_FALSE(y.grad().defined());
  sum(apply(OtherPrecision{}, y)).backward();
  CHECK(y.grad().dtype() == float64);
}
