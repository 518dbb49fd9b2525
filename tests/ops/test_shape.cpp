#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <numeric>

#include "../catch.hpp"

using namespace xgrad;

namespace {

std::vector<std::int64_t> values(const Tensor& x) {
  const Tensor dense = x.contiguous().to(int64);
  return std::vector<std::int64_t>(dense.data<std::int64_t>(), dense.data<std::int64_t>() + dense.numel());
}
using Values = std::vector<std::int64_t>;

Tensor counting(const Shape& shape) { return reshape(arange(shape.numel(), {.dtype = int64}), shape); }
bool shares_memory(const Tensor& a, const Tensor& b) { return a.impl().storage == b.impl().storage; }

}  // namespace

TEST_CASE("reshape: a view wherever strides can express it") {
  const Tensor x = counting({2, 3, 4});
  CHECK(shares_memory(reshape(x, {6, 4}), x));
  CHECK(shares_memory(reshape(transpose(x, 0, 1), {3, 2, 2, 2}), x));
  CHECK(shares_memory(reshape(slice(x, 2, 0, 4, 2), {6, 2}), x));
  const Tensor repeated = expand(counting({1}), {6});
  CHECK(shares_memory(reshape(repeated, {2, 3}), repeated));
  CHECK_FALSE(shares_memory(reshape(transpose(x, 0, 1), {6, 4}), x));
  CHECK_FALSE(shares_memory(reshape(slice(x, 2, 0, 3), {18}), x));
}

TEST_CASE("reshape: keeps the row-major order of any strided tensor, in any shape") {
  const Tensor base = counting({4, 3, 2, 4});
  std::vector<Tensor> inputs;
  for (const Shape& axes : {Shape{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 0, 2, 3}, {0, 1, 3, 2}, {2, 3, 0, 1}})
    inputs.push_back(permute(base, axes));
  inputs.push_back(slice(base, 0, 0, 4, 2));
  inputs.push_back(unsqueeze(slice(base, 2, 1), 2));
  inputs.push_back(expand(select(base, 1, 0), {3, 4, 2, 4}));
  for (const Tensor& x : inputs) {
    const Values expected = values(x.clone());
    const std::int64_t n = x.numel();
    for (std::int64_t a = 1; a <= n; ++a)
      for (std::int64_t b = 1; n % a == 0 && b <= n / a; ++b)
        if (n / a % b == 0) {
          const Tensor y = reshape(x, {a, 1, b, n / a / b});
          CAPTURE(x.shape(), x.strides(), y.shape());
          CHECK(y.shape() == Shape{a, 1, b, n / a / b});
          CHECK(values(y) == expected);
        }
  }
}

TEST_CASE("views: a change of the elements is seen by the tensor and its views") {
  Tensor x = ones({2, 3});
  Tensor row = select(x, 0, 1), column = narrow(x, 1, 2, 1), turned = transpose(x, 0, 1), flat = flatten(x);
  detail::overwrite(row, full({}, 5));
  detail::overwrite(column, full({}, 7));
  CHECK(values(x) == Values{1, 1, 7, 5, 5, 7});
  CHECK(values(turned) == Values{1, 5, 1, 5, 7, 7});
  CHECK(values(flat) == Values{1, 1, 7, 5, 5, 7});
}

TEST_CASE("views: any dtype, and no gradient for integers") {
  const Tensor flags = tensor({{1, 0}, {0, 0}, {1, 1}}, {.dtype = bool_});
  CHECK(values(transpose(flags, 0, 1)) == Values{1, 0, 1, 0, 0, 1});
  CHECK(reshape(transpose(flags, 0, 1), {6}).dtype() == bool_);
  CHECK(values(flip(counting({2, 3}), {1})) == Values{2, 1, 0, 5, 4, 3});
  CHECK_FALSE(select(counting({2}), 0, 0).requires_grad());
}

