#include <xgrad/kernels/int8_gemm.hpp>
#include <xgrad/kernels/rounded_gemm.hpp>
#include <xgrad/kernels/tile_gemm.hpp>
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <numeric>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;
using detail::TileFactor;

namespace {

constexpr DType half = bfloat16;

Tensor halves(const Shape& shape) { return randn(shape).to(half); }

/// The Euclidean norm of the difference by that of b.
double difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.detach().to(float64), y = b.detach().to(float64);
  return std::sqrt(sum(square(x - y)).item() / sum(square(y)).item());
}

/// The sums of a product, in rows of n.
struct Product {
  std::int64_t n;
  std::vector<float> sums;
  Product(std::int64_t m, std::int64_t columns)
      : n(columns), sums(static_cast<std::size_t>(m * columns), std::nanf("")) {}
  detail::TileConsumer<BFloat16> consumer() {
    return {[](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
               const float* tile) {
              auto& to = *static_cast<Product*>(const_cast<void*>(context));
              for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = 0; j < columns; ++j)
                  to.sums[static_cast<std::size_t>((row + i) * to.n + column + j)] = tile[i * 32 + j];
            },
            this};
  }
  Tensor tensor() const { return from_values(sums, {static_cast<std::int64_t>(sums.size()) / n, n}); }
};

}  // namespace

TEST_CASE("tile_gemm: factors that lie in either direction, in one run or in several") {
  if (!detail::has_tile_gemm<BFloat16>()) return;
  manual_seed(1);
  struct Sizes {
    std::int64_t m, n, runs, run_length;
  };
  for (const auto& [m, n, runs, run_length] : {Sizes{5, 3, 1, 7}, Sizes{33, 65, 9, 16}, Sizes{40, 17, 25, 3},
                                               Sizes{70, 100, 3, 500}, Sizes{16, 700, 2, 640}, Sizes{64, 32, 9, 64}}) {
    CAPTURE(m, n, runs, run_length);
    const std::int64_t k = runs * run_length, gap = run_length + 5;
    const Tensor a = halves({m, k}), b = halves({k, n});
    const Tensor exact = matmul(a.to(float64), b.to(float64));
    // The rows of a lie apart, each in runs with something between them.
    const Tensor scattered = full({m, runs, gap}, NAN, {.dtype = half});
    narrow(scattered, 2, 0, run_length).copy_(reshape(a, {m, runs, run_length}));
    std::vector<std::int64_t> rows, run_starts;
    for (std::int64_t i = 0; i < m; ++i) rows.push_back(i * runs * gap);
    for (std::int64_t i = 0; i < runs; ++i) run_starts.push_back(i * gap);
    const Tensor turned_a = transpose(a, 0, 1).contiguous(), turned_b = transpose(b, 0, 1).contiguous();
    const TileFactor<BFloat16> factors_of_a[] = {{.data = a.data<BFloat16>(), .along = true, .ld = k},
                                                 {.data = turned_a.data<BFloat16>(), .along = false, .ld = m},
                                                 {.data = scattered.data<BFloat16>(),
                                                  .along = true,
                                                  .places = rows.data(),
                                                  .runs = run_starts.data(),
                                                  .run_length = run_length}};
    const TileFactor<BFloat16> factors_of_b[] = {{.data = b.data<BFloat16>(), .along = false, .ld = n},
                                                 {.data = turned_b.data<BFloat16>(), .along = true, .ld = k}};
    std::vector<float> first;
    for (const auto& left : factors_of_a)
      for (const auto& right : factors_of_b) {
        Product product(m, n), by_panels(m, n);
        detail::tile_gemm<BFloat16>(m, n, k, left, right, product.consumer());
        detail::TilePanels<BFloat16>(n, k, right).multiply(m, left, by_panels.consumer());
        CHECK(difference(product.tensor(), exact) < 1e-6);
        if (first.empty()) first = product.sums;
        CHECK(product.sums == first);
        CHECK(by_panels.sums == first);
      }
    // Lines in runs, as the patches of a convolution have them in the gradient of its weight.
    const TileFactor<BFloat16> lines{.data = scattered.data<BFloat16>(),
                                     .along = false,
                                     .places = rows.data(),
                                     .runs = run_starts.data(),
                                     .run_length = run_length};
    const Tensor grad = halves({m, n});
    Product of_weight(n, k);
    detail::tile_gemm<BFloat16>(n, k, m, {.data = grad.data<BFloat16>(), .along = false, .ld = n}, lines,
                                of_weight.consumer());
    CHECK(difference(of_weight.tensor(), matmul(transpose(grad, 0, 1).to(float64), a.to(float64))) < 1e-6);
  }
}

