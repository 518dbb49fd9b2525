#include <xgrad/xgrad.hpp>

#include <functional>
#include <sstream>
#include <string>

#include "../catch.hpp"
#include "../reference/dtypes.hpp"
#include "values.hpp"

using namespace xgrad;
using reference::all_dtypes;

namespace {

double epsilon(DType dtype) {
  return dispatch(dtype, [](auto zero) { return static_cast<double>(std::numeric_limits<decltype(zero)>::epsilon()); });
}

/// Integers equal, floating numbers to the last place: what lies between reading and rounding may be computed
/// otherwise.
void check_equal(const Tensor& actual, const nlohmann::json& expected) {
  REQUIRE(name(actual.dtype()) == expected["dtype"].get<std::string>());
  const nlohmann::json& numbers = expected["values"];
  REQUIRE(actual.numel() == static_cast<std::int64_t>(numbers.size()));
  const Tensor flat = reshape(actual, {actual.numel()});
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const nlohmann::json value = reference::to_json_number(flat, static_cast<std::int64_t>(i));
    INFO("element " << i << " is " << value << ", expected " << numbers[i]);
    if (!is_floating(actual.dtype()) || value == numbers[i]) {
      CHECK(value == numbers[i]);
      continue;
    }
    const double wanted = reference::to_double(numbers[i]);
    CHECK(std::abs(reference::to_double(value) - wanted) <= epsilon(actual.dtype()) * std::abs(wanted));
  }
}

using Binary = std::function<Tensor(const Tensor&, const Tensor&)>;
using Unary = std::function<Tensor(const Tensor&)>;
#define NAMED(op)                                                  \
  {                                                                \
#op, [](const Tensor& a, const Tensor& b) { return op(a, b); } \
  }
const std::map<std::string, Binary> binary_operations = {
    NAMED(add),  NAMED(sub),     NAMED(mul),     NAMED(div), NAMED(floor_divide), NAMED(remainder),
    NAMED(fmod), NAMED(maximum), NAMED(minimum), NAMED(lt),  NAMED(eq),           NAMED(ge)};
#undef NAMED
#define NAMED(op)                              \
  {                                            \
#op, [](const Tensor& x) { return op(x); } \
  }
const std::map<std::string, Unary> unary_operations = {
    NAMED(neg),
    NAMED(abs),
    NAMED(sign),
    NAMED(square),
    NAMED(exp),
    NAMED(sum),
    NAMED(prod),
    NAMED(amax),
    NAMED(amin),
    NAMED(argmax),
    NAMED(mean),
    NAMED(norm),
    {"sqrt", [](const Tensor& x) { return sqrt(abs(x)); }},
    {"cumsum", [](const Tensor& x) { return cumsum(x, 0); }},
    {"softmax", [](const Tensor& x) { return softmax(x, 0); }},
    {"clamp", [](const Tensor& x) { return clamp(x, 1, 3); }},
    {"add_number", [](const Tensor& x) { return x + 3; }},
    {"mul_fraction", [](const Tensor& x) { return x * 1.5; }},
    {"matmul", [](const Tensor& x) { return matmul(slice(x, 0, 0, 4), slice(x, 0, 4, 8)); }},
};
#undef NAMED

constexpr DType small_integers[] = {uint8, int8, int16, int32};
constexpr DType half_floats[] = {bfloat16, float16};

}  // namespace

TEST_CASE("dtypes: operations of two tensors give PyTorch's values and dtypes") {
  for (const auto& each : reference::dtypes()["binary"]) {
    INFO(each["op"] << " of " << each["of"]);
    const DType dtype = reference::dtype_named(each["of"]);
    const Tensor a = reference::to_tensor(each["a"], dtype), b = reference::to_tensor(each["b"], dtype);
    check_equal(binary_operations.at(each["op"])(a, b), each);
  }
}

TEST_CASE("dtypes: operations of one tensor give PyTorch's values and dtypes") {
  for (const auto& each : reference::dtypes()["unary"]) {
    INFO(each["op"] << " of " << each["of"]);
    check_equal(unary_operations.at(each["op"])(reference::to_tensor(each["a"], reference::dtype_named(each["of"]))),
                each);
  }
}

