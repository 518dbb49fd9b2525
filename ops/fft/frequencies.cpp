#include "frequencies.hpp"

#include "../arithmetic.hpp"
#include "../joining.hpp"
#include "../rearranging.hpp"

namespace xgrad::fft {

namespace {

constexpr TensorOptions exact = {.dtype = float64};

/// Numbers of cycles in n samples, as frequencies.
Tensor frequencies(const char* op, const std::vector<Tensor>& cycles, std::int64_t n, double spacing,
                   const TensorOptions& options) {
  check(spacing != 0, op, ": the spacing is 0");
  const Tensor all = concat(cycles) * (1 / (static_cast<double>(n) * spacing));
  return all.to(options.dtype.value_or(float32)).requires_grad_(options.requires_grad);
}

Tensor shifted(const char* op, const Tensor& x, const Axes& axes, bool back) {
  const Shape along = normalize_axes(op, axes.numbers(), x.dim());
  if (along.empty()) return x;
  Shape shifts = along;
  for (std::int64_t& shift : shifts) {
    const std::int64_t size = x.shape()[static_cast<std::size_t>(shift)];
    shift = back ? (size + 1) / 2 : size / 2;
  }
  return roll(x, shifts, along);
}

}  // namespace

Tensor fftfreq(std::int64_t n, double spacing, const TensorOptions& options) {
  check(n >= 1, "fftfreq: ", n, " frequencies; at least 1 is needed");
  return detail::with_memory_for("fftfreq", [&] {
    return frequencies("fftfreq", {arange((n + 1) / 2, exact), arange(-(n / 2), 0, exact)}, n, spacing, options);
  });
}

Tensor rfftfreq(std::int64_t n, double spacing, const TensorOptions& options) {
  check(n >= 1, "rfftfreq: ", n, " samples; at least 1 is needed");
  return detail::with_memory_for(
      "rfftfreq", [&] { return frequencies("rfftfreq", {arange(n / 2 + 1, exact)}, n, spacing, options); });
}

Tensor fftshift(Operand x, const Axes& axes) { return shifted("fftshift", *x, axes, false); }
Tensor ifftshift(Operand x, const Axes& axes) { return shifted("ifftshift", *x, axes, true); }

}  // namespace xgrad::fft