TEST_CASE("tile_gemm: infinity and NaN pass, subnormal numbers count as 0, sums are rounded to even") {
  if (!detail::has_tile_gemm<BFloat16>()) return;
  const Tensor a = tensor({{256, 1}, {256, 3}, {INFINITY, 1}, {NAN, 0}, {1e-39, 1e-39}}).to(half);
  const Tensor sums = matmul(a, ones({2, 3}, {.dtype = half}));
  CHECK(sums.at({0, 0}) == 256);  // of 257, between 256 and 258
  CHECK(sums.at({1, 2}) == 260);  // of 259, between 258 and 260
  CHECK(std::isinf(sums.at({2, 1})));
  CHECK(std::isnan(sums.at({3, 0})));
  CHECK(sums.at({4, 0}) == 0);
}

TEST_CASE("int8_gemm: sums are exact, for any number of threads") {
  manual_seed(2);
  const int before = num_threads();
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 5, 9},
                                {2, 70, 64},
                                {31, 33, 130},
                                {33, 16, 65},
                                {100, 300, 2100},
                                {64, 1, 4000},
                                {40, 40, 3}}) {
    CAPTURE(m, n, k);
    const Tensor a = randint(-127, 128, {m, k}).to(int8), b = randint(-127, 128, {n, k}).to(int8);
    const Tensor exact = matmul(a.to(float64), transpose(b, 0, 1).to(float64));
    const std::vector<float> ones_of_a(static_cast<std::size_t>(m), 1), ones_of_b(static_cast<std::size_t>(n), 1);
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      const Tensor y = full({m, n}, NAN);
      detail::int8_gemm(m, n, k, a.data<std::int8_t>(), ones_of_a.data(), b.data<std::int8_t>(), ones_of_b.data(),
                        nullptr, y.data<float>());
      CHECK(y.to_vector<float>() == exact.to_vector<float>());
    }
  }
  set_num_threads(before);
}

TEST_CASE("rounded_gemm: products of what is rounded, added to what is there, or to a bias") {
  if (!detail::has_tile_gemm<BFloat16>()) return;
  manual_seed(3);
  for (const bool turned_a : {false, true})
    for (const bool turned_b : {false, true}) {
      const Tensor a = randn(turned_a ? Shape{70, 45} : Shape{45, 70}),
                   b = randn(turned_b ? Shape{90, 70} : Shape{70, 90}), c = randn({45, 90}), bias = randn({90});
      const auto rounded = [](const Tensor& x, bool turned) {
        const Tensor wide = x.to(half).to(float64);
        return turned ? transpose(wide, 0, 1) : wide;
      };
      const Tensor exact = matmul(rounded(a, turned_a), rounded(b, turned_b));
      const detail::RoundedFactor factor(turned_b, 70, 90, b.data<float>(), b.size(1));
      const Tensor sum = c.clone(), product = full({45, 90}, NAN), with_bias = full({45, 90}, NAN);
      factor.multiply(turned_a, 45, a.data<float>(), a.size(1), 1, sum.data<float>(), 90);
      factor.multiply(turned_a, 45, a.data<float>(), a.size(1), 0, product.data<float>(), 90);
      factor.multiply(turned_a, 45, a.data<float>(), a.size(1), 0, with_bias.data<float>(), 90, bias.data<float>());
      CHECK(difference(product, exact) < 1e-6);
      CHECK(difference(sum, exact + c) < 1e-6);
      CHECK(difference(with_bias, exact + bias) < 1e-6);
    }
}

