// What decompositions promise at every size, alone and in batches, small matrices and those that LAPACK takes.

#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/diagonal.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/linalg/cholesky.hpp>
#include <xgrad/ops/linalg/determinant.hpp>
#include <xgrad/ops/linalg/eigen.hpp>
#include <xgrad/ops/linalg/lu.hpp>
#include <xgrad/ops/linalg/qr.hpp>
#include <xgrad/ops/linalg/solve.hpp>
#include <xgrad/ops/linalg/svd.hpp>
#include <xgrad/ops/linalg/triangular.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../../catch.hpp"
#include "../values.hpp"

using namespace xgrad;

namespace {

Tensor random_matrices(const Shape& shape, DType dtype = float64) {
  manual_seed(static_cast<std::uint64_t>(shape.numel()));
  return randn(shape, {.dtype = dtype});
}
Tensor mT(const Tensor& x) { return transpose(x, -2, -1); }
Tensor identity(std::int64_t n) { return eye(n, {.dtype = float64}); }
bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-11) {
  return a.shape() == b.shape() && allclose(a, b, {.rtol = tolerance, .atol = tolerance});
}
Tensor positive(std::int64_t count, std::int64_t n) {
  const Tensor x = random_matrices({count, n, n});
  return matmul(x, mT(x)) + identity(n);
}

const std::int64_t orders[] = {1, 2, 3, 5, 8, 15, 16, 17, 33};
const std::pair<std::int64_t, std::int64_t> sizes[] = {{1, 1},  {4, 3},   {3, 4},  {16, 2},
                                                       {7, 16}, {20, 20}, {40, 5}, {5, 40}};

}  // namespace

TEST_CASE("linalg: L L^T is A, with zeros above L") {
  for (const std::int64_t n : orders) {
    CAPTURE(n);
    const Tensor a = positive(9, n), l = linalg::cholesky(a), u = linalg::cholesky(a, {.upper = true});
    CHECK(close(matmul(l, mT(l)), a));
    CHECK(close(l, tril(l)));
    CHECK(close(u, mT(l)));
  }
}

TEST_CASE("linalg: only the lower triangle of A is read by cholesky and eigh") {
  for (const std::int64_t n : {4, 20}) {
    const Tensor a = positive(2, n), noise = triu(full({n, n}, NaN, {.dtype = float64}), 1);
    CHECK(close(linalg::cholesky(where(noise == noise, a, noise)), linalg::cholesky(a)));
    const Tensor other = tril(a) + triu(ones({n, n}, {.dtype = float64}), 1);
    CHECK(close(linalg::eigvalsh(other), linalg::eigvalsh(a)));
    CHECK(close(linalg::eigvalsh(mT(other), {.UPLO = 'U'}), linalg::eigvalsh(a)));
  }
}

TEST_CASE("linalg: P L U is A") {
  for (const auto& [m, n] : sizes) {
    CAPTURE(m, n);
    const Tensor a = random_matrices({9, m, n});
    const auto [p, l, u] = linalg::lu(a);
    CHECK(close(matmul(p, matmul(l, u)), a));
    CHECK(close(matmul(mT(p), p), expand(identity(m), p.shape())));
    CHECK(close(tril(l), l));
    CHECK(close(triu(u), u));
    CHECK(amax(abs(l)).item() <= 1 + 1e-15);
  }
}

TEST_CASE("linalg: solutions solve, from the left and the right, transposed and not") {
  for (const std::int64_t n : orders) {
    for (const std::int64_t k : {1, 3, 20}) {
      CAPTURE(n, k);
      const Tensor a = random_matrices({9, n, n}) + 3 * identity(n), b = random_matrices({9, n, k});
      CHECK(close(matmul(a, linalg::solve(a, b)), b, 1e-9));
      CHECK(close(matmul(linalg::solve(a, mT(b), {.left = false}), a), mT(b), 1e-9));
      CHECK(close(matmul(linalg::inv(a), a), expand(identity(n), a.shape()), 1e-9));
      const auto [factors, pivots] = linalg::lu_factor(a);
      CHECK(close(matmul(mT(a), linalg::lu_solve(factors, pivots, b, {.adjoint = true})), b, 1e-9));
      for (const bool upper : {false, true})
        for (const bool left : {false, true})
          for (const bool unit : {false, true})
            for (const Tensor& matrix : {a, mT(a)}) {
              const Tensor mixed = matrix / static_cast<double>(n) + identity(n);
              const Tensor strict = upper ? triu(mixed, 1) : tril(mixed, -1);
              const Tensor read = strict + (unit ? identity(n) : diag_embed(diagonal(mixed, 0, 1, 2)));
              const Tensor right = left ? b : mT(b);
              const Tensor x =
                  linalg::solve_triangular(mixed, right, {.upper = upper, .left = left, .unitriangular = unit});
              CHECK(close(left ? matmul(read, x) : matmul(x, read), right, 1e-9));
            }
    }
  }
}

