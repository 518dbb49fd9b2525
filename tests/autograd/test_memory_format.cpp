// Tensors whose axes lie in another order than row-major: which operations keep that, and that none copies.
#include <xgrad/xgrad.hpp>

#include <functional>

#include "../catch.hpp"
#include "../ops/values.hpp"
#include "../temporary_directory.hpp"
#include "../trace.hpp"

using namespace xgrad;

namespace {

const Shape image_shape{2, 6, 5, 4};

Tensor image(std::uint64_t seed, const TensorOptions& options = {}) {
  Generator generator(seed);
  TensorOptions drawn = options;
  drawn.generator = &generator;
  return randn(image_shape, drawn);
}

/// The same elements with the axes in another order in memory.
Tensor in_order(const Tensor& x, const Shape& order) {
  Shape back = order;
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return permute(permute(x.detach(), order).contiguous(), back);
}

bool lie_alike(const Tensor& a, const Tensor& b) { return detail::lies_like(a, b); }

/// How often `run` copied elements because they did not lie as an operation needs them.
std::size_t copies(const std::function<void()>& run) {
  const TemporaryDirectory directory;
  const auto path = directory.path("trace.json");
  {
    const Profile profile(path);
    run();
  }
  std::size_t count = 0;
  for (const auto& event : events_of(path))
    count += event.at("cat") == "layout" || event.at("name") == "contiguous" ? 1 : 0;
  return count;
}

void check_close(const Tensor& a, const Tensor& b, double bound = 1e-5) {
  REQUIRE(a.shape() == b.shape());
  CHECK(allclose(a, b, {.rtol = bound, .atol = bound}));
}

}  // namespace

TEST_CASE("memory format: channels_last of three, four and five axes") {
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 3, 4, 5}, Shape{2, 3, 4, 5, 6}}) {
    CAPTURE(shape);
    const Tensor x = rand(shape), y = x.contiguous(channels_last);
    CHECK(x.is_contiguous());
    CHECK(x.is_contiguous(MemoryFormat::contiguous));
    CHECK_FALSE(x.is_contiguous(channels_last));
    CHECK(y.is_contiguous(channels_last));
    CHECK_FALSE(y.is_contiguous());
    CHECK(y.shape() == shape);
    CHECK(y.strides()[1] == 1);
    CHECK(y.strides().back() == 3);
    CHECK(y.strides()[0] == x.strides()[0]);
    CHECK(values<float>(x) == values<float>(y));
    CHECK(y.contiguous(channels_last).reference() == y.reference());
    CHECK(y.contiguous().is_contiguous());
    CHECK(values<float>(y.contiguous()) == values<float>(x));
  }
}

TEST_CASE("memory format: where only one order is possible, tensors have both formats") {
  for (const Shape& shape : {Shape{4, 3, 1, 1}, Shape{4, 1, 3, 5}, Shape{0, 3, 4, 4}}) {
    CAPTURE(shape);
    const Tensor x = rand(shape);
    CHECK(x.is_contiguous(channels_last));
    CHECK(x.is_contiguous());
    CHECK((x * 2).is_contiguous());
  }
  CHECK(ones({2, 3}).is_contiguous(channels_last) == false);
  CHECK_THROWS_WITH(ones({2, 3}).contiguous(channels_last), Catch::Contains("a tensor of shape (2, 3)"));
  CHECK_THROWS_WITH(ones({1, 1, 2, 2, 2, 2}).clone(channels_last), Catch::Contains("channels last"));
}

TEST_CASE("memory format: the copy is differentiable, of every order") {
  const auto f = [](const Tensor& x) { return square(x.contiguous(channels_last)); };
  const Tensor x = image(1, {.dtype = float64, .requires_grad = true});
  CHECK(gradcheck(f, {x}));
  CHECK(gradgradcheck(f, {x}));
}

TEST_CASE("memory format: copies, conversions and the functions named after a tensor keep a dense order") {
  const Tensor x = image(1);
  for (const Shape& order : {Shape{0, 2, 3, 1}, Shape{2, 0, 3, 1}, Shape{3, 2, 1, 0}}) {
    CAPTURE(order);
    const Tensor y = in_order(x, order);
    CHECK(lie_alike(y.clone(), y));
    CHECK(values<float>(y.clone()) == values<float>(x));
    CHECK(lie_alike(y.to(float64), y));
    CHECK(values<double>(y.to(float64)) == values<double>(x.to(float64)));
    CHECK(y.clone(MemoryFormat::contiguous).is_contiguous());
    CHECK(y.clone(channels_last).is_contiguous(channels_last));
    for (const Tensor& like : {zeros_like(y), ones_like(y), empty_like(y), full_like(y, 3), rand_like(y), randn_like(y),
                               randint_like(y, 0, 5), zeros_like(y, {.dtype = int64})})
      CHECK(lie_alike(like, y));
  }
  const Tensor part = slice(x.contiguous(channels_last), 1, 2, 5);  // not dense, yet the channels lie last
  CHECK(part.clone().is_contiguous(channels_last));
  CHECK((part * 2).is_contiguous(channels_last));
  CHECK(expand(ones({1, 6, 1, 1}), image_shape).clone().is_contiguous());
}

