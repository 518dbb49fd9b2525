#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/allocator.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <cmath>
#include <cstring>
#include <limits>

#include "../catch.hpp"

using namespace xgrad;

namespace {

Tensor normal(const Shape& shape, DType dtype = float64, std::uint64_t seed = 1) {
  Tensor x = empty(shape, {.dtype = float64});
  Generator(seed).normal(x.data<double>(), x.numel(), 0, 1);
  return x.to(dtype);
}

template <class T = double>
std::vector<T> values(const Tensor& x) {
  const Tensor dense = x.detach().contiguous();
  return std::vector<T>(dense.data<T>(), dense.data<T>() + dense.numel());
}

// Largest difference of two float64 tensors of one shape.
double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const auto x = values(a), y = values(b);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::fabs(x[i] - y[i]));
  return worst;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.contiguous(), y = b.contiguous();
  return x.shape() == y.shape() && x.dtype() == y.dtype() &&
         std::memcmp(x.impl().data, y.impl().data, static_cast<std::size_t>(x.numel()) * item_size(x.dtype())) == 0;
}

// The product of (..., m, k) and (..., k, n) by its definition.
Tensor naive(const Tensor& a, const Tensor& b) {
  const Tensor left = unsqueeze(a, -1), right = unsqueeze(b, -3);  // (..., m, k, 1), (..., 1, k, n)
  const Tensor products = left * right;
  Shape shape = products.shape();
  shape[shape.size() - 2] = 1;
  return squeeze(sum_to(products, shape), -2);
}

// The most memory that a call takes beyond what is live before it.
template <class F>
std::size_t peak_of(const F& f) {
  reset_peak_memory();
  const std::size_t before = memory_stats().live_bytes;
  f();
  return memory_stats().peak_bytes - before;
}

std::vector<Tensor> with_threads(int threads, const std::function<std::vector<Tensor>()>& f) {
  const int before = num_threads();
  set_num_threads(threads);
  auto results = f();
  set_num_threads(before);
  return results;
}

}  // namespace

TEST_CASE("matmul: agrees with the definition for every layout and broadcast batch") {
  const Shape batches[][2] = {{{}, {}},      {{2}, {}},     {{}, {3}},       {{2}, {2}},
                              {{2, 1}, {3}}, {{1}, {4, 2}}, {{3, 2}, {1, 2}}};
  const auto layouts = [](const Shape& batch, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
    Shape shape = batch, turned = batch, wide = batch;
    for (const std::int64_t size : {rows, columns}) shape.push_back(size);
    for (const std::int64_t size : {columns, rows}) turned.push_back(size);
    for (const std::int64_t size : {rows + 1, 2 * columns}) wide.push_back(size);
    const Tensor base = normal(wide, float64, seed);
    return std::vector<Tensor>{normal(shape, float64, seed),
                               transpose(normal(turned, float64, seed), -1, -2),
                               slice(slice(base, -2, 1), -1, 0, columns),       // rows further apart
                               slice(slice(base, -2, 1), -1, 0, INT64_MAX, 2),  // not for BLAS
                               flip(normal(shape, float64, seed), {-1}),
                               expand(slice(normal(shape, float64, seed), -1, 0, 1), shape)};
  };
  for (const auto& [left, right] : batches)
    for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{3, 4, 5}, {1, 4, 5}, {3, 1, 5}, {3, 4, 1}, {1, 1, 1}})
      for (const Tensor& a : layouts(left, m, k, 1))
        for (const Tensor& b : layouts(right, k, n, 2)) {
          CAPTURE(a.shape(), a.strides(), b.shape(), b.strides());
          CHECK(difference(matmul(a, b), naive(a, b)) < 1e-13);
        }
}

TEST_CASE("matmul: transposed matrices are not copied") {
  const Tensor a = normal({300, 200}, float32), b = normal({400, 300}, float32);
  const std::size_t result = 200 * 400 * sizeof(float);
  CHECK(peak_of([&] { matmul(transpose(a, 0, 1), transpose(b, 0, 1)); }) < result + 8192);
  const Tensor w = normal({200, 400}, float32);
  CHECK(peak_of([&] { linear(a, transpose(w, 0, 1)); }) < 300 * 400 * sizeof(float) + 8192);
}

