#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/autograd/named_tensors.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include <functional>
#include <sstream>

#include "../catch.hpp"
#include "../ops/values.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions f64{.dtype = float64};

}  // namespace

TEST_CASE("tensor: item converts exactly or says what does not fit") {
  CHECK(tensor(3000000000).item<std::int64_t>() == 3000000000);
  CHECK(tensor(-2).item<int>() == -2);
  CHECK(tensor(-2.9).item<int>() == -2);
  CHECK(tensor(-0.9).item<unsigned>() == 0);
  CHECK(full({}, 1e19, f64).item<std::uint64_t>() == 10000000000000000000ull);
  CHECK(tensor(2147483647).item<int>() == 2147483647);
  CHECK(full({}, 2147483647.9, f64).item<int>() == 2147483647);
  CHECK(tensor(255).item<std::uint8_t>() == 255);
  CHECK(std::isnan(tensor(NaN).item<float>()));
  CHECK(full({}, 1e300, f64).item<float>() == static_cast<float>(inf));
  CHECK(tensor(NaN).item<bool>());
  CHECK(tensor({true}).item<int>() == 1);
  const struct {
    std::function<void()> call;
    const char* message;
  } cases[] = {
      {[] { tensor(3000000000).item<int>(); }, "item: 3000000000 does not fit into int32"},
      {[] { tensor(-1).item<unsigned>(); }, "item: -1 does not fit into uint32"},
      {[] { tensor(-1.0).item<std::uint64_t>(); }, "item: -1 does not fit into uint64"},
      {[] { tensor(256).item<std::uint8_t>(); }, "item: 256 does not fit into uint8"},
      {[] { tensor(NaN).item<int>(); }, "item: nan does not fit into int32"},
      {[] { tensor(-inf).item<std::int64_t>(); }, "item: -inf does not fit into int64"},
      {[] { tensor(9.3e18).item<std::int64_t>(); }, "does not fit into int64"},
      {[] { full({}, 2147483648.0, f64).item<int>(); }, "item: 2147483648 does not fit into int32"},
      {[] {
         tensor({1, 70000}).to_vector<std::int16_t>();
       },
       "to_vector: 70000 does not fit into int16"},
      {[] {
         tensor({1, 300}).at<std::int8_t>(1);
       },
       "at: 300 does not fit into int8"},
      {[] {
         tensor({1, 2}).item();
       },
       "item: a tensor of one element is needed, this has shape (2,)"},
  };
  for (const auto& each : cases) CHECK_THROWS_WITH(each.call(), Catch::Contains(each.message));
}

TEST_CASE("tensor: a pointer to the elements is given only where they lie in row-major order") {
  const Tensor x = arange(24).requires_grad_();
  const Tensor cube = reshape(x, {2, 3, 4});
  const Tensor views[] = {transpose(cube, 0, 1),
                          slice(cube, 2, 0, 4, 2),
                          select(cube, 2, 1),
                          slice(cube, 1, 1),
                          expand(reshape(x, {24, 1}), {24, 2}),
                          expand(ones({}), 3)};
  for (const Tensor& view : views) {
    CAPTURE(view.shape(), view.strides());
    CHECK_THROWS_WITH(view.data<float>(), Catch::Contains("use .contiguous() first"));
    CHECK_THROWS_AS(view.span<float>(), Error);
    const Tensor dense = view.contiguous();
    CHECK(view.to_vector<float>() == Floats(dense.data<float>(), dense.data<float>() + dense.numel()));
  }
  const Tensor dense[] = {cube, select(cube, 0, 1), slice(cube, 0, 1), unsqueeze(cube, 1), slice(cube, 1, 0, 0)};
  for (const Tensor& view : dense) {
    CHECK(view.data<float>() == reinterpret_cast<float*>(view.impl().data));
    CHECK(view.span<float>().size() == static_cast<std::size_t>(view.numel()));
    CHECK(view.span<const float>().data() == view.data<float>());
  }
  CHECK_THROWS_WITH(cube.data<double>(), Catch::Contains("elements are float32, not float64"));
  CHECK_THROWS_AS(Tensor().span<float>(), Error);
}

TEST_CASE("tensor: elements by index and as a vector") {
  const Tensor x = transpose(reshape(arange(6), {2, 3}), 0, 1);
  CHECK(x.at({2, 1}) == 5);
  CHECK(x.at<int>({-1, -2}) == 2);
  CHECK(tensor(7).at<std::int64_t>({}) == 7);
  CHECK(x.to_vector<int>() == std::vector<int>{0, 3, 1, 4, 2, 5});
  CHECK(bools({1, 0}).to_vector<bool>() == Bools{true, false});
  CHECK(zeros({0, 2}).to_vector<float>().empty());
  CHECK_THROWS_WITH(x.at({0, 2}), "at: index 2 is out of range for axis 1 of shape (3, 2)");
  CHECK_THROWS_WITH(x.at(1), Catch::Contains("at: 1 indices for shape (3, 2)"));
  CHECK_THROWS_AS(x.at({-4, 0}), Error);
}

