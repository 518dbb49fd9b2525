// Singular and rank-deficient matrices, and eigenvalues that are equal.

#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/distance.hpp>
#include <xgrad/ops/linalg/determinant.hpp>
#include <xgrad/ops/linalg/eigen.hpp>
#include <xgrad/ops/linalg/lstsq.hpp>
#include <xgrad/ops/linalg/matrix_functions.hpp>
#include <xgrad/ops/linalg/norms.hpp>
#include <xgrad/ops/linalg/pinv.hpp>
#include <xgrad/ops/linalg/qr.hpp>
#include <xgrad/ops/linalg/svd.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include "../../catch.hpp"
#include "../values.hpp"

using namespace xgrad;

namespace {

Tensor identity(std::int64_t n) { return eye(n, {.dtype = float64, .requires_grad = true}); }
Tensor low_rank() {  // rank 2
  const Tensor a = doubles({{1, 2}, {0, 1}, {2, -1}, {1, 1}}).detach(), b = doubles({{1, 0, 2}, {-1, 1, 1}}).detach();
  return matmul(a, b);
}
bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-10) {
  return allclose(a, b, {.rtol = tolerance, .atol = tolerance});
}

}  // namespace

TEST_CASE("det: first and second derivatives at a singular matrix are those of the polynomial") {
  const auto f = [](const Tensor& a) { return linalg::det(a); };
  for (const Tensor& a : {doubles({{1, 2, 3}, {4, 5, 6}, {5, 7, 9}}), doubles({{1, 2, 3}, {2, 4, 6}, {0, 0, 0}}),
                          doubles({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}), doubles({{0}}), doubles({{0, 1}, {0, 2}})}) {
    const auto result = gradcheck(f, {a});
    INFO(result.message);
    CHECK(result);
  }
  const Tensor one = doubles({{0, 0, 0}, {0, 2, 0}, {0, 0, 3}});
  CHECK(close(grad(f, one), doubles({{6, 0, 0}, {0, 0, 0}, {0, 0, 0}})));
  const Tensor second = hessian(f, one.detach());
  CHECK(second.at({0, 0, 1, 1}) == Approx(3));
  CHECK(second.at({0, 0, 2, 2}) == Approx(2));
  CHECK(second.at({0, 1, 1, 0}) == Approx(-3));
  CHECK(second.at({2, 0, 0, 2}) == Approx(-2));
  CHECK(second.at({1, 2, 2, 1}) == Approx(0).margin(1e-12));
  CHECK(second.at({1, 1, 2, 2}) == Approx(0).margin(1e-12));
  const auto second_of = [&](const Tensor& a) { return sum(hessian(f, a)); };
  CHECK_THROWS_WITH(grad(second_of, one), Catch::Contains("linalg::det"));
}

TEST_CASE("slogdet: of a singular matrix, and its gradient") {
  const Tensor a = doubles({{1, 2}, {2, 4}});
  const auto [sign, logabsdet] = linalg::slogdet(a);
  CHECK(sign.item() == 0);
  CHECK(logabsdet.item() == -inf);
  CHECK_THROWS_WITH(logabsdet.backward(), Catch::Contains("the matrix is singular"));
}

TEST_CASE("eigh: equal eigenvalues have a gradient, their eigenvectors none") {
  const Tensor a = identity(3);
  CHECK(close(grad([](const Tensor& x) { return sum(square(linalg::eigvalsh(x))); }, a), 2 * a.detach()));
  CHECK(close(grad([](const Tensor& x) { return sum(square(linalg::eigh(x).eigenvalues)); }, a), 2 * a.detach()));
  const Tensor by_vectors = grad(
      [](const Tensor& x) {
        return sum(linalg::eigh(x).eigenvectors * tensor({{1, 2, 3}, {4, 5, 6}, {7, 8, 10}}));
      },
      a);
  CHECK(any(isfinite(by_vectors)).item<bool>() == false);
}

TEST_CASE("svd: equal singular values have a gradient, their vectors none") {
  const Tensor a = identity(3);
  CHECK(close(grad([](const Tensor& x) { return sum(square(linalg::svdvals(x))); }, a), 2 * a.detach()));
  CHECK(close(grad([](const Tensor& x) { return sum(square(linalg::svd(x).S)); }, a), 2 * a.detach()));
  const Tensor by_vectors = grad(
      [](const Tensor& x) {
        return sum(linalg::svd(x).U * tensor({{1, 2, 3}, {4, 5, 6}, {7, 8, 10}}));
      },
      a);
  CHECK(any(isfinite(by_vectors)).item<bool>() == false);
}

TEST_CASE("svd: singular values that are 0 have a finite gradient, of the nuclear norm too") {
  const Tensor a = low_rank().requires_grad_();
  CHECK(all(isfinite(grad([](const Tensor& x) { return sum(linalg::svdvals(x)); }, a))).item<bool>());
  CHECK(all(isfinite(grad([](const Tensor& x) { return linalg::matrix_norm(x, "nuc"); }, zeros_like(a)))).item<bool>());
}

