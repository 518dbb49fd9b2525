#pragma once
// Errors in units of the type, against a right result.

#include <cmath>
#include <limits>

/// |got - want| in units of the last place of `scale`, by default of `want`; infinite where only one of them is NaN.
template <class T>
double units(T got, long double want, long double scale = 0) {
  if (std::isnan(got) && std::isnan(want)) return 0;
  const long double least = std::numeric_limits<T>::min();
  const long double of = std::max(scale == 0 ? std::fabs(want) : scale, least);
  const double error = static_cast<double>(std::fabs(got - want) / (of * std::numeric_limits<T>::epsilon()));
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}
