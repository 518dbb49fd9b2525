#include "matrix_exp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "gemm.hpp"
#include "lapack.hpp"

namespace xgrad::detail {

namespace {

// Coefficients of the numerators, and the largest norms for which they are exact to the last place of the type.
constexpr double pade_3[] = {120, 60, 12, 1}, pade_5[] = {30240, 15120, 3360, 420, 30, 1},
                 pade_7[] = {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1},
                 pade_9[] = {17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160, 110880, 3960, 90, 1},
                 pade_13[] = {64764752532480000,
                              32382376266240000,
                              7771770303897600,
                              1187353796428800,
                              129060195264000,
                              10559470521600,
                              670442572800,
                              33522128640,
                              1323241920,
                              40840800,
                              960960,
                              16380,
                              182,
                              1};
struct Approximant {
  std::span<const double> coefficients;
  double norm;
};
constexpr Approximant for_float[] = {
    {pade_3, 0.4258730016922831}, {pade_5, 1.880152677804762}, {pade_7, 3.925724783138660}};
constexpr Approximant for_double[] = {{pade_3, 0.01495585217958292},
                                      {pade_5, 0.2539398330063230},
                                      {pade_7, 0.9504178996162932},
                                      {pade_9, 2.097847961257068},
                                      {pade_13, 5.371920351148152}};

template <class T>
std::span<const Approximant> approximants() {
  if constexpr (std::is_same_v<T, float>)
    return for_float;
  else
    return for_double;
}

template <class T>
using Matrix = std::vector<T>;

template <class T>
Matrix<T> product(std::int64_t n, const Matrix<T>& a, const Matrix<T>& b) {
  Matrix<T> c(a.size());
  gemm_in_thread<T>(false, false, n, n, n, a.data(), n, b.data(), n, 0, c.data(), n);
  return c;
}

template <class T>
void add_multiple(double factor, const Matrix<T>& a, Matrix<T>& sum) {
  for (std::size_t i = 0; i < a.size(); ++i) sum[i] += static_cast<T>(factor) * a[i];
}

/// The sum of coefficients[first + 2 i] a^(2 i), for the even powers of a in `powers`, from the 0-th on. What has more
/// terms than there are powers is the last power times another such sum.
template <class T>
Matrix<T> polynomial(std::int64_t n, std::span<const double> coefficients, std::size_t first,
                     const std::vector<Matrix<T>>& powers) {
  Matrix<T> sum(powers[0].size()), high(powers[0].size());
  const std::size_t last = powers.size() - 1;
  bool is_high = false;
  for (std::size_t i = 0; first + 2 * i < coefficients.size(); ++i) {
    is_high = i > last;
    add_multiple(coefficients[first + 2 * i], powers[is_high ? i - last : i], is_high ? high : sum);
  }
  if (is_high) add_multiple(1, product(n, powers[last], high), sum);
  return sum;
}

}  // namespace

template <class T>
void matrix_exp(std::int64_t n, const T* a, T* out) {
  double norm = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    double sum = 0;
    for (std::int64_t column = 0; column < n; ++column) sum += std::abs(static_cast<double>(a[row * n + column]));
    norm = sum > norm || sum != sum ? sum : norm;
    if (!std::isfinite(norm)) return void(std::fill_n(out, n * n, std::numeric_limits<T>::quiet_NaN()));
  }
  const auto all = approximants<T>();
  const auto fits = std::find_if(all.begin(), all.end(), [=](const Approximant& each) { return norm <= each.norm; });
  const Approximant& used = fits == all.end() ? all.back() : *fits;
  const int squarings = static_cast<int>(std::max(0.0, std::ceil(std::log2(norm / used.norm))));

  Matrix<T> scaled(a, a + n * n), one(scaled.size());
  for (T& element : scaled) element = std::ldexp(element, -squarings);
  for (std::int64_t i = 0; i < n; ++i) one[static_cast<std::size_t>(i * (n + 1))] = 1;
  const std::size_t highest =
      std::min<std::size_t>(used.coefficients.size() / 2 - 1, used.coefficients.size() > 10 ? 3 : 4);
  std::vector<Matrix<T>> powers{std::move(one), product(n, scaled, scaled)};
  while (powers.size() <= highest) powers.push_back(product(n, powers.back(), powers[1]));
  const Matrix<T> odd = product(n, scaled, polynomial(n, used.coefficients, 1, powers));
  Matrix<T> denominator = polynomial(n, used.coefficients, 0, powers), result = denominator;
  add_multiple(1, odd, result);
  add_multiple(-1, odd, denominator);
  std::vector<int> pivots(static_cast<std::size_t>(n));
  lapack::lu_factor(n, n, denominator.data(), pivots.data());
  lapack::lu_solve(false, n, n, denominator.data(), pivots.data(), result.data());
  for (int i = 0; i < squarings; ++i) result = product(n, result, result);
  std::copy(result.begin(), result.end(), out);
}

template void matrix_exp(std::int64_t, const float*, float*);
template void matrix_exp(std::int64_t, const double*, double*);

}  // namespace xgrad::detail
