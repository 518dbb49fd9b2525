// Compiled with -ffast-math, as a user's file may be: finite results must be as right as without.
#include <xgrad/core/instruction_set.hpp>
#include <xgrad/kernels/dual.hpp>

#include <cmath>
#include <cstdint>

#include "../catch.hpp"

using namespace xgrad;

namespace {

template <class F, class Exact>
double relative_error(F f, Exact exact) {
  constexpr std::int64_t n = 4096;
  double worst = 0;
  for (int l = 0; l <= static_cast<int>(simd_level()); ++l) {
    static double x[n], y[n];
    for (std::int64_t i = 0; i < n; ++i)
      x[i] = i < n / 2 ? 1e-3 * static_cast<double>(i + 1) : 1e-12 * std::exp(0.012 * static_cast<double>(i - n / 2));
    vectorized(static_cast<SimdLevel>(l), [f, in = &x[0], out = &y[0]] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) out[i] = flattened(f, real<double>{in[i]}).v;
    });
    for (std::int64_t i = 0; i < n; ++i) {
      const long double want = exact(static_cast<long double>(x[i]));
      worst = std::max(worst, static_cast<double>(std::fabs((y[i] - want) / want)));
    }
  }
  return worst;
}
#define ERROR_OF(f) relative_error([](auto x) { return f(x); }, [](long double x) { return std::f(x); })

}  // namespace

TEST_CASE("duals: -ffast-math does not undo roundings and compensations") {
  CHECK(ERROR_OF(exp) < 2e-15);
  CHECK(ERROR_OF(expm1) < 2e-15);
  CHECK(ERROR_OF(log) < 2e-15);
  CHECK(ERROR_OF(log1p) < 2e-15);
  CHECK(ERROR_OF(tanh) < 2e-15);
  CHECK(ERROR_OF(sin) < 2e-15);
  CHECK(ERROR_OF(atan) < 2e-15);
  CHECK(ERROR_OF(erf) < 2e-15);
  CHECK(ERROR_OF(erfc) < 2e-15);
}