TEST_CASE("matmul: empty sums are zero, empty results have their shape, backward too") {
  for (const auto& [left, right] : {std::pair<Shape, Shape>{{2, 0}, {0, 3}},
                                    {{0, 2}, {2, 3}},
                                    {{2, 3}, {3, 0}},
                                    {{0}, {0}},
                                    {{4, 2, 0}, {0}},
                                    {{0, 2, 3}, {3, 2}},
                                    {{2, 3}, {0, 3, 2}},
                                    {{5, 1, 2, 0}, {3, 0, 2}}}) {
    const Tensor a = ones(left, {.requires_grad = true}), b = ones(right, {.requires_grad = true});
    const Tensor y = matmul(a, b);
    CAPTURE(left, right, y.shape());
    for (const float element : values<float>(y)) CHECK(element == 0);
    y.backward(ones(y.shape()));
    CHECK(a.grad().shape() == left);
    CHECK(b.grad().shape() == right);
    for (const float element : values<float>(a.grad())) CHECK(element == 0);
  }
  CHECK(matmul(ones({0}), ones({0})).item() == 0);
  CHECK(matmul(ones({4, 2, 0}), ones({0})).shape() == Shape{4, 2});
}

TEST_CASE("matmul: dtypes are promoted, and gradients come back in the operand's own") {
  const Tensor a = normal({2, 3}, float32).requires_grad_(), b = normal({3, 2}).requires_grad_();
  const Tensor y = matmul(a, b);
  CHECK(y.dtype() == float64);
  y.backward(ones({2, 2}, {.dtype = float64}));
  CHECK(a.grad().dtype() == float32);
  CHECK(b.grad().dtype() == float64);
  CHECK(matmul(tensor({{1, 2}}, {.dtype = int64}), tensor({3, 4})).item() == 11);
  const Tensor mixed = linear(a, normal({4, 3}), tensor({1, 2, 3, 4}, {.dtype = int64}));
  CHECK(mixed.dtype() == float64);
}

TEST_CASE("matmul: int64 is exact and wraps around") {
  const Tensor a = tensor({{9007199254740993, 2}, {-3, INT64_MAX}}), b = tensor({{1, 3}, {0, 2}});
  CHECK(values<std::int64_t>(matmul(a, b)) == std::vector<std::int64_t>{9007199254740993, 27021597764222983, -3, -11});
  CHECK(values<std::int64_t>(matmul(transpose(a, 0, 1), b)) ==
        std::vector<std::int64_t>{9007199254740993, 27021597764222973, 2, 4});
  CHECK(matmul(tensor({1, 2}), tensor({3, 4})).item<std::int64_t>() == 11);
  CHECK(values<std::int64_t>(matmul(a, tensor({1, 1}))) == std::vector<std::int64_t>{9007199254740995, INT64_MAX - 3});
  CHECK(matmul(a, b.to(bool_)).dtype() == int64);
  CHECK(matmul(a, b.to(float64)).dtype() == float64);
  const Tensor batch = arange(24, {.dtype = int64});
  const Tensor left = reshape(batch, {2, 1, 3, 4}), right = transpose(reshape(batch, {3, 2, 4}), 1, 2);
  CHECK(values<std::int64_t>(matmul(left, right)) ==
        values<std::int64_t>(matmul(left.to(float64), right.to(float64)).to(int64)));
  CHECK(values<std::int64_t>(matmul(zeros({2, 0}, {.dtype = int64}), zeros({0, 1}, {.dtype = int64}))) ==
        std::vector<std::int64_t>{0, 0});
  CHECK_THROWS_AS(matmul(tensor({true}), tensor({true})), Error);
  CHECK_THROWS_AS(linear(a, b), Error);
}

TEST_CASE("matmul: NaN and infinity are not lost beside zeros") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const Tensor a = tensor({{nan, 0.0, 1.0}, {infinity, 0.0, 1.0}, {1.0, 2.0, 3.0}}), zero = zeros({3, 2});
  const auto y = values<float>(matmul(a, zero)), bias = values<float>(linear(a, zeros({2, 3}), ones({2})));
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(std::isnan(y[i]));
    CHECK(std::isnan(bias[i]));
  }
  CHECK(y[4] == 0);
  CHECK(bias[5] == 1);
}

TEST_CASE("matmul: the same bits for any number of threads, forward and backward") {
  const std::pair<Shape, Shape> shapes[] = {
      {{200, 300}, {300, 100}}, {{9, 40, 50}, {9, 50, 60}}, {{700, 900}, {900}}, {{6, 64, 90}, {90, 200}}};
  for (const auto& [left, right] : shapes) {
    const auto run = [&, l = left, r = right] {
      const Tensor a = normal(l, float32).requires_grad_(), b = normal(r, float32, 2).requires_grad_();
      const Tensor y = matmul(a, b);
      y.backward(y.detach());
      return std::vector<Tensor>{y.detach(), a.grad(), b.grad()};
    };
    const auto one = with_threads(1, run);
    for (const int threads : {2, 4}) {
      const auto many = with_threads(threads, run);
      for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], many[i]));
    }
  }
}

