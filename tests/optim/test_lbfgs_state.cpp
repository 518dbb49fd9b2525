#include <xgrad/autograd/create.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/optim/lbfgs.hpp>

#include "../catch.hpp"

using namespace xgrad;

namespace {

struct Point {
  Tensor x = tensor({-1.2, 1.0, 0.5}, {.dtype = float64, .requires_grad = true});
};

/// Some steps on Rosenbrock's function.
void go_on(optim::LBFGS& optimizer, const Point& at, int steps) {
  for (int i = 0; i < steps; ++i)
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor first = slice(at.x, 0, 0, 2), next = slice(at.x, 0, 1, 3);
      const Tensor value = sum(100 * square(next - square(first)) + square(1 - first));
      value.backward();
      return value;
    });
}

}  // namespace

TEST_CASE("LBFGS: a loaded state goes on as the saved one would have") {
  Point one;
  optim::LBFGS first(one, {.max_iter = 3, .history_size = 4});
  go_on(first, one, 3);
  Point other{one.x.detach().clone().requires_grad_()};
  optim::LBFGS second(other, {.max_iter = 3, .history_size = 4});
  const NamedTensors state = first.state_dict();
  CHECK(state[0].first == "steps");
  CHECK(state[0].second.shape() == Shape{4, 3});
  second.load_state_dict(state);
  go_on(first, one, 2);
  go_on(second, other, 2);
  CHECK(other.x.to_vector<double>() == one.x.to_vector<double>());
}

TEST_CASE("LBFGS: a state that does not fit is refused, and nothing changed") {
  Point one;
  optim::LBFGS optimizer(one, {.history_size = 2});
  CHECK(optimizer.state_dict()[1].second.shape() == Shape{0, 3});
  go_on(optimizer, one, 1);
  const Tensor steps = optimizer.state_dict()[0].second, good = zeros({1, 3}, {.dtype = float64});
  CHECK_THROWS_WITH(optimizer.load_state_dict({{"steps", good}}), Catch::Contains("changes is missing"));
  CHECK_THROWS_WITH(optimizer.load_state_dict({{"lr", good}}), Catch::Contains("unexpected entry lr"));
  CHECK_THROWS_WITH(optimizer.load_state_dict({{"steps", good}, {"steps", good}}), Catch::Contains("given twice"));
  CHECK_THROWS_WITH(optimizer.load_state_dict({{"steps", zeros({1, 4}, {.dtype = float64})}, {"changes", good}}),
                    Catch::Contains("of shape (steps, 3)"));
  const Tensor many = zeros({3, 3}, {.dtype = float64});
  CHECK_THROWS_WITH(optimizer.load_state_dict({{"steps", many}, {"changes", many}}),
                    Catch::Contains("history_size is 2"));
  CHECK_THROWS_WITH(optim::LBFGS{}.state_dict(), Catch::Contains("without parameters"));
  CHECK(optimizer.state_dict()[0].second.to_vector<double>() == steps.to_vector<double>());
}