TEST_CASE("views: of empty tensors") {
  const Tensor x = ones({0, 3}, {.requires_grad = true});
  for (const Tensor& y :
       {reshape(x, {3, 0, 2}), flatten(x), transpose(x, 0, 1), squeeze(x), unsqueeze(x, 2), flip(x), slice(x, 1, 1),
        slice(x, 0, 0, 5), select(x, 1, 2), split(x, 2)[0], concat({x, x}), stack({x, x})}) {
    CHECK(y.numel() == 0);
    x.zero_grad();
    y.backward(ones(y.shape()));
    CHECK((!x.grad().defined() || x.grad().shape() == x.shape()));
  }
  CHECK(reshape(ones({2, 0}), {-1, 3}).shape() == Shape{0, 3});
  const Tensor huge = expand(ones({1, 1, 0}), {INT64_MAX / 2, 4, 0});
  CHECK(slice(huge, 0, 1, INT64_MAX, 5).numel() == 0);
  CHECK_THROWS_WITH(flatten(huge, 0, 1), Catch::Contains("more than 2^63 - 1 elements"));
}

TEST_CASE("slice: begin, end and step mean what they mean in Python") {
  const std::int64_t size = 5;
  const Tensor x = counting({size});
  for (std::int64_t begin = -8; begin <= 8; ++begin)
    for (std::int64_t end = -8; end <= 8; ++end)
      for (std::int64_t step = 1; step <= 7; ++step) {
        Values expected;
        const auto position = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
        for (std::int64_t i = position(begin); i < position(end); i += step) expected.push_back(i);
        CAPTURE(begin, end, step);
        CHECK(values(slice(x, 0, begin, end, step)) == expected);
      }
  CHECK(values(slice(x, 0, INT64_MIN, INT64_MAX, INT64_MAX)) == Values{0});
  CHECK(shares_memory(slice(x, 0, 1), x));
}

TEST_CASE("split: the parts put together are the whole") {
  const Tensor x = counting({3, 7});
  for (std::int64_t size = 1; size <= 8; ++size) {
    const auto parts = split(x, size, 1);
    CHECK(static_cast<std::int64_t>(parts.size()) == (7 + size - 1) / size);
    CHECK(values(concat(parts, 1)) == values(x));
    CHECK(shares_memory(parts.back(), x));
  }
  CHECK(split(x, {3, 0, 4}, 1)[1].shape() == Shape{3, 0});
  CHECK(split(ones({0, 2}), 3).size() == 1);
}

TEST_CASE("split: a part that is not used has gradient zero") {
  const Tensor x = ones({5}, {.requires_grad = true});
  const auto parts = split(x, 2);
  sum_to(parts[1] * 3.0, {}).backward();
  CHECK(values(x.grad()) == Values{0, 0, 3, 3, 0});
}

TEST_CASE("concat: brings the tensors to one dtype, and gives each its gradient in its own") {
  const Tensor a = ones({2}, {.dtype = float32, .requires_grad = true}),
               b = ones({1}, {.dtype = float64, .requires_grad = true});
  const Tensor y = concat({a, tensor({4}, {.dtype = int64}), b});
  CHECK(y.dtype() == float64);
  y.backward(tensor({1, 2, 3, 4}, {.dtype = float64}));
  CHECK(a.grad().dtype() == float32);
  CHECK(values(a.grad()) == Values{1, 2});
  CHECK(values(b.grad()) == Values{4});
}

TEST_CASE("concat: of many tensors, some of which need no gradient") {
  std::vector<Tensor> tensors;
  for (int i = 0; i < 100; ++i) tensors.push_back(full({1, 2}, i, {.requires_grad = i % 2 == 1}));
  const Tensor y = concat(tensors);
  CHECK(y.shape() == Shape{100, 2});
  y.backward(y.detach());
  CHECK_FALSE(tensors[98].grad().defined());
  CHECK(values(tensors[99].grad()) == Values{99, 99});
}

TEST_CASE("squeeze: several axes, of which those of another size stay") {
  const Tensor x = zeros({1, 3, 1, 2, 1});
  CHECK(squeeze(x).shape() == Shape{3, 2});
  CHECK(squeeze(x, {0, -1}).shape() == Shape{3, 1, 2});
  CHECK(squeeze(x, {1, 2}).shape() == Shape{1, 3, 2, 1});
  CHECK(squeeze(x, 1).shape() == x.shape());
  CHECK_THROWS_AS(squeeze(x, {0, 0}), Error);
}
