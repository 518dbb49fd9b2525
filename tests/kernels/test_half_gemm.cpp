#include <xgrad/kernels/half_gemm.hpp>
#include <xgrad/xgrad.hpp>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

namespace {

struct Sizes {
  std::int64_t m, n, k;
};
constexpr Sizes shapes[] = {{1, 1, 1},    {1, 40, 70},   {40, 1, 70},    {3, 5, 7},       {6, 16, 256},
                            {7, 33, 257}, {145, 193, 3}, {64, 300, 600}, {300, 65, 1000}, {2, 3, 0}};

template <class T>
struct Product {
  Sizes size;
  std::int64_t lda, ldb, ldc;
  std::vector<T> a, b, c, bias;

  Product(const Sizes& sizes, bool transpose_a, bool transpose_b, bool has_bias)
      : size(sizes),
        lda((transpose_a ? sizes.m : sizes.k) + 3),
        ldb((transpose_b ? sizes.k : sizes.n) + 2),
        ldc(sizes.n + 1) {
    std::mt19937 generator(1);
    const auto fill = [&](std::vector<T>& to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) to.push_back(T(static_cast<float>(generator() >> 8) * 0x1p-23f - 1));
    };
    fill(a, lda * (transpose_a ? sizes.k : sizes.m));
    fill(b, ldb * (transpose_b ? sizes.n : sizes.k));
    if (has_bias) fill(bias, sizes.n);
    c.assign(static_cast<std::size_t>(ldc * sizes.m), std::numeric_limits<T>::quiet_NaN());
    detail::half_gemm<T>(transpose_a, transpose_b, sizes.m, sizes.n, sizes.k, a.data(), lda, b.data(), ldb, c.data(),
                         ldc, has_bias ? bias.data() : nullptr);
  }
  static double at(const std::vector<T>& of, std::int64_t index) {
    return static_cast<double>(static_cast<float>(of[static_cast<std::size_t>(index)]));
  }
};

/// The largest error in units of what rounding allows: half a place of the result, and k of float on the way.
template <class T>
double worst_error(const Sizes& sizes, bool transpose_a, bool transpose_b, bool has_bias) {
  const Product<T> product(sizes, transpose_a, transpose_b, has_bias);
  const double half_a_place = static_cast<double>(static_cast<float>(std::numeric_limits<T>::epsilon())) / 2;
  double worst = 0;
  for (std::int64_t i = 0; i < sizes.m; ++i) {
    for (std::int64_t j = 0; j < sizes.n; ++j) {
      double sum = has_bias ? Product<T>::at(product.bias, j) : 0, size = std::abs(sum);
      for (std::int64_t p = 0; p < sizes.k; ++p) {
        const double term = Product<T>::at(product.a, transpose_a ? p * product.lda + i : i * product.lda + p) *
                            Product<T>::at(product.b, transpose_b ? j * product.ldb + p : p * product.ldb + j);
        sum += term, size += std::abs(term);
      }
      const double on_the_way = static_cast<double>(sizes.k + 1) * 0x1p-24 * size;
      const double allowed = half_a_place * (std::abs(sum) + on_the_way) + on_the_way;
      const double error = std::abs(Product<T>::at(product.c, i * product.ldc + j) - sum);
      worst = std::max(worst, error == 0 ? 0 : error / allowed);
    }
    if (!std::isnan(Product<T>::at(product.c, i * product.ldc + sizes.n))) return INFINITY;  // wrote outside
  }
  return worst;
}

template <class T>
void check_all() {
  for (const Sizes& sizes : shapes)
    for (const int flags : {0, 1, 2, 3, 4, 6}) {
      INFO(sizes.m << " x " << sizes.n << " x " << sizes.k << ", flags " << flags);
      CHECK(worst_error<T>(sizes, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0) <= 1);
    }
}

}  // namespace

TEST_CASE("half_gemm: products of 16-bit numbers are those of float64 but for one rounding", "[gemm]") {
  check_all<BFloat16>();
  check_all<Float16>();
}

TEST_CASE("half_gemm: the same bits for any number of threads", "[gemm][threads]") {
  const int before = num_threads();
  for (const Sizes& sizes : {Sizes{300, 200, 600}, Sizes{1, 3000, 400}, Sizes{64, 64, 2000}}) {
    set_num_threads(1);
    const Product<BFloat16> alone(sizes, false, true, true);
    set_num_threads(3);
    const Product<BFloat16> together(sizes, false, true, true);
    bool same = true;
    for (std::int64_t i = 0; i < sizes.m; ++i)
      for (std::int64_t j = 0; j < sizes.n; ++j) {
        const auto at = static_cast<std::size_t>(i * alone.ldc + j);
        same = same && alone.c[at].bits() == together.c[at].bits();
      }
    CHECK(same);
  }
  set_num_threads(before);
}

TEST_CASE("half_gemm: sums at a tie are rounded to even, infinity and NaN pass, sizes are checked", "[gemm]") {
  const Tensor a = tensor({{256, 1}, {256, 3}, {3e38, 3e38}, {NAN, 1}}).to(bfloat16);
  const Tensor sums = matmul(a, ones({2, 2}, {.dtype = bfloat16}));
  CHECK(sums.at({0, 0}) == 256);  // of 257, between 256 and 258
  CHECK(sums.at({1, 0}) == 260);  // of 259, between 258 and 260
  CHECK(std::isinf(sums.at({2, 1})));
  CHECK(std::isnan(sums.at({3, 0})));
  const BFloat16 one(1.0f);
  BFloat16 c;
  CHECK_THROWS_WITH(detail::half_gemm(false, false, 1, 1, 2, &one, 1, &one, 1, &c, 1),
                    Catch::StartsWith("gemm: leading dimension 1 is not between 2 and"));
}

TEST_CASE("half_gemm: matmul and linear of 16 bits, of all layouts, and their derivatives") {
  manual_seed(3);
  for (const DType dtype : {bfloat16, float16}) {
    const double half_a_place = dtype == bfloat16 ? 0x1p-8 : 0x1p-11;
    CAPTURE(dtype);
    const Tensor a = randn({2, 5, 7}).to(dtype), b = transpose(randn({2, 4, 7}).to(dtype), 1, 2);
    const Tensor exact = matmul(a.to(float64), b.to(float64));
    CHECK(amax(abs(matmul(a, b).to(float64) - exact) - half_a_place * abs(exact)).item() < 1e-5);
    CHECK(matmul(slice(a, 2, 0, 0), slice(b, 1, 0, 0)).to_vector<float>() == std::vector<float>(40, 0.0f));

    const Tensor x = randn({6, 5}).to(dtype).requires_grad_(), w = randn({3, 5}).to(dtype).requires_grad_(),
                 bias = randn({3}).to(dtype).requires_grad_(), g = randn({6, 3}).to(dtype);
    linear(x, w, bias).backward(g);
    const auto near = [&](const Tensor& actual, const Tensor& wanted) {
      CHECK(actual.dtype() == dtype);
      CHECK(amax(abs(actual.to(float64) - wanted) - half_a_place * abs(wanted)).item() < 1e-5);
    };
    const Tensor G = g.to(float64);
    near(x.grad(), matmul(G, w.detach().to(float64)));
    near(w.grad(), matmul(transpose(G, 0, 1), x.detach().to(float64)));
    near(bias.grad(), sum(G, 0));
  }
}
