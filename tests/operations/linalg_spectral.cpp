#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/linalg/eigen.hpp>
#include <xgrad/ops/linalg/norms.hpp>
#include <xgrad/ops/linalg/qr.hpp>
#include <xgrad/ops/linalg/svd.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/shape.hpp>

#include <limits>

#include "matrix_samples.hpp"
#include "reduce_samples.hpp"

namespace xgrad::detail {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <linalg::QRMode mode>
std::vector<Tensor> qr_parts(const Tensor& x) {
  const auto [q, r] = linalg::qr(x, {.mode = mode});
  return {q, r};
}

// What does not depend on signs.
std::vector<Tensor> svd_sizes(const Tensor& x) {
  const auto [u, s, vh] = linalg::svd(x, {.full_matrices = false});
  return {abs(u), s, abs(vh)};
}
std::vector<Tensor> eigh_sizes(const Tensor& x) {
  const auto [values, vectors] = linalg::eigh(symmetric(x));
  return {values, abs(vectors)};
}
// What does not depend on their order.
std::vector<Tensor> eigenvalue_sums(const Tensor& x) {
  const auto [real, imaginary] = linalg::eigvals(x);
  return {sum(log1p(square(real) + square(imaginary)), -1), sum(real * square(imaginary), -1)};
}

std::vector<OpSample> norm_samples(const std::string& order, std::vector<Tensor> (*f)(const Tensor&), bool of_nothing) {
  std::vector<OpSample> samples = square_samples("torch.linalg.matrix_norm(x[0], " + order + ")", f) +
                                  rectangle_samples("torch.linalg.matrix_norm(x[0], " + order + ")", f);
  if (!of_nothing)
    std::erase_if(samples, [](const OpSample& sample) {
      const Shape& shape = sample.inputs[0].shape();
      return shape[shape.size() - 1] == 0 || shape[shape.size() - 2] == 0;
    });
  return samples;
}

}  // namespace