TEST_CASE("dtypes: small integers in place wrap around as out of place") {
  for (const DType dtype : small_integers) {
    CAPTURE(dtype);
    const Tensor a = tensor({100, 7, 3}, {.dtype = dtype}), b = tensor({100, 50, 2}, {.dtype = dtype});
    for (const auto& [in_place, outside] : {std::pair{a.clone().add_(b), a + b},
                                            {a.clone().mul_(b), a * b},
                                            {a.clone().sub_(b), a - b},
                                            {a.clone().add_(100), a + 100}}) {
      CHECK(in_place.dtype() == dtype);
      CHECK(in_place.to_vector<std::int64_t>() == outside.to_vector<std::int64_t>());
    }
    const Tensor columns = transpose(zeros({2, 3}, {.dtype = dtype}), 0, 1);
    Tensor(columns).add_(tensor({{1, 2}}, {.dtype = dtype}));
    CHECK(columns.to_vector<int>() == std::vector<int>{1, 2, 1, 2, 1, 2});
    CHECK_THROWS_WITH(a.clone().add_(1.5), Catch::StartsWith("add_: the result is float32 and this tensor"));
  }
  CHECK((tensor({100}, {.dtype = int8}) + tensor({100}, {.dtype = int8})).item<int>() == -56);
  CHECK((tensor({200}, {.dtype = uint8}) + 100).item<int>() == 44);
}

TEST_CASE("dtypes: dtypes mix") {
  CHECK((tensor({200}, {.dtype = uint8}) - tensor({100}, {.dtype = int8})).dtype() == int16);
  CHECK((zeros({2}, {.dtype = bfloat16}) + zeros({2}, {.dtype = float16})).dtype() == float32);
  CHECK((zeros({2}, {.dtype = bfloat16}) + zeros({2}, {.dtype = int64})).dtype() == bfloat16);
  CHECK((zeros({2}, {.dtype = float16}) * 2.5).dtype() == float16);
  CHECK((tensor({1}, {.dtype = int8}) / tensor({2}, {.dtype = int8})).dtype() == float32);
  CHECK(pow(tensor({2}, {.dtype = int8}), 3).dtype() == int8);
  CHECK(atan2(zeros({2}, {.dtype = bfloat16}), zeros({2}, {.dtype = bfloat16})).dtype() == bfloat16);
  CHECK(atan2(zeros({2}, {.dtype = int8}), zeros({2}, {.dtype = uint8})).dtype() == float32);
  CHECK(where(tensor({true, false}), zeros({2}, {.dtype = uint8}), ones({2}, {.dtype = int8})).dtype() == int16);
  CHECK(cat({zeros({2}, {.dtype = int8}), zeros({2}, {.dtype = bfloat16})}, 0).dtype() == bfloat16);
  CHECK(all(tensor({44}, {.dtype = int8}) == 300).item<bool>() == false);  // compared as the numbers they are
  CHECK((zeros({}, {.dtype = int64}) + (std::int64_t{1} << 53) + 1).item<std::int64_t>() ==
        (std::int64_t{1} << 53) + 1);
}

