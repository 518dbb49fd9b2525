#include <xgrad/xgrad.hpp>
#include <xgrad/xtensor.hpp>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <memory>

#include "catch.hpp"

using namespace xgrad;
using Catch::Equals;

namespace {

template <class T>
std::vector<T> values(const Tensor& tensor) {
  return std::vector<T>(tensor.data<T>(), tensor.data<T>() + tensor.numel());
}

template <class F>
std::string message(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("from_xtensor: an expression is evaluated into a row-major tensor of its type") {
  const xt::xarray<double> a = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const Tensor x = from_xtensor(xt::transpose(a) * 0.5);
  CHECK(x.shape() == Shape{3, 2});
  CHECK(x.is_contiguous());
  CHECK_FALSE(x.requires_grad());
  CHECK_THAT(values<double>(x), Equals(std::vector<double>{0.5, 2.0, 1.0, 2.5, 1.5, 3.0}));

  const Tensor rows = from_xtensor(a + xt::xtensor<double, 1>{10.0, 20.0, 30.0});
  CHECK_THAT(values<double>(rows), Equals(std::vector<double>{11.0, 22.0, 33.0, 14.0, 25.0, 36.0}));
  CHECK_THAT(values<double>(from_xtensor(xt::sum(a, {0}))), Equals(std::vector<double>{5.0, 7.0, 9.0}));
  CHECK_THAT(values<double>(from_xtensor(xt::view(a, xt::all(), 1))), Equals(std::vector<double>{2.0, 5.0}));
  CHECK_THAT(values<bool>(from_xtensor(a > 3.5)), Equals(std::vector<bool>{false, false, false, true, true, true}));

  const xt::xarray<double, xt::layout_type::column_major> columns = a;
  CHECK_THAT(values<double>(from_xtensor(columns)), Equals(std::vector<double>{1.0, 2.0, 3.0, 4.0, 5.0, 6.0}));
}

TEST_CASE("from_xtensor: value types become the dtype that holds them, or the one asked for") {
  CHECK(from_xtensor(xt::xarray<float>{1.0F}).dtype() == float32);
  CHECK(from_xtensor(xt::xarray<double>{1.0}).dtype() == float64);
  CHECK(from_xtensor(xt::xarray<bool>{true}).dtype() == bool_);
  CHECK_THAT(values<std::int64_t>(from_xtensor(xt::xarray<int>{-1, 2})), Equals(std::vector<std::int64_t>{-1, 2}));
  CHECK_THAT(values<std::uint8_t>(from_xtensor(xt::xarray<std::uint8_t>{255})), Equals(std::vector<std::uint8_t>{255}));
  CHECK_THAT(values<std::int16_t>(from_xtensor(xt::xarray<std::int16_t>{-300})),
             Equals(std::vector<std::int16_t>{-300}));
  CHECK_THAT(values<std::int32_t>(from_xtensor(xt::xarray<int>{-5}, {.dtype = int32})),
             Equals(std::vector<std::int32_t>{-5}));
  CHECK(from_xtensor(xt::xarray<float>{0.1f}, {.dtype = bfloat16}).item<BFloat16>().bits() == BFloat16(0.1f).bits());
  CHECK(message([] {
          from_xtensor(xt::xarray<int>{1, 300}, {.dtype = uint8});
        }) == "from_xtensor: 300 does not fit into uint8");
  CHECK_THAT(values<float>(from_xtensor(xt::xarray<int>{3, 4}, {.dtype = float32, .requires_grad = true})),
             Equals(std::vector<float>{3.0F, 4.0F}));
}

TEST_CASE("from_xtensor: scalars and empty arrays") {
  const Tensor scalar = from_xtensor(xt::xarray<double>(2.5));
  CHECK(scalar.shape() == Shape{});
  CHECK(scalar.item<double>() == 2.5);
  CHECK(from_xtensor(xt::xarray<double>::from_shape({3, 0, 2})).shape() == Shape{3, 0, 2});
}

TEST_CASE("from_xtensor: what cannot become a tensor is an error") {
  const xt::xarray<double> a = {1.0, 2.0, 3.0}, b = {1.0, 2.0};
  CHECK_THAT(message([&] { from_xtensor(a + b); }), Catch::StartsWith("from_xtensor: "));
  CHECK(message([] {
          from_xtensor(xt::xarray<std::uint64_t>{1, std::uint64_t{1} << 63});
        }) == "from_xtensor: 9223372036854775808 at element 1 does not fit into int64");
  CHECK(message([] { from_xtensor(xt::xarray<int>{1}, {.requires_grad = true}); }) ==
        "from_xtensor: a tensor of dtype int64 cannot require a gradient; name a floating dtype in the options");
  CHECK_THROWS_AS(from_xtensor(xt::xarray<double>::from_shape({1, 1, 1, 1, 1, 1, 1, 1, 1})), Error);
}

TEST_CASE("as_xtensor: a view shares the elements with the tensor") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = float64});
  auto view = as_xtensor<double>(x);
  CHECK(view.data() == x.data<double>());
  CHECK(xt::allclose(view, xt::xarray<double>{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}));

  view(1, 2) = 60.0;
  xt::row(view, 0) *= 2.0;
  CHECK_THAT(values<double>(x), Equals(std::vector<double>{2.0, 4.0, 6.0, 4.0, 5.0, 60.0}));
  view = -view;
  CHECK_THAT(values<double>(x), Equals(std::vector<double>{-2.0, -4.0, -6.0, -4.0, -5.0, -60.0}));
}