TEST_CASE("memory format: elementwise operations and their gradients lie as what they are of") {
  using Inputs = std::vector<Tensor>;
  const std::vector<std::function<Tensor(const Inputs&)>> functions{
      [](const Inputs& x) { return exp(x[0]); },
      [](const Inputs& x) { return relu(x[0]); },
      [](const Inputs& x) { return gelu(x[0]); },
      [](const Inputs& x) { return x[0] * x[1] + 2; },
      [](const Inputs& x) { return x[0] / (x[1] * x[1] + 1) - x[0]; },
      [](const Inputs& x) { return where(x[0] > 0, x[0], x[1]); },
      [](const Inputs& x) { return maximum(x[0], x[1]); },
      [](const Inputs& x) { return elementwise("bell", [](auto a, auto b) { return a * exp(-b * b); })(x[0], x[1]); },
      [](const Inputs& x) { return softmax(x[0], 1) * x[1]; },
      [](const Inputs& x) { return log_softmax(x[0], 3) + x[1]; }};
  const Tensor a = image(1, {.requires_grad = true}), b = image(2, {.requires_grad = true}), up = image(3);
  for (std::size_t i = 0; i < functions.size(); ++i)
    for (const Shape& order : {Shape{0, 2, 3, 1}, Shape{3, 2, 1, 0}, Shape{1, 0, 2, 3}}) {
      CAPTURE(i, order);
      const Inputs plain{a, b}, other{in_order(a, order).requires_grad_(), in_order(b, order).requires_grad_()};
      const Tensor y = functions[i](plain);
      const Inputs expected = grad(y, plain, {.allow_unused = true, .grad_outputs = {up}});
      Tensor z;
      Inputs found;
      CHECK(copies([&] {
              z = functions[i](other);
              const Tensor seed = detail::laid_like(up, z);
              found = grad(z, other, {.allow_unused = true, .grad_outputs = {seed}});
            }) == 1);  // that of the seed
      CHECK(lie_alike(z, other[0]));
      check_close(z, y);
      for (std::size_t k = 0; k < 2; ++k) {
        REQUIRE(found[k].defined() == expected[k].defined());
        if (!found[k].defined()) continue;
        CHECK(lie_alike(found[k], other[k]));
        check_close(found[k], expected[k]);
      }
    }
}

TEST_CASE("memory format: an expanded gradient takes the order of what it is multiplied by") {
  const Tensor x = image(1).contiguous(channels_last).requires_grad_(), y = exp(x);
  CHECK(copies([&] { mean(y, {2, 3}).backward(ones({2, 6})); }) == 0);
  CHECK(x.grad().is_contiguous(channels_last));
}

TEST_CASE("memory format: sums over what was broadcast read any order") {
  const Tensor up = image(1);
  for (const Shape& shape : {Shape{6, 1, 1}, Shape{5, 4}, Shape{2, 1, 5, 1}, Shape{1, 1, 1, 1}, Shape{}}) {
    CAPTURE(shape);
    const Tensor expected = sum_to(up, shape), last = up.contiguous(channels_last);
    Tensor found;
    CHECK(copies([&] { found = sum_to(last, shape); }) == 0);
    check_close(found, expected);
  }
  const Tensor leading = sum_to(reshape(up, {1, 2, 6, 5, 4}), image_shape);
  CHECK(values<float>(leading) == values<float>(up));
}

TEST_CASE("memory format: gradients that accumulate, in the order of the first") {
  const Tensor x = image(1).contiguous(channels_last).requires_grad_();
  CHECK(copies([&] {
          for (int pass = 0; pass < 2; ++pass) (x * x + exp(x) + x).backward(full_like(x, 1));
        }) == 0);
  CHECK(x.grad().is_contiguous(channels_last));
  check_close(x.grad(), 2 * (2 * x.detach() + exp(x.detach()) + 1));
}

TEST_CASE("memory format: a step of a network in channels-last order copies nothing") {
  nn::BatchNorm2d norm(6), second(6);
  nn::Dropout dropout(0.25);
  const Tensor x = image(1).contiguous(channels_last);
  Tensor weight = full({1, 6, 5, 4}, 0.5).clone(channels_last).requires_grad_();
  std::vector<Tensor> parameters = nn::parameters(norm);
  for (const Tensor& parameter : nn::parameters(second)) parameters.push_back(parameter);
  parameters.push_back(weight);
  optim::SGD sgd(parameters, {.lr = 0.1, .momentum = 0.9, .nesterov = true});
  optim::Adam adam(parameters, {.lr = 0.1});

  std::vector<Tensor> intermediates;
  std::size_t gradients = 0, astray = 0;
  std::vector<HookHandle> hooks;
  const auto watch = [&](const Tensor& y) {
    intermediates.push_back(y);
    hooks.push_back(y.register_hook([&](const Tensor& grad) {
      ++gradients;
      if (!grad.is_contiguous(channels_last)) ++astray;
      return Tensor();
    }));
    return y;
  };
  CHECK(copies([&] {
          for (int step = 0; step < 2; ++step) {
            const Tensor scaled = watch(x * weight), hidden = watch(relu(watch(norm(scaled))));
            const Tensor sum = watch(watch(second(hidden)) + scaled), y = dropout(watch(relu(sum)));
            const Tensor loss = mean(square(mean(y, {2, 3})));
            loss.backward();
            sgd.step();
            adam.step();
            sgd.zero_grad();
          }
        }) == 0);
  CHECK(gradients == 12);
  CHECK(astray == 0);
  for (const Tensor& y : intermediates) CHECK(y.is_contiguous(channels_last));
  CHECK(weight.is_contiguous(channels_last));
}

