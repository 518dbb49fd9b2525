// Operations whose kernels read and write 16 bits: the value and the gradient of the input are those of float32,
// rounded once.
#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/group_norm.hpp>
#include <xgrad/ops/layer_norm.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../catch.hpp"

using namespace xgrad;

namespace {

using Function = std::function<Tensor(const Tensor&)>;

std::vector<double> numbers(const Tensor& x) { return x.to(float64).to_vector<double>(); }

/// Nearest to what float32 gave, whose own rounding may decide a tie; or `places` in the last place further.
void check_rounded(const Tensor& actual, const Tensor& exact, double places, const char* what) {
  const DType half = actual.dtype();
  REQUIRE(half != exact.dtype());
  REQUIRE(actual.shape() == exact.shape());
  const auto a = numbers(actual), e = numbers(exact), rounded = numbers(exact.to(half));
  std::int64_t wrong = 0;
  double largest = 0;  // sums of numbers like it stand behind small ones
  for (const double one : e)
    if (std::isfinite(one)) largest = std::max(largest, std::abs(one));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == rounded[i] || (a[i] != a[i] && e[i] != e[i])) continue;
    int exponent = 0;
    std::frexp(e[i], &exponent);
    const double place = std::ldexp(1, half == bfloat16 ? exponent - 8 : std::max(exponent - 11, -24));
    wrong += std::abs(a[i] - e[i]) <= (places + 0.5) * place + 0x1p-20 * largest ? 0 : 1;
  }
  INFO(what);
  CHECK(wrong == 0);
}

/// f of x and its gradient, for an upstream gradient `scale` times some numbers.
void check(const Function& f, const Tensor& x, double places, double scale = 1) {
  Tensor half = x.detach(), single = x.detach().to(float32);
  half.requires_grad_(), single.requires_grad_();
  const Tensor y = f(half), exact = f(single);
  check_rounded(y, exact, places, "value");
  if (!y.requires_grad()) return;
  const Tensor seed = y.dim() == 0 ? full({}, scale, {.dtype = x.dtype()}) : (randn(y.shape()) * scale).to(x.dtype());
  const Tensor g = grad({y}, {half}, {.grad_outputs = {seed}})[0],
               exact_g = grad({exact}, {single}, {.grad_outputs = {seed.to(float32)}})[0];
  CHECK(g.dtype() == x.dtype());
  check_rounded(g, exact_g, places, "gradient");
}

/// (rows, width), in several layouts.
std::vector<Tensor> layouts(std::int64_t rows, std::int64_t width, DType half) {
  return {(randn({rows, width}) * 3).to(half), transpose((randn({width, rows}) * 3).to(half), 0, 1),
          slice((randn({rows, 2 * width}) * 3).to(half), 1, 0, 2 * width, 2)};
}

constexpr std::int64_t sizes[][2] = {{1, 1}, {3, 7}, {40, 33}, {70, 99}, {5, 100}, {3, 2100}, {2, 9000}, {300, 65}};

}  // namespace

TEST_CASE("16 bits: softmax and norms of rows") {
  manual_seed(1);
  for (const DType half : {bfloat16, float16})
    for (const auto& [rows, n] : sizes)
      for (const Tensor& x : layouts(rows, n, half)) {
        const std::int64_t width = n;
        INFO(half << " " << rows << " x " << width);
        const Tensor weight = randn({width}).to(half), bias = randn({width}).to(half);
        for (const std::int64_t axis : {0, 1}) {
          check([axis](const Tensor& in) { return softmax(in, axis); }, x, 0);
          check([axis](const Tensor& in) { return log_softmax(in, axis); }, x, 0);
        }
        check([&](const Tensor& in) { return layer_norm(in, {width}, weight.to(in.dtype()), bias.to(in.dtype())); }, x,
              0);
        check([&](const Tensor& in) { return rms_norm(in, {width}, weight.to(in.dtype())); }, x, 0);
      }
}

TEST_CASE("16 bits: gradients of weights of norms of rows") {
  manual_seed(2);
  const Tensor x = randn({200, 130}).to(bfloat16), seed = randn({200, 130}).to(bfloat16);
  Tensor weight = ones({130}, {.dtype = bfloat16, .requires_grad = true}),
         single = ones({130}, {.dtype = float32, .requires_grad = true});
  layer_norm(x, {130}, weight).backward(seed);
  layer_norm(x.to(float32), {130}, single).backward(seed.to(float32));
  check_rounded(weight.grad(), single.grad(), 0, "weight");
}

