#include "cosine.hpp"

#include <cmath>

#include "../../autograd/create.hpp"
#include "../../autograd/primitives.hpp"
#include "../arithmetic.hpp"
#include "../indexing.hpp"
#include "../joining.hpp"
#include "../shape.hpp"
#include "../slicing.hpp"

namespace xgrad::fft {

namespace {

/// f(k) for k below n, as a vector of a dtype.
template <class F>
Tensor numbers(std::int64_t n, DType dtype, const F& f) {
  const Tensor values = detail::empty(n, float64);
  for (std::int64_t k = 0; k < n; ++k) values.data<double>()[k] = f(k);
  return values.to(dtype);
}
template <class F>
Tensor positions(std::int64_t n, const F& f) {
  const Tensor values = detail::empty(n, int64);
  for (std::int64_t k = 0; k < n; ++k) values.data<std::int64_t>()[k] = f(k);
  return values;
}

double angle(std::int64_t k, std::int64_t n) { return M_PI * static_cast<double>(k) / (2 * static_cast<double>(n)); }

/// The elements at even places, and those at odd ones backwards: the transform of these has the cosines of x.
std::int64_t folded(std::int64_t j, std::int64_t n) { return 2 * j < n ? 2 * j : 2 * (n - 1 - j) + 1; }
std::int64_t unfolded(std::int64_t k, std::int64_t n) { return k % 2 == 0 ? k / 2 : n - 1 - k / 2; }

/// Type 2 along the last axis, times the factors for k.
Tensor cosines_of(const Tensor& x, const Tensor& factors) {
  const std::int64_t n = x.size(-1);
  const Tensor folds = index_select(x, -1, positions(n, [=](std::int64_t j) { return folded(j, n); }));
  const Tensor half = rfft(folds);
  const auto mirrored = [=](std::int64_t k) { return std::min(k, n - k); };
  const Tensor which = positions(n, mirrored);
  const Tensor c = numbers(n, x.dtype(), [=](std::int64_t k) { return 2 * std::cos(angle(k, n)); });
  const Tensor s =
      numbers(n, x.dtype(), [=](std::int64_t k) { return (k == mirrored(k) ? 2 : -2) * std::sin(angle(k, n)); });
  return index_select(select(half, -1, 0), -1, which) * (c * factors) +
         index_select(select(half, -1, 1), -1, which) * (s * factors);
}

/// Type 3 along the last axis, of x times the factors.
Tensor values_of(const Tensor& x, const Tensor& factors) {
  const std::int64_t n = x.size(-1);
  const auto weight = [](std::int64_t j) { return j == 0 ? 1.0 : 2.0; };
  const Tensor c = numbers(n, x.dtype(), [=](std::int64_t j) { return weight(j) * std::cos(angle(j, n)); });
  const Tensor s = numbers(n, x.dtype(), [=](std::int64_t j) { return weight(j) * std::sin(angle(j, n)); });
  const Tensor turned = stack({x * (c * factors), x * (s * factors)}, -1);
  const Tensor folds = select(ifft(turned, {.norm = Norm::forward}), -1, 0);
  return index_select(folds, -1, positions(n, [=](std::int64_t k) { return unfolded(k, n); }));
}

Tensor transform(const char* op, const Tensor& x, const DctOptions& options, bool inverse) {
  check(options.type == 2 || options.type == 3, op, ": type ", options.type, "; there are types 2 and 3");
  check(is_floating(x.dtype()), op, ": expected a floating tensor, got dtype ", x.dtype(),
        "; convert it with .to(float32)");
  const std::size_t axis = normalize_axis(op, options.axis, x.dim());
  const std::int64_t size = x.shape()[axis], n = options.n.value_or(size);
  check(n >= 1, op, ": a transform of length ", n, " along axis ", options.axis, " of shape ", x.shape(),
        "; it must be at least 1");
  return detail::with_memory_for(op, [&] {
    Tensor y = transpose(*detail::widened(x), static_cast<std::int64_t>(axis), -1);
    if (n <= size) {
      y = narrow(y, -1, 0, n);
    } else {
      Shape missing = y.shape();
      missing[missing.size() - 1] = n - size;
      y = concat({y, zeros(missing, {.dtype = y.dtype()})}, -1);
    }
    const bool second = (options.type == 2) != inverse, ortho = options.norm == Norm::ortho,
               scaled = (options.norm == Norm::backward) == inverse;
    const auto length = static_cast<double>(n);
    const Tensor factors = numbers(n, y.dtype(), [=](std::int64_t k) {
      if (!ortho) return scaled ? 1 / (2 * length) : 1.0;
      if (k > 0) return std::sqrt(1 / (2 * length));
      return second ? std::sqrt(1 / (4 * length)) : std::sqrt(1 / length);
    });
    y = second ? cosines_of(y, factors) : values_of(y, factors);
    return detail::narrowed(transpose(y, static_cast<std::int64_t>(axis), -1), x.dtype());
  });
}

}  // namespace

Tensor dct(Operand x, const DctOptions& options) { return transform("dct", *x, options, false); }
Tensor idct(Operand x, const DctOptions& options) { return transform("idct", *x, options, true); }

}  // namespace xgrad::fft