TEST_CASE("matmul: derivatives of third order") {
  const Tensor x = normal({3}).requires_grad_(), a = normal({3, 3}, float64, 2);
  const auto second = [&](const Tensor& v) {
    const EnableGrad enable_grad;
    const Tensor y = matmul(v, matmul(a, v));
    const Tensor f = y * y;
    const Tensor g = grad(f, {v}, {.create_graph = true})[0];
    return grad(sum_to(g * g, {}), {v}, {.create_graph = true})[0];
  };
  const auto result = gradcheck(second, {x});
  INFO(result.message);
  CHECK(result);
}

TEST_CASE("matmul: sizes that BLAS cannot take are errors before anything is allocated") {
  const Tensor wide = expand(ones({1, 1}), {2, std::int64_t{1} << 31}),
               tall = expand(ones({1, 1}), {std::int64_t{1} << 31, 2});
  CHECK(peak_of([&] {
          CHECK_THROWS_WITH(matmul(wide, tall), Catch::Contains("(2, 2147483648) x (2147483648, 2)"));
          CHECK_THROWS_WITH(matmul(tall, ones({2, 2})), Catch::Contains("2147483648 is over"));
          CHECK_THROWS_AS(matmul(ones({2, 2}), wide), Error);
          CHECK_THROWS_AS(linear(wide, wide), Error);
          CHECK_THROWS_AS(linear(ones({2, 2}), tall), Error);
        }) < 100000);
  const Tensor many = expand(ones({1, 1, 1}), {std::int64_t{1} << 40, 1 << 20, 1});
  CHECK_THROWS_WITH(matmul(many, expand(ones({1, 1, 1}), {1, 1, 1 << 20})), Catch::Contains("more than 2^63 - 1"));
}

TEST_CASE("linear: is input weight^T + bias, for any layout, large and small") {
  for (const auto& [rows, in, out] : {std::array<std::int64_t, 3>{5, 4, 3}, {1, 4, 3}, {5, 1, 1}, {200, 150, 170}}) {
    const Tensor w = normal({out, in}, float64, 2), b = normal({out}, float64, 3);
    for (const Tensor& x :
         {normal({rows, in}), transpose(normal({in, rows}), 0, 1), slice(normal({rows, 2 * in}), 1, 0, 2 * in, 2)}) {
      CAPTURE(rows, in, out, x.strides());
      CHECK(difference(linear(x, w, b), naive(x, transpose(w, 0, 1)) + b) < 1e-11);
      CHECK(difference(linear(x, w), naive(x, transpose(w, 0, 1))) < 1e-11);
    }
  }
  CHECK(values(linear(ones({2, 0}, {.dtype = float64}), ones({3, 0}, {.dtype = float64}),
                      tensor({1, 2, 3}, {.dtype = float64}))) == std::vector<double>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("linear: the gradient is the same with and without its graph") {
  for (const Shape& shape : {Shape{6, 4}, {4}, {2, 3, 4}, {0, 4}}) {
    const Tensor x = normal(shape).requires_grad_(), w = normal({3, 4}, float64, 2).requires_grad_(),
                 b = normal({3}, float64, 3).requires_grad_();
    const Tensor y = linear(x, w, b), seed = normal(y.shape(), float64, 4);
    const auto direct = grad(y, {x, w, b}, {.retain_graph = true, .grad_outputs = {seed}});
    const auto composed = grad(y, {x, w, b}, {.create_graph = true, .grad_outputs = {seed}});
    for (std::size_t i = 0; i < 3; ++i) CHECK(difference(direct[i], composed[i].detach()) < 1e-14);
    CHECK(direct[2].shape() == Shape{3});
  }
}

TEST_CASE("linear: computes and keeps only what its gradients need") {
  const Tensor x = normal({300, 200}, float32), w = normal({10, 200}, float32, 2).requires_grad_();
  const Tensor y = linear(x, w), seed = ones(y.shape());
  CHECK(peak_of([&] { y.backward(seed); }) < 200 * 300 * sizeof(float));  // no gradient of x
  CHECK(w.grad().shape() == w.shape());

  // The weight is not needed for its own gradient: it may change in place before backward.
  const Tensor z = linear(x, w);
  w.impl().storage->raise_version();
  z.backward(seed);
  // For that of the input it is.
  const Tensor v = normal({300, 200}, float32).requires_grad_();
  const Tensor u = linear(v, w.detach());
  w.impl().storage->raise_version();
  CHECK_THROWS_WITH(u.backward(seed), Catch::Contains("linear") && Catch::Contains("version"));
}