TEST_CASE("dtypes: made as asked for, and what a dtype cannot hold is an error") {
  for (const DType dtype : all_dtypes) {
    CAPTURE(dtype);
    const TensorOptions options{.dtype = dtype};
    CHECK(zeros({2, 2}, options).to_vector<int>() == std::vector<int>{0, 0, 0, 0});
    CHECK(ones({2}, options).to_vector<int>() == std::vector<int>{1, 1});
    CHECK(full({2}, 1, options).dtype() == dtype);
    CHECK(eye(2, options).to_vector<int>() == std::vector<int>{1, 0, 0, 1});
    CHECK(tensor({{0, 1}}, options).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(tensor(std::vector<double>{0, 1}, options).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(arange(0, 2, options).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(arange(0.0, 2.0, options).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(linspace(0, 1, 2, options).to_vector<int>() == std::vector<int>{0, 1});
    CHECK(randint(0, 2, {100}, options).dtype() == dtype);
    CHECK(amax(randint(0, 2, {100}, options)).item<int>() == 1);
    CHECK(zeros_like(zeros({2}, options)).dtype() == dtype);
    CHECK(empty({2, 0}, options).to_vector<float>().empty());
  }
  const struct {
    std::function<void()> call;
    const char* message;
  } cases[] = {
      {[] { full({}, 300, {.dtype = uint8}); }, "full: 300 does not fit into uint8"},
      {[] { full({}, -1, {.dtype = uint8}); }, "full: -1 does not fit into uint8"},
      {[] { full({}, 128, {.dtype = int8}); }, "full: 128 does not fit into int8"},
      {[] { full({}, 1e5, {.dtype = int16}); }, "full: 1e+05 does not fit into int16"},
      {[] { full({}, NaN, {.dtype = int32}); }, "full: nan does not fit into int32"},
      {[] { full({0}, 300, {.dtype = uint8}); }, "full: 300 does not fit into uint8"},
      {[] {
         tensor({1, 256}, {.dtype = uint8});
       },
       "tensor: 256 does not fit into uint8"},
      {[] {
         tensor(std::vector<int>{1, -129}, {.dtype = int8});
       },
       "tensor: -129 does not fit into int8"},
      {[] { from_values(std::vector<double>{1e10}, {1}, {.dtype = int32}); },
       "from_values: 1e+10 does not fit into int32"},
      {[] { arange(0, 300, {.dtype = int8}); }, "arange: 128 does not fit into int8"},
      {[] { linspace(0, 300, 2, {.dtype = uint8}); }, "linspace: 300 does not fit into uint8"},
      {[] { randint(0, 257, {2}, {.dtype = uint8}); },
       "randint: uint8 does not hold all integers from 0 to 256 exactly"},
      {[] { randint(0, 258, {2}, {.dtype = bfloat16}); },
       "randint: bfloat16 does not hold all integers from 0 to 257 exactly"},
      {[] { zeros({2}, {.dtype = uint8}).fill_(256); }, "fill_: 256 does not fit into uint8"},
      {[] { maximum(zeros({2}, {.dtype = int8}), 200); }, "full: 200 does not fit into int8"},
      {[] { where(tensor({true}), zeros({1}, {.dtype = int8}), 200); }, "where: 200 does not fit into int8"},
      {[] { arange(0, 1000, {.dtype = bfloat16}); }, "arange: bfloat16 does not tell 256 from 257"},
      {[] { ones({2}, {.dtype = uint8, .requires_grad = true}); }, "a tensor of dtype uint8 cannot require a gradient"},
      {[] { randn({2}, {.dtype = int32}); }, "randn: expected a floating dtype, got int32"},
      {[] { zeros({2}, {.dtype = bfloat16}).data<float>(); }, "tensor: elements are bfloat16, not float32"},
  };
  for (const auto& each : cases) CHECK_THROWS_WITH(each.call(), Catch::Contains(each.message));
}

TEST_CASE("dtypes: numbers of C++ types become the dtype that holds them") {
  CHECK(tensor(std::vector<std::uint8_t>{1, 255}).dtype() == uint8);
  CHECK(tensor(std::vector<std::int8_t>{1, -1}).dtype() == int8);
  CHECK(tensor(std::vector<std::int16_t>{1}).dtype() == int16);
  CHECK(tensor(std::vector<int>{1}).dtype() == int64);  // as tensor({1})
  CHECK(tensor(std::vector<unsigned>{1}).dtype() == int64);
  CHECK(tensor(std::vector<BFloat16>{BFloat16(1.5f)}).dtype() == bfloat16);
  const std::vector<Float16> halves{Float16(1.5f), Float16(-2)};
  CHECK(tensor(halves).to_vector<float>() == Floats{1.5f, -2});
  CHECK(from_values<Float16>(std::span(halves), {1, 2}).dtype() == float16);
  const std::vector<std::int32_t> numbers{1, -5};
  CHECK(from_values<std::int32_t>(std::span(numbers), {2}).dtype() == int32);
  CHECK(full({}, BFloat16(0.5f)).item() == 0.5);
  CHECK(tensor(3.14159, {.dtype = bfloat16}).item<BFloat16>().bits() == BFloat16(3.14159f).bits());
  CHECK(tensor({1.0, 2.5}, {.dtype = float16}).data<Float16>()[1] == 2.5f);
  CHECK(tensor({1, 2}).to_vector<Float16>()[1] == 2);
  CHECK(tensor(200, {.dtype = uint8}).item<std::uint8_t>() == 200);
  CHECK_THROWS_WITH(tensor(200, {.dtype = uint8}).item<std::int8_t>(),
                    Catch::StartsWith("item: 200 does not fit into int8"));
}

TEST_CASE("dtypes: random numbers of 16 bits") {
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    manual_seed(1);
    const Tensor uniform = rand({20000}, {.dtype = dtype}), normal = randn({20000}, {.dtype = dtype});
    CHECK((uniform.dtype() == dtype && normal.dtype() == dtype));
    CHECK(amax(uniform).item() < 1);
    CHECK(amin(uniform).item() >= 0);
    CHECK(mean(uniform).item() == Approx(0.5).margin(0.01));
    CHECK(mean(normal.to(float32)).item() == Approx(0).margin(0.02));
    CHECK(stddev(normal).item() == Approx(1).margin(0.02));
  }
}

TEST_CASE("dtypes: views and indexing move elements of any size") {
  for (const DType dtype : all_dtypes) {
    if (dtype == bool_) continue;
    CAPTURE(dtype);
    const Tensor x = reshape(arange(12, {.dtype = dtype}), {3, 4});
    CHECK(transpose(x, 0, 1).contiguous().to_vector<int>() == std::vector<int>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
    CHECK(x[1].to_vector<int>() == std::vector<int>{4, 5, 6, 7});
    CHECK(index_select(x, 0, tensor({2, 0}))[0].to_vector<int>() == std::vector<int>{8, 9, 10, 11});
    CHECK(gather(x, 1, tensor({{3}, {0}, {1}})).to_vector<int>() == std::vector<int>{3, 4, 9});
    CHECK(cat({x, x}, 0).dtype() == dtype);
    CHECK(masked_fill(x, x > 9, 1).to_vector<int>() == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1});
    CHECK(where(x > 5, x, 0).dtype() == dtype);
    CHECK(index_add(x, 0, tensor({0, 0}), ones({2, 4}, {.dtype = dtype}))[0].to_vector<int>() ==
          std::vector<int>{2, 3, 4, 5});
    CHECK(scatter_add(x, 0, tensor({{0}, {0}}), ones({2, 1}, {.dtype = dtype}))[0].to_vector<int>() ==
          std::vector<int>{2, 1, 2, 3});
    const auto found = max(x, 1);
    CHECK((found.values.dtype() == dtype && found.indices.to_vector<int>() == std::vector<int>{3, 3, 3}));
    CHECK(x.at<int>({2, 1}) == 9);
  }
  const Tensor x = arange(6);
  for (const DType dtype : {uint8, int8, int16, int32}) {
    CAPTURE(dtype);
    CHECK(index_select(x, 0, tensor({5, 1}, {.dtype = dtype})).to_vector<int>() == std::vector<int>{5, 1});
    CHECK(cross_entropy(zeros({2, 3}), tensor({0, 2}, {.dtype = dtype})).item() == Approx(std::log(3)));
  }
}

TEST_CASE("dtypes: sums of small integers do not wrap around, means of 16-bit floats are summed as float") {
  CHECK(sum(full({1000}, 255, {.dtype = uint8})).item<std::int64_t>() == 255000);
  CHECK(sum(full({1000}, -128, {.dtype = int8})).dtype() == int64);
  CHECK(sum(full({4}, 100, {.dtype = int8}), {}, {.dtype = int8}).item<int>() == -112);
  CHECK(mean(full({10}, 200, {.dtype = uint8})).item() == 200);
  CHECK(mean(full({10}, 200, {.dtype = uint8})).dtype() == float32);
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    const Tensor ones_ = ones({10000}, {.dtype = dtype});  // added one by one they stay at 256 or 2048
    CHECK(sum(ones_).item() == Approx(10000).epsilon(0.004));
    CHECK(mean(ones_).item() == 1);
    CHECK(mean(full({1000}, 60000, {.dtype = dtype})).item() == Approx(60000).epsilon(0.004));
    CHECK(var(tensor({1, 2, 3, 4}, {.dtype = dtype})).dtype() == dtype);
  }
}

TEST_CASE("dtypes: gradients have the dtype of the tensor") {
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    const TensorOptions options{.dtype = dtype, .requires_grad = true};
    Tensor x = tensor({{0.5, -1.0}, {2.0, 3.0}}, options), w = tensor({{1.0, 2.0}, {-1.0, 0.5}}, options),
           b = tensor({0.25, 0.5}, options);
    const Tensor y = linear(tanh(x), w, b);
    CHECK(y.dtype() == dtype);
    const Tensor loss = cross_entropy(y, tensor({0, 1})) + mean(softmax(layer_norm(y, {2}), 1) * x);
    CHECK(loss.dtype() == dtype);
    loss.backward();
    const auto as_float = [](const Tensor& t) { return t.detach().to(float32).requires_grad_(); };
    Tensor fx = as_float(x), fw = as_float(w), fb = as_float(b);
    const Tensor fy = linear(tanh(fx), fw, fb);
    (cross_entropy(fy, tensor({0, 1})) + mean(softmax(layer_norm(fy, {2}), 1) * fx)).backward();
    for (const auto& [half, single] : {std::pair{x, fx}, {w, fw}, {b, fb}}) {
      REQUIRE(half.grad().dtype() == dtype);
      const auto a = half.grad().to_vector<double>(), e = single.grad().to_vector<double>();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(e[i]).margin(8 * epsilon(dtype)));
    }
    const Tensor second = grad({sum(x * x * x)}, {x}, {.create_graph = true})[0];
    CHECK(grad({sum(second)}, {x})[0].to_vector<float>() == Floats{3, -6, 12, 18});
    const Tensor both = x.to(float32) * 2;  // a chain through two dtypes
    CHECK(grad({sum(both)}, {x})[0].dtype() == dtype);
  }
}

