#include <xgrad/ops/linalg/matrix_functions.hpp>
#include <xgrad/ops/linalg/products.hpp>

#include "matrix_samples.hpp"

namespace xgrad::detail {

namespace {

template <int n>
std::vector<Tensor> power(const Tensor& x) {
  return {linalg::matrix_power(x, n)};
}

Tensor row(std::int64_t size, std::uint64_t seed = 1) { return sample_normal({size}, seed); }

std::vector<OpSample> multi_dot_samples() {
  const auto call = [](std::vector<Tensor> matrices) {
    return sample("torch.linalg.multi_dot(x)", std::move(matrices), [](auto& x) { return linalg::multi_dot(x); });
  };
  const auto matrix = [](std::int64_t m, std::int64_t n) {
    return sample_normal({m, n}, static_cast<std::uint64_t>(10 * m + n));
  };
  return {call({matrix(2, 3), matrix(3, 4)}),         call({matrix(2, 4), matrix(4, 1), matrix(1, 3), matrix(3, 2)}),
          call({row(3), matrix(3, 2), row(2, 2)}),    call({row(3), row(3, 2)}),
          call({matrix(2, 3), matrix(3, 3), row(3)}), call({matrix(2, 0), matrix(0, 3)})};
}

}  // namespace

std::span<const OpInfo> linalg_functions_ops() {
  static const OpInfo ops[] = {
      {"linalg::matrix_power", "linear algebra", "A A ... A", true,
       [] {
         return square_samples("torch.linalg.matrix_power(x[0], 3)", power<3>) +
                square_samples("torch.linalg.matrix_power(x[0], 6)", power<6>) +
                square_samples("torch.linalg.matrix_power(x[0], 1)", power<1>) +
                square_samples("torch.linalg.matrix_power(x[0], 0)", power<0>) +
                square_samples("torch.linalg.matrix_power(x[0] @ x[0].mT + 2 * torch.eye(x[0].shape[-1]), -2)",
                               [](auto& x) { return power<-2>(positive_definite(x)); });
       },
       [] {
         return square_errors(power<2>) + std::vector<OpError>{{[] {
                                                                  linalg::matrix_power(ones({2, 2}), -1);
                                                                },
                                                                "singular"}};
       }},
      {"linalg::matrix_exp", "linear algebra", "I + A + A^2 / 2 + ...", true,
       [] {
         const auto exponential = [](const Tensor& x) { return std::vector<Tensor>{linalg::matrix_exp(x)}; };
         return square_samples("torch.linalg.matrix_exp(x[0])", exponential) +
                std::vector<OpSample>{sample("torch.linalg.matrix_exp(x[0])", {sample_uniform({2, 2}, -1e-3, 1e-3)},
                                             [](auto& x) { return linalg::matrix_exp(x[0]); }),
                                      sample("torch.linalg.matrix_exp(x[0])", {sample_uniform({3, 3}, -0.3, 0.2)},
                                             [](auto& x) { return linalg::matrix_exp(x[0]); }),
                                      sample("torch.linalg.matrix_exp(x[0])", {sample_uniform({3, 3}, -8, 1)},
                                             [](auto& x) { return linalg::matrix_exp(x[0]); })};
       },
       [] { return square_errors([](auto& x) { return std::vector<Tensor>{linalg::matrix_exp(x)}; }); }},
      {"linalg::multi_dot", "linear algebra", "A B C ...", true, multi_dot_samples,
       [] {
         return std::vector<OpError>{{[] {
                                        linalg::multi_dot({ones({2, 2})});
                                      },
                                      "1 tensors"},
                                     {[] {
                                        linalg::multi_dot({ones({2, 2}), ones({2}), ones({2, 2})});
                                      },
                                      "tensor 1 has shape (2,); it must be a matrix"},
                                     {[] {
                                        linalg::multi_dot({ones({2, 3}), ones({2, 2})});
                                      },
                                      "(2, 3) and (2, 2), whose inner sizes differ"}};
       }},
      {"linalg::cross", "linear algebra", "a x b", true,
       [] {
         const auto call = [](const Shape& a, const Shape& b) {
           return sample("torch.linalg.cross(x[0], x[1])", {sample_normal(a), sample_normal(b, 2)},
                         [](auto& x) { return linalg::cross(x[0], x[1]); });
         };
         return std::vector<OpSample>{
             call({3}, {3}), call({2, 3}, {2, 3}), call({2, 1, 3}, {1, 4, 3}), call({0, 3}, {1, 3}),
             sample("torch.linalg.cross(x[0], x[1], dim=0)", {sample_normal({3, 2}), sample_normal({3, 2}, 2)},
                    [](auto& x) { return linalg::cross(x[0], x[1], 0); })};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        linalg::cross(ones({2, 2}), ones({2, 2}));
                                      },
                                      "it must be 3"},
                                     {[] {
                                        linalg::cross(ones({2, 3}), ones({4, 3}));
                                      },
                                      "broadcast"}};
       }},
      {"linalg::outer", "linear algebra", "a_i b_j", true,
       [] {
         const auto call = [](std::int64_t m, std::int64_t n) {
           return sample("torch.outer(x[0], x[1])", {row(m), row(n, 2)},
                         [](auto& x) { return linalg::outer(x[0], x[1]); });
         };
         return std::vector<OpSample>{call(2, 3), call(1, 1), call(0, 3)};
       },
       [] {
         return std::vector<OpError>{{[] { linalg::outer(ones({2, 2}), ones({2})); }, "they must be vectors"}};
       }},
      {"linalg::kron", "linear algebra", "the Kronecker product", true,
       [] {
         const auto call = [](const Shape& a, const Shape& b) {
           return sample("torch.kron(x[0], x[1])", {sample_normal(a), sample_normal(b, 2)},
                         [](auto& x) { return linalg::kron(x[0], x[1]); });
         };
         return std::vector<OpSample>{call({2, 3}, {2, 2}), call({2}, {2, 3}), call({2, 1, 2}, {3}), call({}, {2}),
                                      call({0, 2}, {2, 2})};
       },
       [] {
         return std::vector<OpError>{{[] { linalg::kron(ones({1, 1, 1, 1, 1}), ones({1})); }, "4 are the most"}};
       }},
      {"linalg::trace", "linear algebra", "the sum of the diagonal", true,
       [] {
         const auto call = [](const Shape& shape) {
           return sample("torch.trace(x[0])", {sample_normal(shape)}, [](auto& x) { return linalg::trace(x[0]); });
         };
         return std::vector<OpSample>{call({3, 3}), call({2, 4}), call({3, 2}), call({0, 3})};
       },
       [] {
         return std::vector<OpError>{{[] { linalg::trace(ones({2, 2, 2})); }, "is no matrix"}};
       }},
      {"linalg::vander", "linear algebra", "x_i^j", true,
       [] {
         return std::vector<OpSample>{
             sample("torch.linalg.vander(x[0])", {row(4)}, [](auto& x) { return linalg::vander(x[0]); }),
             sample("torch.linalg.vander(x[0], N=3)", {sample_normal({2, 4})},
                    [](auto& x) { return linalg::vander(x[0], 3); }),
             sample("torch.linalg.vander(x[0], N=3)", {sample_normal({0, 2})},
                    [](auto& x) { return linalg::vander(x[0], 3); })};
       },
       [] {
         return std::vector<OpError>{{[] { linalg::vander(ones({})); }, "x must have an axis"},
                                     {[] { linalg::vander(ones({2}), -1); }, "-1 columns"}};
       }},
  };
  return ops;
}

}  // namespace xgrad::detail