TEST_CASE("svd: the vectors that full_matrices adds have no gradient, and say so") {
  const Tensor a = doubles({{1, 2}, {3, 4}, {5, 7}});
  CHECK_THROWS_WITH(grad(
                        [](const Tensor& x) {
                          return sum(square(linalg::svd(x).U) * tensor({1, 2, 3}));
                        },
                        a),
                    Catch::StartsWith("linalg::svd: the columns of U and rows of Vh beyond the first 2"));
  const auto first = [](const Tensor& x) { return sum(square(transpose(linalg::svd(x).Vh, 0, 1)) * tensor({1, 2})); };
  CHECK(gradcheck(first, {a}));
}

TEST_CASE("qr: where the first columns depend on each other there is no gradient") {
  const Tensor a = doubles({{1, 2, 1}, {2, 4, 0}, {3, 6, 1}});
  CHECK_NOTHROW(linalg::qr(a));
  CHECK_THROWS_WITH(grad([](const Tensor& x) { return sum(linalg::qr(x).R); }, zeros_like(a)),
                    Catch::Contains("singular"));
  CHECK_THROWS_WITH(grad([](const Tensor& x) { return sum(linalg::qr(x, {.mode = linalg::QRMode::complete}).Q); },
                         doubles({{1, 2}, {3, 4}, {5, 7}})),
                    Catch::StartsWith("linalg::qr: mode complete has no gradient for matrices (3, 2)"));
}

TEST_CASE("pinv, lstsq: of a matrix of less than full rank") {
  const Tensor a = low_rank(), p = linalg::pinv(a);
  CHECK(linalg::matrix_rank(a).item<std::int64_t>() == 2);
  CHECK(close(matmul(a, matmul(p, a)), a));
  CHECK(close(matmul(p, matmul(a, p)), p));
  CHECK(close(matmul(a, p), transpose(matmul(a, p), 0, 1)));
  CHECK(close(matmul(p, a), transpose(matmul(p, a), 0, 1)));
  const Tensor b = doubles({1, 2, 3, 4}).detach();
  const auto [solution, residuals, rank, singular_values] = linalg::lstsq(a, b);
  CHECK(close(solution, matmul(p, b)));
  CHECK(residuals.numel() == 0);
  CHECK(rank.item<std::int64_t>() == 2);
  CHECK(singular_values.shape() == Shape{3});
  // Along changes that keep the rank, here A -> L A R.
  const auto of_rank_2 = [&](const Tensor& left, const Tensor& right) { return matmul(matmul(left, a), right); };
  const Tensor left = doubles({{1, 0.5, 0, 0}, {0, 1, 0, 0.25}, {0, 0, 2, 0}, {0.5, 0, 0, 1}}),
               right = doubles({{1, 0, 0.5}, {0, 1, 0}, {0.25, 0, 1}});
  CHECK(gradcheck([&](const Tensor& x, const Tensor& y) { return linalg::pinv(of_rank_2(x, y)); }, {left, right}));
  CHECK(gradcheck([&](const Tensor& x, const Tensor& y) { return linalg::lstsq(of_rank_2(x, y), b).solution; },
                  {left, right}));
}

TEST_CASE("matrix_exp: nilpotent, large and non-finite matrices") {
  CHECK(close(linalg::matrix_exp(doubles({{0, 1, 2}, {0, 0, 3}, {0, 0, 0}})),
              doubles({{1, 1, 3.5}, {0, 1, 3}, {0, 0, 1}})));
  CHECK(close(linalg::matrix_exp(doubles({{0, -100}, {100, 0}})),
              doubles({{std::cos(100.), -std::sin(100.)}, {std::sin(100.), std::cos(100.)}}), 1e-11));
  CHECK(any(isfinite(linalg::matrix_exp(doubles({{1, NaN}, {0, 1}})))).item<bool>() == false);
  CHECK(close(linalg::matrix_exp(zeros({2, 2}, {.dtype = float64})), identity(2)));
}

TEST_CASE("cdist: between equal points the gradient is 0, and second derivatives are finite") {
  const Tensor x = doubles({{1, 2}, {3, 4}, {1, 2}});
  const auto sum_of_distances = [](const Tensor& points) { return sum(cdist(points, points)); };
  const Tensor gradient = grad(sum_of_distances, x);
  CHECK(all(isfinite(gradient)).item<bool>());
  CHECK(close(gradient, doubles({{-4, -4}, {8, 8}, {-4, -4}}) / std::sqrt(8.)));
  CHECK(all(isfinite(hessian(sum_of_distances, x))).item<bool>());
  CHECK(cdist(tensor({{1e30}}, {.dtype = float32}), tensor({{-1e30}}, {.dtype = float32})).item() == Approx(2e30));
}
