// Softmax and log-softmax where one element has nearly all of the probability, against long double; and as PyTorch.
#include <xgrad/autograd/engine.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/softmax.hpp>

#include <algorithm>

#include "../catch.hpp"
#include "accuracy.hpp"
#include "values.hpp"

using namespace xgrad;

namespace {

using Numbers = std::vector<long double>;

/// `count` rows of n scores, each led by another element, as a tensor of T; element (row, c) is at row * n + c.
template <class T>
Tensor leading_rows(std::int64_t count, std::int64_t n, double lead) {
  std::vector<double> x;
  for (std::int64_t row = 0; row < count; ++row)
    for (std::int64_t c = 0; c < n; ++c)
      x.push_back(7 + (c == (5 * row + 1) % n ? lead : -static_cast<double>((c + row) % 5) / 4));
  return from_values<double>(x, {count, n}).to(dtype_of<T>());
}

/// What is upstream of them: from element to element other numbers, or 1 at one element.
template <class T>
Tensor upstream_of(std::int64_t count, std::int64_t n, bool one) {
  Tensor u = zeros({count, n}, {.dtype = dtype_of<T>()});
  for (std::int64_t i = 0; i < u.numel(); ++i)
    u.data<T>()[i] = one ? static_cast<T>(i % n == (5 * (i / n) + 1) % n) : static_cast<T>(i % 11 - 5) / T(8);
  return u;
}

struct Exact {
  Numbers value, gradient, scale;
};

/// One row.
Exact exact_row(const Numbers& x, const Numbers& u, bool logarithm) {
  const auto top = static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
  Numbers p;
  long double others = 0;  // of what stands beside the 1 of the largest
  for (std::size_t i = 0; i < x.size(); ++i) p.push_back(std::exp(x[i] - x[top]));
  for (std::size_t i = 0; i < x.size(); ++i)
    if (i != top) others += p[i];
  for (long double& one : p) one /= 1 + others;
  long double all = 0, sizes = 0, mean = 0, mean_size = 0, beside = 0, beside_size = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    all += u[i], sizes += std::fabs(u[i]);
    mean += p[i] * u[i], mean_size += p[i] * std::fabs(u[i]);
    if (i == top) continue;
    beside += logarithm ? -u[i] : p[i] * (u[top] - u[i]);
    beside_size += logarithm ? std::fabs(u[i]) : p[i] * (std::fabs(u[top]) + std::fabs(u[i]));
  }
  const long double rest = others / (1 + others);
  Exact row;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double log_p = (x[i] - x[top]) - std::log1p(others);
    row.value.push_back(logarithm ? log_p : p[i]);
    if (i == top) {
      row.gradient.push_back(logarithm ? beside + rest * all : p[i] * beside);
      row.scale.push_back(logarithm ? beside_size + rest * sizes : p[i] * beside_size);
    } else {
      row.gradient.push_back(logarithm ? u[i] - p[i] * all : p[i] * (u[i] - mean));
      row.scale.push_back(logarithm ? std::fabs(u[i]) + p[i] * sizes * (1 - log_p / 4)  // e^(log p) of a rounded log p
                                    : p[i] * (std::fabs(u[i]) + mean_size));
    }
  }
  return row;
}

template <class T>
Numbers row_numbers(const Tensor& x, std::int64_t row, std::int64_t n) {
  const std::vector<T> all = values<T>(x);
  return {all.begin() + row * n, all.begin() + (row + 1) * n};
}

template <class T>
void check_leading(std::int64_t count, std::int64_t n, double lead, bool logarithm, bool one, bool in_columns) {
  CAPTURE(sizeof(T), count, n, lead, logarithm, one, in_columns);
  const Tensor x = leading_rows<T>(count, n, lead).requires_grad_(), u = upstream_of<T>(count, n, one);
  // Along rows, or along the columns of a row-major tensor.
  const auto f = [&](const Tensor& at) {
    const Tensor in = in_columns ? transpose(at, 0, 1).contiguous() : at;
    const std::int64_t axis = in_columns ? 0 : 1;
    const Tensor y = logarithm ? log_softmax(in, axis) : softmax(in, axis);
    return in_columns ? transpose(y, 0, 1) : y;
  };
  const Tensor y = f(x), gradient = grad(y, {x}, {.retain_graph = true, .grad_outputs = {u}})[0];
  const Tensor recorded = grad(y, {x}, {.create_graph = true, .grad_outputs = {u}})[0];
  double value_error = 0, gradient_error = 0, recorded_error = 0;
  for (std::int64_t row = 0; row < count; ++row) {
    const Exact exact = exact_row(row_numbers<T>(x, row, n), row_numbers<T>(u, row, n), logarithm);
    const Numbers a = row_numbers<T>(y, row, n), b = row_numbers<T>(gradient, row, n),
                  c = row_numbers<T>(recorded, row, n);
    for (std::size_t i = 0; i < a.size(); ++i) {
      value_error = std::max(value_error, units(static_cast<T>(a[i]), exact.value[i]));
      gradient_error = std::max(gradient_error, units(static_cast<T>(b[i]), exact.gradient[i], exact.scale[i]));
      recorded_error = std::max(recorded_error, units(static_cast<T>(c[i]), exact.gradient[i], exact.scale[i]));
    }
  }
  const double bound = n > 1000 ? 24 : 6;  // of sums of many that are rounded alike
  CHECK(value_error <= bound);
  CHECK(gradient_error <= bound);
  CHECK(recorded_error <= bound);
}

}  // namespace

