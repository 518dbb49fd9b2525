#include <xgrad/xgrad.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

Tensor transposed_input(const Shape& shape, std::uint64_t seed) {
  return transpose(sample_normal(shape, seed).detach(), -1, -2).requires_grad_();
}

OpSample matmul_sample(const Tensor& a, const Tensor& b) {
  return sample("torch.matmul(x[0], x[1])", {a, b}, [](auto& x) { return matmul(x[0], x[1]); });
}

std::vector<OpSample> matmul_samples() {
  const auto a = [](const Shape& shape) { return sample_normal(shape, 1); };
  const auto b = [](const Shape& shape) { return sample_normal(shape, 2); };
  const Tensor expanded = expand(sample_normal({3, 1}).detach(), {3, 4}).requires_grad_();
  return {matmul_sample(a({2, 3}), b({3, 4})),
          matmul_sample(a({3}), b({3})),
          matmul_sample(a({2, 3}), b({3})),
          matmul_sample(a({3}), b({3, 2})),
          matmul_sample(a({2, 2, 3}), b({3, 4})),
          matmul_sample(a({2, 2, 3}), b({3})),
          matmul_sample(a({2, 3}), b({2, 3, 2})),
          matmul_sample(a({3}), b({2, 3, 2})),
          matmul_sample(a({2, 1, 2, 3}), b({3, 3, 2})),
          matmul_sample(transposed_input({3, 2}, 1), b({3, 4})),
          matmul_sample(a({2, 3}), transposed_input({4, 3}, 2)),
          matmul_sample(transposed_input({2, 3, 2}, 1), transposed_input({2, 4, 3}, 2)),
          matmul_sample(transposed_input({2, 3, 2}, 1), transposed_input({4, 3}, 2)),
          matmul_sample(a({2, 3}), expanded),
          matmul_sample(a({2, 0}), b({0, 3})),
          matmul_sample(a({0, 2}), b({2, 3})),
          matmul_sample(a({0, 2, 3}), b({3, 2}))};
}

std::vector<OpError> matmul_errors() {
  return {{[] {
             matmul(ones({3, 4}), ones({5, 6}));
           },
           "matmul: (3, 4) x (5, 6): inner sizes 4 and 5 differ"},
          {[] { matmul(ones({3}), ones({4})); }, "matmul: (3,) x (4,): inner sizes 3 and 4 differ"},
          {[] {
             matmul(ones({3, 4}), ones({3}));
           },
           "inner sizes 4 and 3 differ"},
          {[] {
             matmul(ones({2, 3, 4}), ones({5, 4, 6}));
           },
           "matmul: (2, 3, 4) x (5, 4, 6): batch sizes 2 and 5 do not broadcast"},
          {[] { matmul(ones({}), ones({2})); }, "matmul: () x (2,): a number is no matrix"},
          {[] {
             matmul(zeros({2, 2}, {.dtype = bool_}), zeros({2, 2}, {.dtype = bool_}));
           },
           "matmul: (2, 2) of bool x (2, 2) of bool: there is no such product; convert one with .to(int64)"},
          {[] {
             matmul(expand(ones({1, 1}), {1, 1LL << 31}), expand(ones({1, 1}), {1LL << 31, 1}));
           },
           "size 2147483648 is over 2147483647"},
          {[] { matmul(Tensor(), ones({2})); }, "undefined"},
          {[] { matmul(ones({2}), Tensor()); }, "undefined"}};
}

std::vector<OpSample> linear_samples() {
  const Tensor weight = sample_normal({2, 3}, 2), bias = sample_normal({2}, 3);
  const auto with_bias = [&](const Tensor& x, const Tensor& w) {
    return sample("F.linear(x[0], x[1], x[2])", {x, w, bias}, [](auto& in) { return linear(in[0], in[1], in[2]); });
  };
  const auto without = [&](const Tensor& x, const Tensor& w) {
    return sample("F.linear(x[0], x[1])", {x, w}, [](auto& in) { return linear(in[0], in[1]); });
  };
  const Tensor turned = transposed_input({3, 4}, 1), turned_weight = transposed_input({3, 2}, 2);
  return {with_bias(sample_normal({4, 3}), weight),
          with_bias(sample_normal({3}), weight),
          with_bias(sample_normal({2, 2, 3}), weight),
          with_bias(turned, turned_weight),
          with_bias(sample_normal({0, 3}), weight),
          with_bias(sample_normal({4, 0}), sample_normal({2, 0})),
          without(sample_normal({4, 3}), weight),
          without(transposed_input({2, 3, 2}, 1), turned_weight),
          without(sample_normal({4, 3}), sample_normal({0, 3})),
          without(sample_normal({4, 0}), sample_normal({2, 0}))};
}

std::vector<OpError> linear_errors() {
  return {{[] {
             linear(ones({3, 4}), ones({5, 6}));
           },
           "linear: input (3, 4) and weight (5, 6): the last size of the input must be 6"},
          {[] {
             linear(ones({}), ones({5, 6}));
           },
           "linear: input () and weight (5, 6)"},
          {[] {
             linear(ones({3, 4}), ones({4}));
           },
           "linear: a weight of shape (4,)"},
          {[] {
             linear(ones({3, 4}), ones({5, 4}), ones({4}));
           },
           "linear: a bias of shape (4,) for weight (5, 4); it must be (5,)"},
          {[] {
             linear(zeros({3, 4}, {.dtype = int64}), zeros({5, 4}, {.dtype = int64}));
           },
           "there is no such product; convert one with .to(float32)"},
          {[] {
             linear(expand(ones({1, 1}), {1LL << 31, 1}), ones({1, 1}));
           },
           "size 2147483648 is over 2147483647"}};
}

}  // namespace

std::span<const OpInfo> matmul_ops() {
  static const OpInfo ops[] = {
      {"matmul", "matrix products", "sum over k of a[..., i, k] b[..., k, j]", true, matmul_samples, matmul_errors},
      {"linear", "matrix products", "input weight^T + bias", true, linear_samples, linear_errors},
  };
  return ops;
}

}  // namespace xgrad::detail