TEST_CASE("dtypes: a large gradient of 16 bits is accumulated in any layout") {
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    Tensor x = ones({300, 200}, {.dtype = dtype, .requires_grad = true});
    const Tensor y = sum(x * 2) + sum(transpose(x, 0, 1)) + sum(slice(x, 1, 0, 200, 2));
    y.backward();
    CHECK(x.grad().dtype() == dtype);
    CHECK(slice(x.grad(), 1, 0, 200, 2).to_vector<int>() == std::vector<int>(30000, 4));
    CHECK(slice(x.grad(), 1, 1, 200, 2).to_vector<int>() == std::vector<int>(30000, 3));
  }
}

TEST_CASE("dtypes: elementwise lambdas compute 16 bits as float") {
  constexpr auto f = elementwise("f", [](auto a, auto b) { return a * b + exp(a); });
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    Tensor a = tensor({0.5, 1.0}, {.dtype = dtype, .requires_grad = true});
    const Tensor y = f(a, tensor({2.0, 3.0}, {.dtype = dtype}));
    CHECK(y.dtype() == dtype);
    sum(y).backward();
    CHECK(a.grad().dtype() == dtype);
    CHECK(a.grad().at({1}) == Approx(3 + std::exp(1)).epsilon(epsilon(dtype)));
  }
}