TEST_CASE("as_xtensor: strides of transposed, sliced and expanded tensors are followed") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = float64});
  const xt::xarray<double> base = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const Tensor transposed = detail::view(x, {3, 2}, {1, 3});
  CHECK(xt::allclose(as_xtensor<double>(transposed), xt::transpose(base)));
  CHECK(xt::allclose(as_xtensor<double>(transposed) + 1.0, xt::transpose(base) + 1.0));
  CHECK(xt::allclose(xt::sum(as_xtensor<double>(transposed), {0}), xt::xarray<double>{6.0, 15.0}));

  const Tensor column = detail::view(x, {2, 1}, {3, 1}, 1);
  CHECK(xt::allclose(as_xtensor<double>(column), xt::view(base, xt::all(), xt::range(1, 2))));
  CHECK(xt::allclose(as_xtensor<double>(column) * base, xt::xarray<double>{{2.0, 4.0, 6.0}, {20.0, 25.0, 30.0}}));

  const Tensor expanded = detail::view(x, {4, 3}, {0, 1});
  CHECK(xt::allclose(as_xtensor<double>(expanded), xt::broadcast(xt::row(base, 0), {4, 3})));
}

TEST_CASE("as_xtensor: scalars, empty tensors and every dtype") {
  CHECK(as_xtensor<double>(tensor(2.5, {.dtype = float64}))() == 2.5);
  const auto nothing = as_xtensor<float>(zeros({2, 0}));
  CHECK(nothing.shape(0) == 2);
  CHECK(nothing.size() == 0);
  CHECK(as_xtensor<std::int64_t>(tensor({7, 8}, {.dtype = int64}))(1) == 8);
  CHECK(as_xtensor<bool>(tensor({1, 0}, {.dtype = bool_}))(0));
  CHECK(as_xtensor<std::int32_t>(tensor({7, 8}, {.dtype = int32}))(1) == 8);
  CHECK(xt::sum(as_xtensor<std::int16_t>(tensor({{300, 8}, {1, 2}}, {.dtype = int16})))() == 311);
  CHECK(as_xtensor<std::int8_t>(tensor({-7}, {.dtype = int8}))(0) == -7);
  const Tensor bytes = tensor({{1, 2}, {3, 255}}, {.dtype = uint8});
  as_xtensor<std::uint8_t>(bytes)(1, 0) = 77;
  CHECK(bytes.to_vector<int>() == std::vector<int>{1, 2, 77, 255});
  CHECK(as_xtensor<Float16>(tensor({0.5, 1.5}, {.dtype = float16}))(1) == 1.5f);
}

TEST_CASE("as_xtensor: the memory lives as long as the view, and its copies") {
  Tensor x = tensor({1, 2, 3}, {.dtype = float64});
  auto view = as_xtensor<double>(x);
  const auto copy = view;
  auto moved = std::move(view);
  x = zeros({3}, {.dtype = float64});
  const Tensor other = full({3}, 9.0, {.dtype = float64});  // would take the block had it been freed
  CHECK(xt::allclose(copy, xt::xarray<double>{1.0, 2.0, 3.0}));
  moved(0) = 5.0;
  CHECK(copy(0) == 5.0);
}

TEST_CASE("as_xtensor: another dtype is an error that names both") {
  CHECK(message([] { as_xtensor<double>(zeros({2})); }) ==
        "as_xtensor: the tensor has dtype float32, not float64; convert it with .to(float64)");
  CHECK_THROWS_AS(as_xtensor<double>(Tensor()), Error);
}

TEST_CASE("the bridge: gradients come back as xtensor arrays") {
  const xt::xarray<double> a = {{1.0, 2.0}, {3.0, 4.0}};
  const Tensor x = from_xtensor(a, {.requires_grad = true});
  (x * x).backward(from_xtensor(xt::ones_like(a)));
  CHECK(xt::allclose(as_xtensor<double>(x.grad()), 2.0 * a));
}