TEST_CASE("memory format: batch norm gives in every order what it gives in row-major") {
  for (const bool training : {true, false}) {
    const Tensor weight = rand({6}, {.requires_grad = true}), bias = rand({6}, {.requires_grad = true});
    const auto run = [&](const Tensor& input, const Tensor& up) {
      const Tensor mean = full({6}, 0.1), variance = full({6}, 1.5), x = input.detach().requires_grad_();
      const Tensor y = batch_norm(x, mean, variance, weight, bias, {.training = training});
      std::vector<Tensor> results = grad(y, {x, weight, bias}, {.grad_outputs = {up}});
      results.insert(results.end(), {y, mean, variance});
      return results;
    };
    const Tensor x = image(1) + 3, up = image(2);
    const std::vector<Tensor> expected = run(x, up);
    for (const Shape& order : {Shape{0, 2, 3, 1}, Shape{1, 0, 2, 3}, Shape{3, 2, 1, 0}, Shape{2, 1, 0, 3}}) {
      CAPTURE(order);
      const Tensor input = in_order(x, order), seed = in_order(up, order);
      std::vector<Tensor> found;
      CHECK(copies([&] { found = run(input, seed); }) == 0);
      CHECK(lie_alike(found[0], input));
      CHECK(lie_alike(found[3], input));
      for (std::size_t i = 0; i < expected.size(); ++i) check_close(found[i], expected[i]);
      check_close(run(input, up)[0], expected[0]);  // a gradient that lies otherwise is copied
    }
  }
}

TEST_CASE("memory format: optimizers step where parameter, gradient and buffers lie") {
  const Tensor start = image(1), gradient = image(2);
  const auto train = [&](const Tensor& from, const Tensor& slope, auto make) {
    const Tensor parameter = from.clone().requires_grad_();
    auto optimizer = make(std::vector<Tensor>{parameter});
    for (int step = 0; step < 3; ++step) {
      parameter.set_grad(slope);
      optimizer.step();
    }
    auto resumed = make(std::vector<Tensor>{parameter});
    resumed.load_state_dict(optimizer.state_dict());
    resumed.step();
    return parameter.detach();
  };
  const auto check_all = [&](auto make) {
    const Tensor expected = train(start, gradient, make), last = start.contiguous(channels_last),
                 slope = gradient.contiguous(channels_last);
    Tensor found;
    CHECK(copies([&] { found = train(last, slope, make); }) == 0);
    CHECK(found.is_contiguous(channels_last));
    CHECK(values<float>(found) == values<float>(expected));
    CHECK(values<float>(train(last, gradient, make)) == values<float>(expected));
    CHECK(values<float>(train(start, slope, make)) == values<float>(expected));
  };
  check_all([](std::vector<Tensor> p) { return optim::SGD(std::move(p), {.lr = 0.1, .momentum = 0.9}); });
  check_all([](std::vector<Tensor> p) { return optim::Adam(std::move(p), {.lr = 0.1}); });
  const Tensor gaps = slice(start, 3, 0, 2).detach().requires_grad_();
  CHECK_THROWS_WITH(optim::SGD({gaps}, {.lr = 0.1}), Catch::Contains("has gaps"));
}

TEST_CASE("memory format: gradients are clipped as they lie") {
  const Tensor x = zeros(image_shape).contiguous(channels_last).requires_grad_(),
               up = image(1).contiguous(channels_last);
  x.set_grad(up.clone());
  double norm = 0;
  CHECK(copies([&] { norm = optim::clip_grad_norm_({x}, 1); }) == 0);
  CHECK(x.grad().is_contiguous(channels_last));
  CHECK(norm == Approx(sqrt(sum(square(up))).item()));
  check_close(x.grad(), up / norm);
}

TEST_CASE("memory format: a copy that an operation needs is in the profile") {
  const Tensor x = image(1).contiguous(channels_last);
  CHECK(copies([&] { cumsum(x, 3); }) == 1);
  CHECK(copies([&] { reshape(x, {12, 20}); }) == 1);
  CHECK(copies([&] { x.contiguous(); }) == 1);
  CHECK(copies([&] { sum(slice(x, 1, 0, 2)); }) == 1);
}
