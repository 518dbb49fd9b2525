#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/linalg/cholesky.hpp>
#include <xgrad/ops/linalg/determinant.hpp>
#include <xgrad/ops/linalg/lstsq.hpp>
#include <xgrad/ops/linalg/lu.hpp>
#include <xgrad/ops/linalg/pinv.hpp>
#include <xgrad/ops/linalg/solve.hpp>
#include <xgrad/ops/linalg/triangular.hpp>
#include <xgrad/ops/shape.hpp>

#include "matrix_samples.hpp"

namespace xgrad::detail {

namespace {

using linalg::solve;

Tensor a(const Shape& shape) { return sample_normal(shape, 1); }
Tensor b(const Shape& shape) { return sample_normal(shape, 2); }
Tensor singular() { return zeros({2, 2, 2}, {.dtype = float64}); }

std::vector<OpSample> solve_samples() {
  const auto call = [](const Tensor& A, const Tensor& B) {
    return sample("torch.linalg.solve(x[0], x[1])", {A, B}, [](auto& x) { return solve(x[0], x[1]); });
  };
  return {
      call(a({3, 3}), b({3, 2})),
      call(a({3, 3}), b({3})),
      call(a({2, 3, 3}), b({2, 3})),
      call(a({2, 1, 2, 2}), b({3, 2, 2})),
      call(transpose(a({4, 4}).detach(), 0, 1).requires_grad_(), transpose(b({2, 4}).detach(), 0, 1).requires_grad_()),
      call(a({0, 0}), b({0, 2})),
      call(a({3, 3}), b({3, 0})),
      call(a({0, 2, 2}), b({0, 2, 3})),
      sample("torch.linalg.solve(x[0], x[1], left=False)", {a({3, 3}), b({2, 3})},
             [](auto& x) { return solve(x[0], x[1], {.left = false}); })};
}

std::vector<OpError> right_side_errors(Tensor (*f)(const Tensor& A, const Tensor& B)) {
  return {{[f] {
             f(ones({3, 3}), ones({4, 2}));
           },
           "do not fit: A x has 3 rows"},
          {[f] {
             f(ones({2, 3, 3}), ones({4, 3, 2}));
           },
           "broadcast"},
          {[f] {
             f(ones({3, 3}), ones({}));
           },
           "is a number"},
          {[f] {
             f(ones({3, 3}), ones({3}, {.dtype = int64}));
           },
           "int64"}};
}

std::vector<OpError> solve_errors() {
  return square_errors([](auto& x) { return std::vector<Tensor>{solve(x, ones({2}))}; }) +
         right_side_errors([](auto& A, auto& B) { return solve(A, B); }) +
         std::vector<OpError>{{[] { solve(singular(), ones({2})); },
                               "linalg::solve: matrix (0,) of the batch (2,) is singular: pivot 1"},
                              {[] {
                                 solve(ones({2, 2}), ones({2}), {.left = false});
                               },
                               "they need a second axis"}};
}

std::vector<OpSample> triangular_samples() {
  const auto call = [](const std::string& options, const Tensor& A, const Tensor& B,
                       const linalg::SolveTriangularOptions& chosen) {
    return sample("torch.linalg.solve_triangular(x[0] + 2 * torch.eye(x[0].shape[-1]), x[1], " + options + ")", {A, B},
                  [chosen](auto& x) { return linalg::solve_triangular(plus_identity(x[0], 2), x[1], chosen); });
  };
  const Tensor flipped = transpose(a({20, 20}).detach(), 0, 1).requires_grad_();
  return {
      call("upper=True", a({3, 3}), b({3, 2}), {.upper = true}),
      call("upper=False", a({3, 3}), b({3, 2}), {}),
      call("upper=False, left=False", a({2, 3, 3}), b({2, 2, 3}), {.left = false}),
      call("upper=True, left=False", a({2, 3, 3}), b({1, 2, 3}), {.upper = true, .left = false}),
      call("upper=True, unitriangular=True", a({3, 3}), b({3, 2}), {.upper = true, .unitriangular = true}),
      call("upper=False, unitriangular=True, left=False", a({3, 3}), b({2, 3}), {.left = false, .unitriangular = true}),
      call("upper=False", a({0, 0}), b({0, 2}), {}),
      call("upper=False", a({2, 3, 3}), b({2, 3, 0}), {}),
      sample("torch.linalg.solve_triangular(x[0] / 10 + torch.eye(20), x[1], upper=True)", {flipped, b({20, 1})},
             [](auto& x) { return linalg::solve_triangular(plus_identity(x[0] / 10), x[1], {.upper = true}); }),
      sample("torch.linalg.solve_triangular(x[0].mT / 10 + torch.eye(20), x[1], upper=True, left=False)",
             {flipped, b({1, 20})},
             [](auto& x) {
               const Tensor A = plus_identity(transpose(x[0], 0, 1) / 10);
               return linalg::solve_triangular(A, x[1], {.upper = true, .left = false});
             }),
      sample("torch.linalg.solve_triangular(x[0], x[1].unsqueeze(1), upper=False).squeeze(1)",
             {plus_identity(a({2, 2}), 2).detach().requires_grad_(), b({2})},
             [](auto& x) { return linalg::solve_triangular(x[0], x[1]); })};
}

std::vector<OpSample> cholesky_solve_samples() {
  const auto call = [](const Tensor& L, const Tensor& B) {
    return sample("torch.cholesky_solve(x[1], torch.linalg.cholesky(x[0] @ x[0].mT + 2 * torch.eye(x[0].shape[-1])))",
                  {L, B},
                  [](auto& x) { return linalg::cholesky_solve(linalg::cholesky(positive_definite(x[0])), x[1]); });
  };
  return {call(a({3, 3}), b({3, 2})), call(a({2, 3, 3}), b({2, 3, 1})), call(a({0, 0}), b({0, 2})),
          call(a({0, 2, 2}), b({0, 2, 3})),
          sample("torch.cholesky_solve(x[1].unsqueeze(1), torch.linalg.cholesky(x[0] @ x[0].mT + 2 * torch.eye(3), "
                 "upper=True), upper=True).squeeze(1)",
                 {a({3, 3}), b({3})}, [](auto& x) {
                   const Tensor u = linalg::cholesky(positive_definite(x[0]), {.upper = true});
                   return linalg::cholesky_solve(u, x[1], {.upper = true});
                 })};
}

std::vector<OpSample> lu_solve_samples() {
  const auto call = [](const std::string& options, const Tensor& A, const Tensor& B,
                       const linalg::LUSolveOptions& chosen) {
    return sample("torch.linalg.lu_solve(*torch.linalg.lu_factor(x[0]), x[1]" + options + ")", {A, B},
                  [chosen](auto& x) {
                    const auto [factors, pivots] = linalg::lu_factor(x[0]);
                    return linalg::lu_solve(factors, pivots, x[1], chosen);
                  });
  };
  return {call("", a({3, 3}), b({3, 2}), {}),
          call("", a({2, 3, 3}), b({2, 3, 1}), {}),
          call(", adjoint=True", a({3, 3}), b({3, 2}), {.adjoint = true}),
          call(", left=False", a({3, 3}), b({2, 3}), {.left = false}),
          call(", left=False, adjoint=True", a({3, 3}), b({2, 3}), {.left = false, .adjoint = true}),
          call("", a({0, 0}), b({0, 2}), {}),
          call("", a({3, 3}), b({3, 0}), {})};
}

std::vector<OpSample> lstsq_samples() {
  const auto call = [](const Tensor& A, const Tensor& B) {
    return sample("torch.linalg.lstsq(x[0], x[1]).solution", {A, B},
                  [](auto& x) { return linalg::lstsq(x[0], x[1]).solution; });
  };
  return {call(a({4, 2}), b({4, 3})),
          call(a({3, 3}), b({3, 1})),
          call(a({2, 4, 2}), b({2, 4, 1})),
          call(a({0, 3, 2}), b({0, 3, 1})),
          sample("torch.linalg.pinv(x[0]) @ x[1]", {a({2, 4}), b({2, 3})},
                 [](auto& x) { return linalg::lstsq(x[0], x[1]).solution; }),
          sample("((x[0] @ (torch.linalg.pinv(x[0]) @ x[1]) - x[1])**2).sum()", {a({4, 2}), b({4})},
                 [](auto& x) { return reshape(linalg::lstsq(x[0], x[1]).residuals, {}); })};
}

const char* const definite = "torch.linalg.cholesky(x[0] @ x[0].mT + 2 * torch.eye(x[0].shape[-1]))";

std::vector<Tensor> lu_parts(const Tensor& x) {
  const auto [P, L, U] = linalg::lu(x);
  return {P, L, U};
}
std::vector<Tensor> logarithm_of_determinant(const Tensor& x) {
  const auto [sign, logabsdet] = linalg::slogdet(x);
  return {sign, logabsdet};
}

}  // namespace

std::span<const OpInfo> linalg_solve_ops() {
  static const OpInfo ops[] = {
      {"linalg::cholesky", "linear algebra", "the lower triangular L with A = L L^T", true,
       [] {
         return square_samples(definite,
                               [](auto& x) { return std::vector<Tensor>{linalg::cholesky(positive_definite(x))}; }) +
                std::vector<OpSample>{sample("torch.linalg.cholesky(x[0] @ x[0].mT + 2 * torch.eye(20), upper=True)",
                                             {sample_uniform({20, 3}, -1, 1)}, [](auto& x) {
                                               return linalg::cholesky(positive_definite(x[0]), {.upper = true});
                                             })};
       },
       [] {
         return square_errors([](auto& x) { return std::vector<Tensor>{linalg::cholesky(x)}; }) +
                std::vector<OpError>{{[] {
                                        linalg::cholesky(tensor({{1.0, 2.0}, {2.0, 1.0}}));
                                      },
                                      "linalg::cholesky: the matrix is not positive definite: its leading minor of "
                                      "order 2 is not positive"},
                                     {[] {
                                        linalg::cholesky(expand(singular(), {3, 2, 2, 2}));
                                      },
                                      "matrix (0, 0) of the batch (3, 2)"}};
       }},
      {"linalg::cholesky_solve", "linear algebra", "X of L L^T X = B", true, cholesky_solve_samples,
       [] {
         return square_errors([](auto& x) { return std::vector<Tensor>{linalg::cholesky_solve(x, ones({2}))}; }) +
                right_side_errors([](auto& A, auto& B) { return linalg::cholesky_solve(A, B); });
       }},
      {"linalg::solve", "linear algebra", "X of A X = B", true, solve_samples, solve_errors},
      {"linalg::solve_triangular", "linear algebra", "X of A X = B, for triangular A", true, triangular_samples,
       [] {
         return square_errors([](auto& x) { return std::vector<Tensor>{linalg::solve_triangular(x, ones({2}))}; }) +
                right_side_errors([](auto& A, auto& B) { return linalg::solve_triangular(A, B); }) +
                std::vector<OpError>{{[] { linalg::solve_triangular(singular(), ones({2})); },
                                      "matrix (0,) of the batch (2,) is singular: element (0, 0) is 0"}};
       }},
      {"linalg::inv", "linear algebra", "the inverse of A", true,
       [] {
         return square_samples("torch.linalg.inv(x[0])", [](auto& x) { return std::vector<Tensor>{linalg::inv(x)}; });
       },
       [] {
         return square_errors([](auto& x) { return std::vector<Tensor>{linalg::inv(x)}; }) +
                std::vector<OpError>{{[] { linalg::inv(singular()); }, "matrix (0,) of the batch (2,) is singular"}};
       }},
      {"linalg::lu", "linear algebra", "A = P L U", true,
       [] {
         return square_samples("tuple(torch.linalg.lu(x[0]))", lu_parts) +
                rectangle_samples("tuple(torch.linalg.lu(x[0]))", lu_parts);
       },
       [] { return matrix_errors(lu_parts); }},
      {"linalg::lu_factor", "linear algebra", "L and U of A = P L U, in one matrix", true,
       [] {
         const auto factors = [](const Tensor& x) { return std::vector<Tensor>{linalg::lu_factor(x).LU}; };
         return square_samples("torch.linalg.lu_factor(x[0])[0]", factors) +
                rectangle_samples("torch.linalg.lu_factor(x[0])[0]", factors);
       },
       [] { return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::lu_factor(x).LU}; }); }},
      {"linalg::lu_solve", "linear algebra", "X of A X = B, from lu_factor(A)", true, lu_solve_samples,
       [] {
         const auto pivots = [] { return ones({2}, {.dtype = int64}); };
         return std::vector<OpError>{{[=] {
                                        linalg::lu_solve(ones({2, 3}), pivots(), ones({2}));
                                      },
                                      "not square"},
                                     {[=] {
                                        linalg::lu_solve(ones({3, 3}), pivots(), ones({3}));
                                      },
                                      "they must be int64 of shape (3,)"},
                                     {[=] {
                                        linalg::lu_solve(ones({2, 2}), pivots(), ones({2}));
                                      },
                                      "pivot 1 of row 1; it must be between 2 and 2"}};
       }},
      {"linalg::det", "linear algebra", "the determinant of A", true,
       [] {
         return square_samples("torch.linalg.det(x[0])", [](auto& x) { return std::vector<Tensor>{linalg::det(x)}; });
       },
       [] { return square_errors([](auto& x) { return std::vector<Tensor>{linalg::det(x)}; }); }},
      {"linalg::slogdet", "linear algebra", "sign and log |det(A)|", true,
       [] { return square_samples("tuple(torch.linalg.slogdet(x[0]))", logarithm_of_determinant); },
       [] { return square_errors(logarithm_of_determinant); }},
      {"linalg::lstsq", "linear algebra", "the X with the smallest |A X - B|", true, lstsq_samples,
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::lstsq(x, ones({2})).solution}; }) +
                std::vector<OpError>{{[] {
                                        linalg::lstsq(ones({3, 2}), ones({2}));
                                      },
                                      "do not fit: A X has 3 rows"},
                                     {[] {
                                        linalg::lstsq(ones({3, 2}), ones({3}), {.rcond = -1});
                                      },
                                      "rcond is -1"}};
       }},
      {"linalg::pinv", "linear algebra", "the pseudo-inverse of A", true,
       [] {
         const auto inverse = [](const Tensor& x) { return std::vector<Tensor>{linalg::pinv(x)}; };
         return square_samples("torch.linalg.pinv(x[0])", inverse) +
                rectangle_samples("torch.linalg.pinv(x[0])", inverse) +
                square_samples("torch.linalg.pinv(x[0] + x[0].mT, hermitian=True)", [](auto& x) {
                  return std::vector<Tensor>{linalg::pinv(symmetric(x), {.hermitian = true})};
                });
       },
       [] {
         return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::pinv(x)}; }) +
                std::vector<OpError>{{[] {
                                        linalg::pinv(ones({2, 2}), {.rtol = -1});
                                      },
                                      "must not be negative"}};
       }},
      {"linalg::matrix_rank", "linear algebra", "how many singular values of A count", false,
       [] {
         const auto rank = [](const Tensor& x) { return std::vector<Tensor>{linalg::matrix_rank(x)}; };
         return square_samples("torch.linalg.matrix_rank(x[0])", rank) +
                rectangle_samples("torch.linalg.matrix_rank(x[0])", rank);
       },
       [] { return matrix_errors([](auto& x) { return std::vector<Tensor>{linalg::matrix_rank(x)}; }); }},
  };
  return ops;
}

}  // namespace xgrad::detail