TEST_CASE("from_xtensor: a container that is given away is not copied") {
  xt::xarray<double> a = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const double* const first = a.data();
  const Tensor x = from_xtensor(std::move(a), {.requires_grad = true});
  CHECK(x.data<double>() == first);
  CHECK(x.is_contiguous());
  (x * x).backward(ones({2, 3}, {.dtype = float64}));
  CHECK_THAT(values<double>(x.grad()), Equals(std::vector<double>{2.0, 4.0, 6.0, 8.0, 10.0, 12.0}));

  xt::xtensor<float, 2, xt::layout_type::column_major> columns = {{1.0F, 2.0F, 3.0F}, {4.0F, 5.0F, 6.0F}};
  const float* const column = columns.data();
  const Tensor y = from_xtensor(std::move(columns));
  CHECK(&as_xtensor<float>(y)(0, 0) == column);
  CHECK(y.strides() == Shape{1, 2});
  CHECK_THAT(values<float>(y.contiguous()), Equals(std::vector<float>{1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}));

  CHECK(from_xtensor(xt::xarray<int>{1, 2}).dtype() == int64);  // a copy, as of any expression of int
  CHECK(from_xtensor(xt::xarray<float>{1.5F}, {.dtype = float64}).item<double>() == 1.5);
}

TEST_CASE("from_xtensor: a shared container and its tensor are the same elements") {
  auto a = std::make_shared<xt::xarray<double>>(xt::xarray<double>{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  Tensor x = from_xtensor(a);
  (*a)(0, 1) = 20.0;
  CHECK(x.at({0, 1}) == 20.0);
  x.mul_(2);
  CHECK((*a)(1, 2) == 12.0);

  const std::weak_ptr<xt::xarray<double>> watched = a;
  a.reset();
  CHECK_FALSE(watched.expired());
  x = Tensor();
  CHECK(watched.expired());

  auto all = std::make_shared<xt::xarray<std::int16_t>>(xt::arange<std::int16_t>(24).reshape({2, 3, 4}));
  const auto part = [&] { return xt::view(*all, xt::all(), 1, xt::range(1, 4, 2)); };
  const Tensor y = from_xtensor(std::make_shared<decltype(part())>(part()));
  CHECK(y.dtype() == int16);
  CHECK_THAT(values<std::int16_t>(y.contiguous()), Equals(std::vector<std::int16_t>{5, 7, 17, 19}));
  CHECK(from_xtensor(std::make_shared<xt::xarray<int>>(xt::xarray<int>{7})).dtype() == int32);
  const Tensor one = from_xtensor(std::make_shared<xt::xarray<bool>>(xt::ones<double>({1, 2, 1}) > 0.5));
  CHECK(one.is_contiguous());
  CHECK_THAT(values<bool>(one), Equals(std::vector<bool>{true, true}));
  CHECK_THAT(message([] { from_xtensor(std::shared_ptr<xt::xarray<float>>()); }),
             Catch::StartsWith("from_xtensor: the pointer is null"));
}

TEST_CASE("xtensor_operation: functions of expressions become an operation of either floating dtype") {
  const auto cube = xtensor_operation(
      "cube", [](const auto& a) { return a * a * a; }, [](const auto& a, const auto& g) { return 3 * a * a * g; });
  const Tensor turned = transpose(tensor({{1.5, -2, 0.5}, {3, 0, 1}}, {.dtype = float64}), 0, 1);
  CHECK(gradcheck(cube, {turned.clone().requires_grad_()}));
  CHECK(allclose(cube(turned), pow(turned, 3)));
  const Tensor x = tensor({1, -2}, {.dtype = float32, .requires_grad = true});
  const Tensor y = cube(x);
  CHECK(y.dtype() == float32);
  sum(y).backward();
  CHECK(x.grad().to_vector<float>() == std::vector<float>{3, 12});
  CHECK(cube(zeros({0, 2})).shape() == Shape{0, 2});

  CHECK_THROWS_WITH(cube(tensor({1, 2})), Catch::StartsWith("cube: "));
  CHECK_THROWS_WITH(grad(sum(cube(x)), {x}, {.create_graph = true}), Catch::Contains("once"));
  const auto wrong = xtensor_operation(
      "wrong", [](const auto& a) { return a * 1; },
      [](const auto&, const auto&) { return xt::xarray<float>(xt::zeros<float>({3})); });
  CHECK_THROWS_WITH(sum(wrong(x)).backward(), Catch::Contains("wrong"));
}
