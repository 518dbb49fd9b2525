#pragma once
// Derivatives checked against central differences.

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "tensor_function.hpp"

namespace xgrad {

struct GradcheckOptions {
  double step = 1e-6;  // h of (f(x + h) - f(x - h)) / 2h
  double atol = 1e-6;  // passes where |analytic - numeric| <= atol + rtol |numeric|
  double rtol = 1e-4;
  std::uint64_t seed = 0;  // of the asymmetric upstream gradient
};

/// What gradcheck found: converts to true when every element agrees, prints what is off otherwise.
struct GradcheckResult {
  bool ok = true;
  std::string message;  // worst element: output, input, index, both values and their difference
  double worst = 0;     // largest |analytic - numeric|
  explicit operator bool() const { return ok; }
  friend bool operator&&(const GradcheckResult& a, const GradcheckResult& b) { return a.ok && b.ok; }
};
std::ostream& operator<<(std::ostream& out, const GradcheckResult& result);

namespace detail {

GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options);
GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options);

}  // namespace detail

/// Compares the gradient of f at `inputs` with central differences, for a random, asymmetric gradient of its outputs.
/// f takes as many Tensors as there are inputs (or a std::vector of them) and gives one or several; it must give the
/// same values each time. Inputs that require a gradient must be float64: with float32 the differences are noise (an
/// Error).
template <class F>
GradcheckResult gradcheck(F f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  return detail::gradcheck(detail::on_vector(std::move(f)), inputs, options);
}

/// The same for the gradient of f: compares second derivatives with central differences of first ones, with respect to
/// the inputs and to the upstream gradient.
template <class F>
GradcheckResult gradgradcheck(F f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  return detail::gradgradcheck(detail::on_vector(std::move(f)), inputs, options);
}

}  // namespace xgrad
