// Second derivatives through decompositions: symmetric, and right against differences.

#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/diagonal.hpp>
#include <xgrad/ops/einsum.hpp>
#include <xgrad/ops/extrema.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/linalg/cholesky.hpp>
#include <xgrad/ops/linalg/eigen.hpp>
#include <xgrad/ops/linalg/solve.hpp>
#include <xgrad/ops/linalg/svd.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../../catch.hpp"

using namespace xgrad;

namespace {

/// Of the gradient, by central differences of fourth order: (n, n).
template <class F>
Tensor differences(const F& f, const Tensor& at) {
  const Tensor x = at.detach();
  const std::int64_t n = x.numel();
  const Tensor units = eye(n, {.dtype = float64});
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < n; ++i) {
    const Tensor unit = reshape(select(units, 0, i), x.shape());
    const auto change = [&](double h) { return (grad(f, x + h * unit) - grad(f, x - h * unit)) / (2 * h); };
    rows.push_back(reshape((4 * change(5e-4) - change(1e-3)) / 3, {n}));
  }
  return stack(rows);
}

template <class F>
void check_hessian(const F& f, const Shape& shape) {
  manual_seed(5);
  const Tensor x = randn(shape, {.dtype = float64, .requires_grad = true});
  const std::int64_t n = x.numel();
  const Tensor h = reshape(hessian(f, x), {n, n});
  const double largest = amax(abs(h)).item();
  CHECK(largest > 1e-3);
  CHECK(amax(abs(h - transpose(h, 0, 1))).item() <= 1e-9 * largest);
  CHECK(amax(abs(h - differences(f, x))).item() <= 1e-6 * largest);
  const auto second = gradgradcheck(f, {x});
  INFO(second.message);
  CHECK(second);
  // Forward over reverse agrees with reverse over reverse.
  const Tensor v = randn(shape, {.dtype = float64});
  const auto [gradient, change] = jvp([&](const Tensor& at) { return grad(f, at); }, x, v);
  CHECK(amax(abs(reshape(change, {n}) - matmul(h, reshape(v, {n})))).item() <= 1e-9 * (1 + amax(abs(change)).item()));
}

Tensor positive(const Tensor& x) { return matmul(x, transpose(x, 0, 1)) + eye(x.size(0), {.dtype = float64}); }

}  // namespace

TEST_CASE("hessian: through solve, cholesky, svdvals, eigvalsh, eigvals, einsum and lgamma it is symmetric and right") {
  const auto b = arange(1, 4, {.dtype = float64});
  check_hessian([&](const Tensor& x) { return sum(square(linalg::solve(x, b))); }, {3, 3});
  check_hessian([&](const Tensor& x) { return sum(square(linalg::inv(x))); }, {3, 3});
  check_hessian([](const Tensor& x) { return sum(log(diagonal(linalg::cholesky(positive(x))))); }, {3, 3});
  check_hessian([](const Tensor& x) { return sum(sin(linalg::cholesky(positive(x)))); }, {3, 3});
  check_hessian([](const Tensor& x) { return sum(sin(linalg::svdvals(x))); }, {3, 4});
  check_hessian([](const Tensor& x) { return sum(sin(linalg::eigvalsh(positive(x)))); }, {3, 3});
  check_hessian([](const Tensor& x) { return sum(sin(linalg::eigvals(x).real)); }, {3, 3});
  check_hessian([](const Tensor& x) { return sum(lgamma(0.5 + square(matmul(x, x)))); }, {3, 3});
  check_hessian([](const Tensor& x) { return einsum("ij,jk,kl,li->", {x, exp(x), x, sin(x)}); }, {3, 3});
}
