#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/nn/init.hpp>

#include <cmath>

#include "../catch.hpp"

using namespace xgrad;
using namespace xgrad::nn;

namespace {

struct Moments {
  double mean = 0, std = 0, lowest = 0, highest = 0;
};

Moments moments(const Tensor& tensor) {
  Moments m;
  const auto n = static_cast<double>(tensor.numel());
  const float* x = tensor.data<float>();
  m.lowest = m.highest = x[0];
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    m.mean += x[i] / n;
    m.lowest = std::min<double>(m.lowest, x[i]);
    m.highest = std::max<double>(m.highest, x[i]);
  }
  for (std::int64_t i = 0; i < tensor.numel(); ++i) m.std += (x[i] - m.mean) * (x[i] - m.mean) / n;
  m.std = std::sqrt(m.std);
  return m;
}

// Uniform with mean 0: the bounds are filled and kept.
void check_uniform(const Tensor& tensor, double bound) {
  const Moments m = moments(tensor);
  CHECK(m.lowest >= -static_cast<float>(bound));
  CHECK(m.highest <= static_cast<float>(bound));
  CHECK(m.highest == Approx(bound).epsilon(0.01));
  CHECK(m.std == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
}

}  // namespace

TEST_CASE("init: values, bounds and standard deviations are PyTorch's") {
  manual_seed(0);
  Tensor w = empty({200, 300}, {.requires_grad = true});
  Tensor kernel = empty({64, 32, 3, 5});

  check_uniform(init::uniform_(w, -0.25, 0.25), 0.25);
  CHECK(moments(init::normal_(w, 5, 0.5)).mean == Approx(5).epsilon(0.01));
  CHECK(moments(w).std == Approx(0.5).epsilon(0.01));
  CHECK(moments(init::constant_(w, 7)).lowest == 7);
  CHECK(moments(init::ones_(w)).highest == 1);
  CHECK(moments(init::zeros_(w)).highest == 0);

  check_uniform(init::xavier_uniform_(w), std::sqrt(6.0 / 500));
  check_uniform(init::xavier_uniform_(kernel, 2), 2 * std::sqrt(6.0 / ((32 + 64) * 15)));
  CHECK(moments(init::xavier_normal_(w, 3)).std == Approx(3 * std::sqrt(2.0 / 500)).epsilon(0.01));
  check_uniform(init::kaiming_uniform_(w), std::sqrt(6.0 / 300));
  check_uniform(init::kaiming_uniform_(w, {.negative_slope = std::sqrt(5.0)}), 1 / std::sqrt(300.0));
  check_uniform(init::kaiming_uniform_(kernel, {.mode = init::Fan::out}), std::sqrt(6.0 / (64 * 15)));
  CHECK(moments(init::kaiming_normal_(kernel, {.nonlinearity = init::Nonlinearity::tanh})).std ==
        Approx(5.0 / 3 / std::sqrt(32 * 15)).epsilon(0.01));
  CHECK(init::gain(init::Nonlinearity::leaky_relu, 1) == Approx(1));
  CHECK(w.requires_grad());
}

TEST_CASE("init: the same seed gives the same values, and the version is raised") {
  Tensor a = empty({4, 5}), b = empty({4, 5});
  manual_seed(3);
  const auto version = a.version();
  init::xavier_normal_(a);
  CHECK(a.version() == version + 1);
  manual_seed(3);
  init::xavier_normal_(b);
  CHECK(std::equal(a.data<float>(), a.data<float>() + 20, b.data<float>()));
}

TEST_CASE("init: views are filled where they lie") {
  Tensor base = zeros({4, 3});
  Tensor column = xgrad::detail::view(base, {4}, {3}, 1);
  init::uniform_(column, 1, 2);
  for (int i = 0; i < 12; ++i) CHECK((base.data<float>()[i] >= 1) == (i % 3 == 1));
}

TEST_CASE("init: mistakes are errors") {
  Tensor vector = zeros({3}), integers = zeros({3, 3}, {.dtype = int64}), undefined;
  Tensor computed = zeros({3, 3}, {.requires_grad = true}).clone(), none = zeros({0, 3});
  CHECK_THROWS_WITH(init::kaiming_uniform_(vector), Catch::Contains("kaiming_uniform_") && Catch::Contains("(3,)"));
  CHECK_THROWS_WITH(init::xavier_normal_(vector), Catch::Contains("xavier_normal_") && Catch::Contains("2 axes"));
  CHECK_THROWS_WITH(init::uniform_(integers), Catch::Contains("int64"));
  CHECK_THROWS_WITH(init::normal_(computed), Catch::Contains("operation"));
  CHECK_THROWS_WITH(init::zeros_(computed), Catch::Contains("operation"));
  CHECK_THROWS_AS(init::zeros_(undefined), Error);
  CHECK_THROWS_AS(init::uniform_(vector, 2, 1), Error);
  CHECK_THROWS_AS(init::normal_(vector, 0, -1), Error);
  CHECK_THROWS_WITH(init::xavier_uniform_(none, -1), Catch::Contains("gain"));
  CHECK_NOTHROW(init::kaiming_normal_(none));
  CHECK(init::ones_(integers).data<std::int64_t>()[8] == 1);
}