std::span<const OpInfo> linalg_spectral_ops() {
  static const OpInfo ops[] = {
      {"linalg::qr", "linear algebra", "A = Q R", true,
       [] {
         return square_samples("tuple(torch.linalg.qr(x[0]))", qr_parts<linalg::QRMode::reduced>) +
                rectangle_samples("tuple(torch.linalg.qr(x[0]))", qr_parts<linalg::QRMode::reduced>) +
                square_samples("tuple(torch.linalg.qr(x[0], 'complete'))", qr_parts<linalg::QRMode::complete>);
       },
       [] { return matrix_errors(qr_parts<linalg::QRMode::reduced>); }},
      {"linalg::householder_product", "linear algebra", "H_1 H_2 ... H_k of reflectors", true,
       [] {
         const auto call = [](const Shape& a, const Shape& tau) {
           return sample("torch.linalg.householder_product(x[0], x[1])",
                         {sample_normal(a), sample_uniform(tau, 0.5, 1.5, 2)},
                         [](auto& x) { return linalg::householder_product(x[0], x[1]); });
         };
         return std::vector<OpSample>{call({3, 3}, {3}), call({4, 2}, {2}), call({2, 4, 3}, {2, 2}),
                                      call({0, 3, 2}, {0, 2})};
       },
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::householder_product(x, ones({1}))}; }) +
                std::vector<OpError>{{[] {
                                        linalg::householder_product(ones({2, 3}), ones({2}));
                                      },
                                      "(..., k) with k <= n <= m"}};
       }},
      {"linalg::svd", "linear algebra", "A = U diag(S) Vh", true,
       [] {
         const char* const reference = "tuple(t.abs() for t in torch.linalg.svd(x[0], full_matrices=False))";
         return square_samples(reference, svd_sizes) + rectangle_samples(reference, svd_sizes) +
                rectangle_samples("torch.linalg.svd(x[0]).S",
                                  [](auto& x) { return std::vector<Tensor>{linalg::svd(x).S}; });
       },
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::svd(x).S}; }) +
                std::vector<OpError>{
                    {[] {
                       linalg::svd(full({2, 2, 2}, infinity));
                     },
                     "linalg::svd: matrix (0,) of the batch (2,) has an element that is NaN or infinite"}};
       }},
      {"linalg::svdvals", "linear algebra", "the singular values of A", true,
       [] {
         const auto values = [](const Tensor& x) { return std::vector<Tensor>{linalg::svdvals(x)}; };
         return square_samples("torch.linalg.svdvals(x[0])", values) +
                rectangle_samples("torch.linalg.svdvals(x[0])", values);
       },
       [] { return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::svdvals(x)}; }); }},
      {"linalg::eigh", "linear algebra", "A = Q diag(L) Q^T, for symmetric A", true,
       [] { return square_samples("(lambda e: (e[0], e[1].abs()))(torch.linalg.eigh(x[0] + x[0].mT))", eigh_sizes); },
       [] {
         return square_errors([](auto& x) { return std::vector<Tensor>{linalg::eigh(x).eigenvalues}; }) +
                std::vector<OpError>{{[] {
                                        linalg::eigh(ones({2, 2}), {.UPLO = 'X'});
                                      },
                                      "UPLO is 'X'"},
                                     {[] {
                                        linalg::eigh(full({2, 2}, -infinity));
                                      },
                                      "NaN or infinite"}};
       }},
      {"linalg::eigvalsh", "linear algebra", "the eigenvalues of symmetric A", true,
       [] {
         return square_samples("torch.linalg.eigvalsh(x[0] + x[0].mT)",
                               [](auto& x) { return std::vector<Tensor>{linalg::eigvalsh(symmetric(x))}; }) +
                square_samples("torch.linalg.eigvalsh(x[0] + x[0].mT, 'U')", [](auto& x) {
                  return std::vector<Tensor>{linalg::eigvalsh(symmetric(x), {.UPLO = 'U'})};
                });
       },
       [] { return square_errors([](auto& x) { return std::vector<Tensor>{linalg::eigvalsh(x)}; }); }},
      {"linalg::eigvals", "linear algebra", "the eigenvalues of A, as real and imaginary parts", true,
       [] {
         return square_samples(
             "(lambda l: (torch.log1p(l.real**2 + l.imag**2).sum(-1), (l.real * l.imag**2).sum(-1)))"
             "(torch.linalg.eigvals(x[0]))",
             eigenvalue_sums);
       },
       [] { return square_errors(eigenvalue_sums); }},
      {"linalg::vector_norm", "linear algebra", "(sum of |x|^p)^(1/p)", true,
       [] {
         return reduction_samples(
             "torch.linalg.vector_norm(x[0], 3, dim={dim}, keepdim={keepdim})",
             [](auto& x, auto& axes, bool keepdim) { return linalg::vector_norm(x, 3, axes, {.keepdim = keepdim}); });
       },
       [] { return reduction_errors([](auto& x, auto& axes, bool) { return linalg::vector_norm(x, 2, axes); }); }},
      {"linalg::matrix_norm", "linear algebra", "the Frobenius, nuclear, or induced norm of A", true,
       [] {
         using Norms = std::vector<Tensor>;
         return norm_samples(
                    "'fro'", [](auto& x) { return Norms{linalg::matrix_norm(x)}; }, true) +
                norm_samples(
                    "'nuc'", [](auto& x) { return Norms{linalg::matrix_norm(x, "nuc")}; }, true) +
                norm_samples(
                    "2", [](auto& x) { return Norms{linalg::matrix_norm(x, 2)}; }, false) +
                norm_samples(
                    "-2", [](auto& x) { return Norms{linalg::matrix_norm(x, -2)}; }, false) +
                norm_samples(
                    "1", [](auto& x) { return Norms{linalg::matrix_norm(x, 1)}; }, false) +
                norm_samples(
                    "-1", [](auto& x) { return Norms{linalg::matrix_norm(x, -1)}; }, false) +
                norm_samples(
                    "float('inf')", [](auto& x) { return Norms{linalg::matrix_norm(x, infinity)}; }, false) +
                norm_samples(
                    "float('-inf')", [](auto& x) { return Norms{linalg::matrix_norm(x, -infinity)}; }, false) +
                std::vector<OpSample>{sample("torch.linalg.matrix_norm(x[0], 1, dim=(2, 0), keepdim=True)",
                                             {sample_normal({2, 3, 4})}, [](auto& x) {
                                               return linalg::matrix_norm(x[0], 1, {2, 0}, {.keepdim = true});
                                             })};
       },
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::matrix_norm(x)}; }) +
                std::vector<OpError>{{[] {
                                        linalg::matrix_norm(ones({2, 2}), 3);
                                      },
                                      "no norm of order 3"},
                                     {[] {
                                        linalg::matrix_norm(ones({2, 2}), "frobenius");
                                      },
                                      "of the name \"frobenius\""},
                                     {[] {
                                        linalg::matrix_norm(ones({2, 2}), 1, {0});
                                      },
                                      "a matrix has two"},
                                     {[] {
                                        linalg::matrix_norm(ones({2, 2}), 1, {0, -2});
                                      },
                                      "are the same"},
                                     {[] {
                                        linalg::matrix_norm(ones({2, 0}), 2);
                                      },
                                      "amax"}};
       }},
      {"linalg::cond", "linear algebra", "the condition number of A", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.linalg.cond(x[0])", {sample_normal({2, 3, 3})}, [](auto& x) { return linalg::cond(x[0]); }),
             sample("torch.linalg.cond(x[0])", {sample_normal({2, 3})}, [](auto& x) { return linalg::cond(x[0]); }),
             sample("torch.linalg.cond(x[0], -2)", {sample_normal({3, 3})},
                    [](auto& x) { return linalg::cond(x[0], -2); }),
             sample("torch.linalg.matrix_norm(x[0]) * torch.linalg.matrix_norm(torch.linalg.inv(x[0]))",
                    {sample_normal({3, 3})}, [](auto& x) { return linalg::cond(x[0], "fro"); }),
             sample("torch.linalg.matrix_norm(x[0], 1) * torch.linalg.matrix_norm(torch.linalg.inv(x[0]), 1)",
                    {sample_normal({3, 3})}, [](auto& x) { return linalg::cond(x[0], 1); }),
             sample("torch.linalg.cond(x[0])", {sample_normal({0, 3, 3})}, [](auto& x) { return linalg::cond(x[0]); })};
       },
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::cond(x)}; }) +
                std::vector<OpError>{{[] {
                                        linalg::cond(ones({2, 3}), "fro");
                                      },
                                      "not square"},
                                     {[] {
                                        linalg::cond(ones({2, 0}));
                                      },
                                      "no singular values"},
                                     {[] {
                                        linalg::cond(ones({2, 2}), 1);
                                      },
                                      "singular"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
