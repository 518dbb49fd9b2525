#include <xgrad/core/error.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/kernels/gemm.hpp>

#include <cblas.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "../catch.hpp"

using namespace xgrad;

namespace {

// A matrix as stored: rows `ld` apart, with NaN in what lies between them.
template <class T>
struct Matrix {
  std::int64_t rows, columns, ld;
  std::vector<T> data;

  Matrix(std::int64_t rows_, std::int64_t columns_, std::int64_t padding, unsigned seed)
      : rows(rows_), columns(columns_), ld(std::max<std::int64_t>(1, columns_ + padding)) {
    data.assign(static_cast<std::size_t>(rows * ld), std::numeric_limits<T>::quiet_NaN());
    std::uint64_t state = seed * 2654435761u + 12345;
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t column = 0; column < columns; ++column) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        at(row, column) = static_cast<T>(static_cast<double>(state >> 40) / 0x1p23 - 1);
      }
  }
  T& at(std::int64_t row, std::int64_t column) { return data[static_cast<std::size_t>(row * ld + column)]; }
  T at(std::int64_t row, std::int64_t column) const { return data[static_cast<std::size_t>(row * ld + column)]; }
};

// The largest error of gemm, in units of what rounding allows: the sum of |a||b| times k epsilon.
template <class T>
double worst_error(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, double alpha,
                   double beta, std::int64_t padding) {
  const Matrix<T> a(transpose_a ? k : m, transpose_a ? m : k, padding, 1);
  const Matrix<T> b(transpose_b ? n : k, transpose_b ? k : n, padding, 2);
  Matrix<T> c(m, n, padding, 3);
  if (beta == 0) c.data.assign(c.data.size(), std::numeric_limits<T>::quiet_NaN());
  const Matrix<T> before = c;
  detail::gemm(transpose_a, transpose_b, m, n, k, static_cast<T>(alpha), a.data.data(), a.ld, b.data.data(), b.ld,
               static_cast<T>(beta), c.data.data(), c.ld);
  double worst = 0;
  for (std::int64_t row = 0; row < m; ++row)
    for (std::int64_t column = 0; column < c.ld; ++column) {
      if (column >= n) {
        if (!std::isnan(c.at(row, column))) return std::numeric_limits<double>::infinity();  // wrote outside
        continue;
      }
      long double sum = 0, size = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        const long double left = transpose_a ? a.at(i, row) : a.at(row, i);
        const long double right = transpose_b ? b.at(column, i) : b.at(i, column);
        sum += left * right;
        size += std::fabs(left * right);
      }
      const long double old = beta == 0 ? 0 : beta * before.at(row, column);
      const long double expected = alpha * sum + old;
      const long double bound = (std::fabs(alpha) * size + std::fabs(old)) * static_cast<long double>(k + 2) *
                                std::numeric_limits<T>::epsilon();
      const auto error = static_cast<double>(std::fabs(c.at(row, column) - expected) / (bound > 0 ? bound : 1));
      if (!(error <= worst)) worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    }
  return worst;
}

template <class T>
std::vector<T> product(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                       int threads) {
  const int before = num_threads();
  set_num_threads(threads);
  const Matrix<T> a(transpose_a ? k : m, transpose_a ? m : k, 0, 1), b(transpose_b ? n : k, transpose_b ? k : n, 0, 2);
  Matrix<T> c(m, n, 0, 3);
  detail::gemm(transpose_a, transpose_b, m, n, k, 1, a.data.data(), a.ld, b.data.data(), b.ld, 0, c.data.data(), c.ld);
  set_num_threads(before);
  return c.data;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

}  // namespace

TEST_CASE("gemm: runs the kernels that OPENBLAS_CORETYPE names", "[gemm]") {
  const char* wanted = std::getenv("OPENBLAS_CORETYPE");
  const std::string core = openblas_get_corename();
  INFO("OpenBLAS uses its kernels for " << core);
  CHECK((!wanted || !*wanted || core == wanted));
}

TEST_CASE("gemm: agrees with a naive loop", "[gemm]") {
  const std::int64_t sizes[][3] = {{1, 1, 1},      {2, 3, 4},     {5, 7, 1},    {1, 9, 8},
                                   {9, 1, 8},      {16, 16, 16},  {33, 17, 65}, {64, 10, 128},
                                   {100, 99, 101}, {7, 130, 257}, {130, 7, 31}};
  for (const auto& [m, n, k] : sizes)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        for (const std::int64_t padding : {0, 3})
          for (const auto& [alpha, beta] : {std::pair{1.0, 0.0}, {1.0, 1.0}, {-0.5, 2.0}}) {
            CAPTURE(m, n, k, transpose_a, transpose_b, padding, alpha, beta);
            CHECK(worst_error<float>(transpose_a, transpose_b, m, n, k, alpha, beta, padding) <= 1);
            CHECK(worst_error<double>(transpose_a, transpose_b, m, n, k, alpha, beta, padding) <= 1);
          }
}

TEST_CASE("gemm: agrees with a naive loop where it is cut into pieces", "[gemm]") {
  const std::int64_t sizes[][3] = {{150, 161, 170}, {300, 90, 110}, {640, 45, 300}, {21, 20, 6000},
                                   {40, 41, 11000}, {1, 700, 700},  {700, 1, 700}};
  for (const auto& [m, n, k] : sizes)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        CAPTURE(m, n, k, transpose_a, transpose_b);
        if (m > 1 && n > 1) CHECK(detail::gemm_pieces(m, n, k) > 1);
        CHECK(worst_error<float>(transpose_a, transpose_b, m, n, k, 1, 0, 0) <= 1);
        CHECK(worst_error<double>(transpose_a, transpose_b, m, n, k, 2, -1, 5) <= 1);
      }
}