TEST_CASE("16 bits: cross_entropy") {
  manual_seed(3);
  for (const DType half : {bfloat16, float16})
    for (const auto& [rows, classes] : sizes)
      for (const Tensor& x : layouts(rows, classes, half)) {
        INFO(half << " " << rows << " x " << classes);
        const Tensor y = randint(0, classes, {rows}), weight = rand({classes}).to(half);
        for (const double scale : {1.0, 3.0, 4096.0})
          for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none})
            check(
                [&, r = reduction](const Tensor& in) {
                  return cross_entropy(in, y,
                                       {.weight = weight.to(in.dtype()), .reduction = r, .label_smoothing = 0.1});
                },
                x, 0, scale);
      }
}

TEST_CASE("16 bits: an upstream gradient that is large keeps what a small one would lose") {
  const Tensor x = zeros({512, 40}, {.dtype = float16, .requires_grad = true});
  cross_entropy(x, zeros({512}, {.dtype = int64})).backward(tensor(32768.0, {.dtype = float16}));
  CHECK(x.grad()[0][1].item() == Approx(32768.0 / 512 / 40).epsilon(0x1p-11));
}

TEST_CASE("16 bits: norms of channels") {
  manual_seed(4);
  for (const DType half : {bfloat16, float16})
    for (const Shape& shape : {Shape{3, 4, 5}, Shape{2, 8, 300}, Shape{70, 6, 9}, Shape{4, 130, 2}, Shape{2, 2, 20000}})
      for (const bool lies_last : {false, true}) {
        Tensor x = (randn(shape) * 2 + 1).to(half);
        if (lies_last) x = permute(permute(x, {0, 2, 1}).contiguous(), {0, 2, 1});
        INFO(half << " " << shape << (lies_last ? ", channels last" : ""));
        const std::int64_t channels = shape[1];
        const Tensor w = randn({channels}).to(half), b = randn({channels}).to(half), added = randn(shape).to(half);
        const auto as = [](const Tensor& t, const Tensor& like) { return t.to(like.dtype()); };
        for (const bool training : {false, true}) {
          const Tensor mean = zeros({channels}), var = ones({channels});
          check(
              [&](const Tensor& in) {
                return batch_norm(in, as(mean, in), as(var, in), as(w, in), as(b, in), {.training = training});
              },
              x, 0);
          check(
              [&](const Tensor& in) {
                return batch_norm_relu(in, as(mean, in), as(var, in), as(w, in), as(b, in), as(added, in),
                                       {.training = training});
              },
              x, 0);
        }
        check([&](const Tensor& in) { return group_norm(in, 2, as(w, in), as(b, in)); }, x, 0);
      }
}

TEST_CASE("16 bits: reductions over any axes") {
  manual_seed(5);
  const std::vector<Axes> some_axes = {Axes{}, 0, 1, 2, Axes{0, 1}, Axes{0, 2}, Axes{1, 2}};
  for (const DType half : {bfloat16, float16})
    for (const Shape& shape :
         {Shape{3, 4, 5}, Shape{2, 300, 70}, Shape{1, 9000, 3}, Shape{20, 3, 1500}, Shape{0, 2, 3}})
      for (const Axes& axes : some_axes) {
        const Tensor x = (rand(shape) + 0.5).to(half), turned = transpose(x, 0, 2);
        for (const Tensor& in : {x, turned}) {
          INFO(half << " " << in.shape());
          check([&](const Tensor& t) { return sum(t, axes); }, in, 0);
          if (in.numel() == 0) continue;
          check([&](const Tensor& t) { return mean(t, axes); }, in, 0);
          check([&](const Tensor& t) { return amax(t, axes); }, in, 1);
          check([&](const Tensor& t) { return amin(t, axes); }, in, 1);
        }
      }
  CHECK(sum(full({70000}, 3e38, {.dtype = bfloat16}) * -1).item() == -INFINITY);
  CHECK(mean(full({70000}, 3e38, {.dtype = bfloat16})).item() == Approx(3e38).epsilon(0x1p-8));
  CHECK(sum(full({70000}, 100, {.dtype = int8})).item<std::int64_t>() == 7000000);
}