TEST_CASE("softmax, log_softmax: values and derivatives are right however far one element leads") {
  for (const std::int64_t n : {2, 3, 40, 99, 150, 2500})
    for (const double lead : {0.5, 1.0, 3.0, 17.0, 30.0, 80.0})
      for (const bool logarithm : {false, true})
        for (const bool one : {false, true})
          for (const bool in_columns : {false, true}) {
            check_leading<float>(n > 1000 ? 2 : 35, n, lead, logarithm, one, in_columns);
            check_leading<double>(n > 1000 ? 2 : 35, n, lead * 8, logarithm, one, in_columns);
          }
}

TEST_CASE("softmax, log_softmax, logsumexp: what is added to all elements changes nothing, however large it is") {
  for (const DType dtype : {float32, float64})
    for (const double base : {0.0, 1e4, 1e8, 1e16, 1e30})
      for (const std::int64_t n : {3, 200}) {
        CAPTURE(name(dtype), base, n);
        const Tensor x = full({n}, base, {.dtype = dtype, .requires_grad = true});
        const double share = full({}, 1.0 / static_cast<double>(n), {.dtype = dtype}).item();
        const auto all_are = [](const Tensor& y, double number, double margin) {
          for (const double one : values<double>(y.to(float64)))
            if (!(std::abs(one - number) <= margin)) return false;
          return true;
        };
        const double margin = dtype == float32 ? 1e-7 : 1e-16;
        CHECK(all_are(softmax(x, 0), share, margin));
        CHECK(all_are(log_softmax(x, 0), -std::log(static_cast<double>(n)), 6 * margin));
        for (const bool recorded : {false, true}) {
          CHECK(all_are(grad(logsumexp(x), {x}, {.create_graph = recorded})[0], share, margin));
          CHECK(all_are(grad(sum(log_softmax(x, 0)), {x}, {.create_graph = recorded})[0], 0, 30 * margin));
        }
      }
}

TEST_CASE("softmax, log_softmax: values and gradients of elements that are not finite, as PyTorch 2.13") {
  const struct {
    Doubles x, softmax, softmax_gradient, log_softmax, log_softmax_gradient;  // by upstream gradients of 1, 2 and 3
  } rows[] = {
      {{-inf, -inf, -inf}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}},
      {{-inf, 0, 0}, {0, 0.5, 0.5}, {0, -0.25, 0.25}, {-inf, -std::log(2), -std::log(2)}, {1, -1, 0}},
      {{inf, 0, 1}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}},
      {{inf, inf, 0}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}},
      {{-inf, inf, 0}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}},
      {{NaN, 0, 1}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}, {NaN, NaN, NaN}},
      {{1e30, -1e30, 0}, {1, 0, 0}, {0, 0, 0}, {0, -2e30, -1e30}, {-5, 2, 3}},
      {{-1e30, -1e30, 1e30}, {0, 0, 1}, {0, 0, 0}, {-2e30, -2e30, 0}, {1, 2, -3}},
  };
  const GradOptions plain = {.retain_graph = true, .grad_outputs = {doubles({1, 2, 3}).detach()}};
  for (const auto& row : rows)
    for (const bool recorded : {false, true}) {
      CAPTURE(row.x, recorded);
      GradOptions options = plain;
      options.create_graph = recorded;
      const Tensor x = doubles_of(row.x), y = softmax(x, 0), log_y = log_softmax(x, 0);
      CHECK(alike(values<double>(y), row.softmax));
      CHECK(alike(values<double>(log_y), row.log_softmax));
      CHECK(alike(values<double>(grad(y, {x}, options)[0]), row.softmax_gradient));
      CHECK(alike(values<double>(grad(log_y, {x}, options)[0]), row.log_softmax_gradient));
    }
}

TEST_CASE("softmax, log_softmax: dtype is what the input is converted to before") {
  const Tensor x = tensor({0, 1e-9}, {.requires_grad = true});
  const Tensor y = softmax(x, 0, {.dtype = float64});
  CHECK(y.dtype() == float64);
  CHECK(y.data<double>()[0] < 0.5);  // float32 has no such number near it
  y.backward(tensor({1, 0}, {.dtype = float64}));
  CHECK(x.grad().dtype() == float32);
  CHECK(x.grad().data<float>()[0] == 0.25f);
  CHECK(softmax(integers({1, 1}), 0, {.dtype = float64}).dtype() == float64);
  CHECK(log_softmax(doubles({1, 1}), 0, {.dtype = float32}).dtype() == float32);
  CHECK_THROWS_WITH(softmax(x, 0, {.dtype = int64}),
                    Catch::StartsWith("softmax: dtype is int64; probabilities have a floating dtype"));
  CHECK_THROWS_WITH(log_softmax(x, 0, {.dtype = bool_}),
                    Catch::StartsWith("log_softmax: dtype is bool; probabilities have a floating dtype"));
}