TEST_CASE("gemm: the same bits for any number of threads, and inside a parallel_for", "[gemm]") {
  const std::int64_t sizes[][3] = {{64, 256, 784}, {256, 784, 64}, {512, 256, 300},
                                   {64, 48, 8192}, {1, 1000, 900}, {1000, 1, 900}};
  for (const auto& [m, n, k] : sizes)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        CAPTURE(m, n, k, transpose_a, transpose_b);
        const auto one = product<float>(transpose_a, transpose_b, m, n, k, 1);
        for (const int threads : {2, 3, 4, 7})
          CHECK(same_bits(one, product<float>(transpose_a, transpose_b, m, n, k, threads)));
        CHECK(same_bits(product<double>(transpose_a, transpose_b, m, n, k, 1),
                        product<double>(transpose_a, transpose_b, m, n, k, 3)));
      }
  const auto alone = product<float>(false, true, 64, 256, 784, 1);
  const Matrix<float> a(64, 784, 0, 1), b(256, 784, 0, 2);
  std::vector<Matrix<float>> results(4, Matrix<float>(64, 256, 0, 3));
  parallel_for(4, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      detail::gemm(false, true, 64, 256, 784, 1, a.data.data(), 784, b.data.data(), 784, 0,
                   results[static_cast<std::size_t>(i)].data.data(), 256);
  });
  for (const auto& result : results) CHECK(same_bits(alone, result.data));
}

TEST_CASE("gemm: a bias is added to every row, in the place of what was there", "[gemm]") {
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{5, 7, 3},
                                {13, 33, 300},
                                {1, 40, 5},
                                {9, 1, 5},
                                {3, 4, 0},
                                {64, 256, 784},
                                {64, 48, 8192}}) {
    CAPTURE(m, n, k);
    const Matrix<float> a(m, k, 0, 1), b(k, n, 0, 2);
    std::vector<float> bias(static_cast<std::size_t>(n)), plain(static_cast<std::size_t>(m * n)),
        with(plain.size(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i) - 3;
    const std::int64_t lda = std::max<std::int64_t>(k, 1);
    detail::gemm(false, false, m, n, k, 1, a.data.data(), lda, b.data.data(), n, 0, plain.data(), n);
    detail::gemm(false, false, m, n, k, 1, a.data.data(), lda, b.data.data(), n, 0, with.data(), n, bias.data());
    double worst = 0;
    for (std::size_t i = 0; i < plain.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(with[i]) - (plain[i] + bias[i % bias.size()])) /
                                  (1 + std::abs(plain[i]) + std::abs(bias[i % bias.size()])));
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("gemm: empty products", "[gemm]") {
  const double value = 3;
  double c[6] = {1, 2, 3, 4, 5, std::nan("")};
  detail::gemm(false, false, 2, 3, 0, 1, &value, 1, &value, 3, 1, c, 3);
  CHECK(c[4] == 5);
  detail::gemm(false, false, 2, 3, 0, 1, &value, 1, &value, 3, 2, c, 3);
  CHECK(c[4] == 10);
  detail::gemm(false, false, 2, 3, 0, 1, &value, 1, &value, 3, 0, c, 3);
  for (const double element : c) CHECK(element == 0);
  detail::gemm(false, false, 0, 3, 2, 1, &value, 2, c, 3, 0, c, 3);
  detail::gemm<double>(true, true, 2, 0, 0, 1, nullptr, 2, nullptr, 1, 0, nullptr, 1);
}

TEST_CASE("gemm: infinities and NaN reach what depends on them, and nothing else", "[gemm]") {
  for (const std::int64_t m : {1, 5, 200})
    for (const std::int64_t n : {1, 7, 200}) {
      CAPTURE(m, n);
      const std::int64_t k = 60;
      Matrix<float> a(m, k, 0, 1), c(m, n, 0, 3);
      Matrix<float> b(k, n, 0, 2);
      Matrix<float> zero = b;
      std::fill(zero.data.begin(), zero.data.end(), 0.0f);
      a.at(m / 2, 17) = std::numeric_limits<float>::quiet_NaN();
      for (const auto* right : {&b, &zero}) {
        detail::gemm(false, false, m, n, k, 1, a.data.data(), k, right->data.data(), n, 0, c.data.data(), n);
        bool right_pattern = true;
        for (std::int64_t row = 0; row < m; ++row)
          for (std::int64_t column = 0; column < n; ++column)
            right_pattern = right_pattern && std::isnan(c.at(row, column)) == (row == m / 2);
        CHECK(right_pattern);
      }
    }
}

TEST_CASE("gemm: a size beyond what BLAS takes is an error", "[gemm]") {
  const std::int64_t over = detail::gemm_limit + 1;
  float x = 0;
  const auto call = [&](std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t lda, std::int64_t ldb,
                        std::int64_t ldc) { detail::gemm(false, false, m, n, k, 1, &x, lda, &x, ldb, 0, &x, ldc); };
  CHECK_THROWS_WITH(call(over, 1, 1, 1, 1, 1), Catch::Contains("gemm: size 2147483648"));
  CHECK_THROWS_AS(call(1, over, 1, 1, over, over), Error);
  CHECK_THROWS_AS(call(1, 1, over, over, 1, 1), Error);
  CHECK_THROWS_WITH(call(1, 1, 1, over, 1, 1), Catch::Contains("leading dimension 2147483648"));
  CHECK_THROWS_AS(call(1, 1, -1, 1, 1, 1), Error);
  CHECK_THROWS_WITH(call(1, 4, 1, 1, 3, 4), Catch::Contains("leading dimension 3 is not between 4"));
}
