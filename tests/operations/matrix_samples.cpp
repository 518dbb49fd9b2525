#include "matrix_samples.hpp"

#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shape.hpp>

namespace xgrad::detail {

namespace {

OpSample sample_of(const std::string& reference, const Tensor& x, MatrixFunction f) {
  return {reference, {x}, [f](const std::vector<Tensor>& inputs) { return f(inputs[0]); }};
}

}  // namespace

std::vector<OpSample> square_samples(const std::string& reference, MatrixFunction f) {
  return {sample_of(reference, sample_normal({3, 3}), f),
          sample_of(reference, sample_uniform({1, 1}, 0.5, 2), f),
          sample_of(reference, transpose(sample_normal({4, 4}, 2).detach(), 0, 1).requires_grad_(), f),
          sample_of(reference, plus_identity(sample_normal({2, 1, 3, 3}, 3), 2).detach().requires_grad_(), f),
          sample_of(reference, sample_normal({0, 0}), f),
          sample_of(reference, sample_normal({2, 0, 0}), f),
          sample_of(reference, sample_normal({0, 3, 3}), f)};
}

std::vector<OpSample> rectangle_samples(const std::string& reference, MatrixFunction f) {
  return {sample_of(reference, sample_normal({4, 2}, 4), f),    sample_of(reference, sample_normal({2, 4}, 5), f),
          sample_of(reference, sample_normal({2, 3, 2}, 6), f), sample_of(reference, sample_normal({3, 0}), f),
          sample_of(reference, sample_normal({0, 3}), f),       sample_of(reference, sample_normal({0, 2, 3}), f)};
}

std::vector<OpError> matrix_errors(MatrixFunction f) {
  return {{[f] { f(Tensor()); }, "undefined"},
          {[f] {
             f(ones({2, 2}, {.dtype = int64}));
           },
           "int64"},
          {[f] { f(ones({3})); }, "two axes"}};
}

std::vector<OpError> square_errors(MatrixFunction f) {
  return matrix_errors(f) + std::vector<OpError>{{[f] { f(ones({4, 2, 3})); }, "(4, 2, 3) are not square"}};
}

Tensor plus_identity(const Tensor& x, double factor) { return x + factor * eye(x.size(-1), {.dtype = x.dtype()}); }
Tensor positive_definite(const Tensor& x) { return plus_identity(matmul(x, transpose(x, -1, -2)), 2); }
Tensor symmetric(const Tensor& x) { return x + transpose(x, -1, -2); }

}  // namespace xgrad::detail