TEST_CASE("convolution of bfloat16: values and gradients are those of float64 but for their rounding") {
  manual_seed(4);
  struct Case {
    std::int64_t batch, in, extent, out, kernel, stride, padding, groups, dilation;
  };
  for (const Case& c :
       {Case{4, 64, 16, 64, 3, 1, 1, 1, 1}, Case{2, 16, 9, 32, 3, 2, 1, 1, 1}, Case{3, 3, 12, 16, 7, 2, 3, 1, 1},
        Case{2, 48, 8, 20, 3, 1, 1, 2, 1}, Case{2, 8, 8, 8, 1, 2, 0, 1, 1}, Case{2, 40, 10, 33, 3, 1, 2, 1, 2},
        Case{5, 32, 7, 64, 1, 1, 0, 1, 1}, Case{1, 16, 5, 16, 2, 3, 0, 4, 1}, Case{2, 6, 6, 6, 3, 1, 1, 6, 1},
        Case{40, 16, 16, 16, 3, 1, 1, 1, 1}, Case{2, 300, 4, 40, 3, 1, 1, 1, 1}}) {
    CAPTURE(c.in, c.out, c.kernel, c.stride, c.groups);
    const Tensor x = halves({c.batch, c.in, c.extent, c.extent}),
                 weight = halves({c.out, c.in / c.groups, c.kernel, c.kernel}), bias = halves({c.out});
    const auto results = [&](DType dtype, bool transposed) {
      const auto leaf = [&](const Tensor& t) { return t.to(dtype).clone().detach().requires_grad_(); };
      const Tensor shift = transposed ? Tensor() : leaf(bias), kernel = leaf(weight);
      const Tensor input = transposed ? leaf(narrow(repeat(x, {1, 20, 1, 1}), 1, 0, c.out)) : leaf(x);
      const Tensor y =
          transposed
              ? conv_transpose2d(input, kernel, shift,
                                 {.stride = c.stride, .padding = c.padding, .groups = c.groups, .dilation = c.dilation})
              : conv2d(input, kernel, shift,
                       {.stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups});
      manual_seed(5);
      y.backward(halves(y.shape()).to(dtype));
      CHECK(y.dtype() == dtype);
      std::vector<Tensor> all{y, input.grad(), kernel.grad()};
      if (!transposed) all.push_back(shift.grad());
      return all;
    };
    for (const bool transposed : {false, true}) {
      const std::vector<Tensor> actual = results(half, transposed), exact = results(float64, transposed);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        CAPTURE(transposed, i);
        CHECK(difference(actual[i], exact[i]) < 0x1p-8);  // half of the last of 8 bits
      }
    }
  }
}

TEST_CASE("convolution of bfloat16: the same bits for any number of threads") {
  manual_seed(6);
  const Tensor x = halves({6, 32, 20, 20}).requires_grad_(), weight = halves({64, 32, 3, 3}).requires_grad_();
  const int before = num_threads();
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor y = conv2d(x, weight, {}, {.padding = 1});
    std::vector<Tensor> all = grad(sum(square(y)), {x, weight});
    all.push_back(y);
    if (first.empty()) first = all;
    for (std::size_t i = 0; i < all.size(); ++i)
      CHECK(all[i].to(float32).to_vector<float>() == first[i].to(float32).to_vector<float>());
  }
  set_num_threads(before);
}

TEST_CASE("recurrent layers of bfloat16: values and gradients are near those of float64") {
  for (const int kind : {0, 1, 2, 3}) {
    CAPTURE(kind);
    const auto results = [&](DType dtype) {
      manual_seed(7);
      const auto run = [&](auto layer) {
        nn::to(layer, half);  // the same numbers
        nn::to(layer, dtype);
        const Tensor x = halves({9, 5, 33}).to(dtype).requires_grad_();
        const auto out = layer(x);
        out.output.backward(halves(out.output.shape()).to(dtype));
        std::vector<Tensor> all{out.output, x.grad()};
        for (const Tensor& parameter : nn::parameters(layer)) all.push_back(parameter.grad());
        return all;
      };
      if (kind == 0) return run(nn::LSTM(33, 40, {.num_layers = 2}));
      if (kind == 1) return run(nn::GRU(33, 40, {.bidirectional = true}));
      if (kind == 2) return run(nn::LSTM(33, 40, {.proj_size = 17}));
      return run(nn::RNN(33, 40));
    };
    const std::vector<Tensor> actual = results(half), exact = results(float64);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      CAPTURE(i);
      CHECK(actual[i].dtype() == half);
      CHECK(difference(actual[i], exact[i]) < 0x1p-7);
    }
  }
}