TEST_CASE("linalg: Q R is A, and Q has orthonormal columns") {
  for (const auto& [m, n] : sizes) {
    for (const linalg::QRMode mode : {linalg::QRMode::reduced, linalg::QRMode::complete}) {
      CAPTURE(m, n);
      const Tensor a = random_matrices({3, m, n});
      const auto [q, r] = linalg::qr(a, {.mode = mode});
      CHECK(close(matmul(q, r), a));
      CHECK(close(matmul(mT(q), q), expand(identity(q.size(-1)), {3, q.size(-1), q.size(-1)})));
      CHECK(close(triu(r), r));
    }
    const auto [q, r] = linalg::qr(random_matrices({3, m, n}), {.mode = linalg::QRMode::r});
    CHECK_FALSE(q.defined());
    CHECK(close(r, linalg::qr(random_matrices({3, m, n})).R));
  }
}

TEST_CASE("linalg: U S Vh is A, full and reduced") {
  for (const auto& [m, n] : sizes) {
    CAPTURE(m, n);
    const Tensor a = random_matrices({3, m, n});
    const auto [u, s, vh] = linalg::svd(a, {.full_matrices = false});
    CHECK(close(matmul(u * unsqueeze(s, -2), vh), a));
    CHECK(close(linalg::svdvals(a), s));
    const auto [full_u, full_s, full_vh] = linalg::svd(a);
    CHECK(close(full_s, s));
    CHECK(close(matmul(full_u, mT(full_u)), expand(identity(m), {3, m, m})));
    CHECK(close(matmul(mT(full_vh), full_vh), expand(identity(n), {3, n, n})));
    const std::int64_t k = s.size(-1);
    CHECK(close(matmul(narrow(full_u, -1, 0, k) * unsqueeze(s, -2), narrow(full_vh, -2, 0, k)), a));
  }
}

TEST_CASE("linalg: eigenvectors are what A makes longer") {
  for (const std::int64_t n : orders) {
    CAPTURE(n);
    const Tensor x = random_matrices({3, n, n}), a = x + mT(x);
    const auto [values, vectors] = linalg::eigh(a);
    CHECK(close(matmul(a, vectors), vectors * unsqueeze(values, -2)));
    CHECK(close(matmul(mT(vectors), vectors), expand(identity(n), a.shape())));
    const auto [real, imaginary] = linalg::eigvals(x);
    CHECK(close(sum(real, -1), sum(diagonal(x, 0, 1, 2), -1), 1e-9));
    CHECK(close(sum(imaginary, -1), zeros({3}, {.dtype = float64})));
  }
}

TEST_CASE("linalg: a matrix gives the same bits alone, in a batch, and on any number of threads") {
  const int threads = num_threads();
  for (const std::int64_t n : {3, 16, 24}) {
    const Tensor a = positive(21, n), b = random_matrices({21, n, 2});
    std::vector<Tensor> results;
    for (const int count : {1, 3}) {
      set_num_threads(count);
      results.push_back(
          concat({linalg::cholesky(a), linalg::solve(a, b), linalg::eigh(a).eigenvectors, linalg::svd(a).U}, -1));
    }
    set_num_threads(threads);
    CHECK(values<double>(results[0]) == values<double>(results[1]));
    const Tensor alone = concat({linalg::cholesky(a[20]), linalg::solve(a[20], b[20])}, -1);
    CHECK(values<double>(alone) == values<double>(narrow(results[0][20], -1, 0, n + 2)));
  }
}

TEST_CASE("linalg: determinants beyond the range of the dtype, by their logarithm") {
  const Tensor a = 1e-3 * eye(200, {.dtype = float32});
  CHECK(linalg::det(a).item() == 0);
  const auto [sign, logabsdet] = linalg::slogdet(a);
  CHECK(sign.item() == 1);
  CHECK(logabsdet.item() == Approx(200 * std::log(1e-3)));
  CHECK(linalg::slogdet(tensor({{0.0, 1.0}, {1.0, 0.0}})).sign.item() == -1);
}
