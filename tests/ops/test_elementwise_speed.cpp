// Compiled here with the flags of the tests, -O1, and once more, by test_elementwise_speed_o2.cpp, with -O2: the loops
// of elementwise() are to be vectorised whatever flags its user chose, and nothing but their time tells.
#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/instruction_set.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/math.hpp>

#include <algorithm>

#include "../catch.hpp"
#include "../processor_time.hpp"

#ifndef LEVEL
#define LEVEL "-O1"
#endif

using namespace xgrad;

namespace {

// Nanoseconds of the shortest of some runs.
template <class F>
double time(F run) {
  double best = 1e18;
  for (int i = 0; i < 40; ++i) {
    const double start = processor_time();
    run();
    best = std::min(best, processor_time() - start);
  }
  return best;
}

template <class F>
double forward(const F& f, const Tensor& x) {
  const NoGrad no_grad;
  return time([&] { f(x); });
}
template <class F>
double forward_and_backward(const F& f, const Tensor& x) {
  return time([&] { grad(f(x), {x}, {.grad_outputs = {x.detach()}}); });
}

}  // namespace

TEST_CASE("elementwise: vectorised in a file compiled with " LEVEL) {
  if (!times_tell || simd_level() == SimdLevel::baseline) return;
  const int before = num_threads();
  set_num_threads(1);
  const auto library = [](const Tensor& x) { return tanh(x); };  // compiled with the flags of the library
  const auto stored = elementwise("stored", [](auto x) { return x * sigmoid(x) + 0.5 * tanh(x); });
  const auto recomputed = elementwise("recomputed", [](auto x) { return 0.5 * tanh(x) + x; });
  for (const DType dtype : {float32, float64}) {
    const Tensor x = linspace(-3, 3, 1 << 15, {.dtype = dtype}).requires_grad_();
    CAPTURE(dtype == float32);
    const double value = forward(library, x), both = forward_and_backward(library, x);
    // Measured: 1.0, 1.8, 2.0 and 1.8 times as long.
    CHECK(forward(recomputed, x) < 2 * value);
    CHECK(forward(stored, x) < 4 * value);
    CHECK(forward_and_backward(recomputed, x) < 4 * both);
    CHECK(forward_and_backward(stored, x) < 4 * both);
  }
  set_num_threads(before);
}
