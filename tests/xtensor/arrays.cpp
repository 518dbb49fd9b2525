// What xtensor 0.24 computes wrongly in C++20 with g++: xgrad's header makes it right, before xtensor's or after.
#ifndef XGRAD_AFTER
#include <xgrad/core/xtensor_compat.hpp>
#endif

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xeval.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/misc/xsort.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xeval.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xtensor.hpp>
#endif

#ifdef XGRAD_AFTER
#include <xgrad/core/xtensor_compat.hpp>
#endif

#include <iostream>
#include <type_traits>

namespace {

using Array = xt::xarray<double>;

int failures = 0;

void expect_equal(const char* what, const Array& value, const Array& expected) {
  if (value.shape() == expected.shape() && xt::allclose(value, expected)) return;
  std::cerr << what << " is wrong\n";
  ++failures;
}

}  // namespace

int main() {
  const Array a = {{1.0, 2.0, 3.0}, {4.0, 5.0, 9.0}};
  const std::vector<std::size_t> rows = {0};
  constexpr auto now = xt::evaluation_strategy::immediate;

  static_assert(std::is_same_v<std::decay_t<decltype(xt::eval(a + a))>, Array>);
  static_assert(std::is_same_v<std::decay_t<decltype(xt::sum(a, rows, now))>, Array>);
  const xt::xtensor<double, 2> fixed = a;
  static_assert(std::is_same_v<std::decay_t<decltype(xt::eval(fixed + 1.0))>, xt::xtensor<double, 2>>);

  expect_equal("eval", xt::eval(a + a), 2.0 * a);
  expect_equal("an immediate sum", xt::sum(a, rows, now), Array{5.0, 7.0, 12.0});
  expect_equal("an immediate sum of everything", xt::sum(a, now), Array(24.0));
  expect_equal("an immediate mean", xt::mean(a, rows, now), Array{2.5, 3.5, 6.0});
  expect_equal("an immediate maximum", xt::amax(a, {1}, now), Array{3.0, 9.0});
  expect_equal("variance", xt::variance(a, rows), Array{2.25, 2.25, 9.0});
  expect_equal("variance of everything", xt::variance(a), Array(20.0 / 3.0));
  expect_equal("standard deviation", xt::stddev(a, rows), Array{1.5, 1.5, 3.0});
  expect_equal("a running sum", xt::cumsum(a, 1), Array{{1.0, 3.0, 6.0}, {4.0, 9.0, 18.0}});
  expect_equal("sort", xt::sort(Array(-a), 1), Array{{-3.0, -2.0, -1.0}, {-9.0, -5.0, -4.0}});
  return failures;
}