TEST_CASE("tensor: x[i] is a part along the first axis, with a gradient, and can be changed") {
  Tensor x = doubles({{1, 2}, {3, 4}});
  CHECK(values<double>(x[1]) == Doubles{3, 4});
  CHECK(x[-1][std::size_t{0}].item() == 3);
  sum(x[0] * x[1]).backward();
  CHECK(values<double>(x.grad()) == Doubles{3, 4, 1, 2});
  {
    const NoGrad no_grad;
    x[0] += 1;
    x[1] *= x[0];
  }
  CHECK(values<double>(x) == Doubles{2, 3, 6, 12});
  CHECK_THROWS_AS(x[2], Error);
  CHECK_THROWS_AS(x[18446744073709551615ull], Error);
  CHECK_THROWS_AS(ones({})[0], Error);
}

TEST_CASE("tensor: assignments with an operation follow the rules of in-place changes") {
  Tensor x = tensor({1.0, 2.0});
  const float* const memory = x.data<float>();
  ((x += 3) -= tensor({1.0, 0.5})) *= 2;
  x /= 4.0;
  CHECK(values<float>(x) == Floats{1.5, 2.25});
  CHECK(x.data<float>() == memory);
  Tensor i = tensor({1, 2});
  CHECK_THROWS_AS(i /= 2, Error);
  CHECK_THROWS_AS(i += 0.5, Error);
  Tensor w = doubles({1, 2});
  CHECK_THROWS_WITH(w -= 0.1, Catch::Contains("sub_: a leaf") && Catch::Contains("NoGrad"));
  Tensor y = w * 1.0;
  y *= w;
  y -= 0.5 * w;
  sum(y).backward();
  CHECK(values<double>(w.grad()) == Doubles{1.5, 3.5});
}

TEST_CASE("tensor: alpha is a factor of the other operand in place") {
  Tensor x = tensor({1.0, 2.0});
  x.add_(tensor({1.0, 10.0}), {.alpha = 0.5}).sub_(tensor({1.0, 1.0}), {.alpha = 2});
  CHECK(values<float>(x) == Floats{-0.5, 5});
  Tensor i = tensor({1, 2});
  CHECK(values<std::int64_t>(i.add_(tensor({9007199254740993, std::int64_t{1}}), {.alpha = 3})) ==
        Integers{27021597764222980, 5});
  CHECK_THROWS_WITH(i.add_(i, {.alpha = 0.5}), Catch::Contains("alpha is 0.5"));
}

TEST_CASE("tensor: the gradient by one tensor is a tensor") {
  const Tensor x = doubles({1, 2});
  const Tensor y = sum(x * x);
  CHECK(values<double>(grad(y, x, {.retain_graph = true})) == Doubles{2, 4});
  CHECK(grad(y, {x}, {.retain_graph = true}).size() == 1);
  CHECK_THROWS_AS(grad(y, doubles({1})), Error);
  y.backward({.retain_graph = true});
  y.backward({});
  CHECK(values<double>(x.grad()) == Doubles{4, 8});
}

TEST_CASE("tensor: dtypes and shapes print") {
  std::ostringstream out;
  out << float32 << ' ' << tensor({1}).dtype() << ' ' << bool_ << ' ' << Shape{2, 3};
  CHECK(out.str() == "float32 int64 bool (2, 3)");
}

TEST_CASE("named tensors: found by name") {
  NamedTensors all{{"fc1.weight", tensor(1)}, {"fc1.bias", tensor(2)}, {"fc2.weight", tensor(3)}};
  CHECK(all["fc1.bias"].item() == 2);
  all["fc1.bias"] = tensor(5);
  CHECK(std::as_const(all)["fc1.bias"].item() == 5);
  CHECK(NamedTensors(all)["fc2.weight"].item() == 3);
  CHECK(all[0].first == "fc1.weight");
  CHECK_THROWS_WITH(all["fc1.wieght"],
                    "named tensors: none of the 3 is called \"fc1.wieght\"; the nearest names are \"fc1.weight\", "
                    "\"fc2.weight\", \"fc1.bias\"");
  CHECK_THROWS_WITH(all["bias"], Catch::Contains("the nearest names are \"fc1.bias\""));
  CHECK_THROWS_WITH(NamedTensors()["x"], "named tensors: none of the 0 is called \"x\"");
  const std::vector<std::pair<std::string, Tensor>> pairs = all;
  CHECK(NamedTensors(pairs).size() == 3);
}