TEST_CASE("dtypes: a model of 16 bits is trained, with the state of its optimizer in float32") {
  for (const DType dtype : half_floats) {
    CAPTURE(dtype);
    manual_seed(1);
    nn::Sequential net{nn::Linear(4, 16), nn::BatchNorm1d(16), nn::ReLU(), nn::Linear(16, 2)};
    nn::to(net, dtype);
    optim::Adam adam(net, {.lr = 1e-2});
    const Tensor x = randn({32, 4}, {.dtype = dtype}), target = (sum(x, {1}) > 0).to(int64);
    double first = 0, last = 0;
    for (int step = 0; step < 60; ++step) {
      adam.zero_grad();
      const Tensor loss = cross_entropy(net(x), target);
      loss.backward();
      optim::clip_grad_norm_(adam.parameters(), 1);
      adam.step();
      (step == 0 ? first : last) = loss.item();
    }
    CHECK(last < 0.5 * first);
    for (const auto& [name, parameter] : nn::named_parameters(net)) CHECK(parameter.dtype() == dtype);
    for (const auto& [name, value] : adam.state_dict())
      if (name.starts_with("exp_avg")) CHECK(value.dtype() == float32);
    CHECK_NOTHROW(optim::Adam(net, {.lr = 1e-2}).load_state_dict(adam.state_dict()));
  }
}

TEST_CASE("dtypes: printing") {
  const auto text = [](const Tensor& x) {
    std::ostringstream out;
    out << x;
    return out.str();
  };
  CHECK(text(tensor({1, 255}, {.dtype = uint8})) == "[  1 255]");
  CHECK(text(tensor({1, -128}, {.dtype = int8})) == "[   1 -128]");
  CHECK(text(tensor({0.1, 1.5, -2.0}, {.dtype = float16})) == "[ 0.1  1.5 -2. ]");
  CHECK(text(tensor({0.1, 3.14159}, {.dtype = bfloat16})) == "[0.1  3.14]");
  CHECK(text(tensor(65504, {.dtype = float16})) == "65504.0");
  CHECK(text(tensor({inf, NaN}, {.dtype = bfloat16})) == "[inf nan]");
}
