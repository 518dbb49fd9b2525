#pragma once
// Derivatives checked against central differences.

#include <array>
#include <functional>
#include <iosfwd>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tensor.hpp"

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

using TensorFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options);
GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options);

/// How many Tensors f takes; 0 for one that takes a vector of them.
template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, decltype((void(I), std::declval<const Tensor&>()))...>;
}
template <class F, std::size_t N = 1>
constexpr std::size_t arity() {
  if constexpr (std::is_invocable_v<F&, const std::vector<Tensor>&>)
    return 0;
  else if constexpr (takes<F>(std::make_index_sequence<N>{}))
    return N;
  else {
    static_assert(N < 8, "the function takes one to eight Tensors, or a std::vector of them");
    return arity<F, N + 1>();
  }
}

inline std::vector<Tensor> as_vector(Tensor tensor) { return {std::move(tensor)}; }
inline std::vector<Tensor> as_vector(std::vector<Tensor> tensors) { return tensors; }
template <class... T>
std::vector<Tensor> as_vector(const std::tuple<T...>& tensors) {
  return std::apply([](const auto&... tensor) { return std::vector<Tensor>{tensor...}; }, tensors);
}
template <class A, class B>
std::vector<Tensor> as_vector(const std::pair<A, B>& tensors) {
  return {tensors.first, tensors.second};
}
template <std::size_t N>
std::vector<Tensor> as_vector(const std::array<Tensor, N>& tensors) {
  return {tensors.begin(), tensors.end()};
}

/// f as a function of a vector; throws Error for a wrong number of inputs.
template <class F>
TensorFunction on_vector(F f) {
  return [f = std::move(f)](const std::vector<Tensor>& inputs) -> std::vector<Tensor> {
    constexpr std::size_t n = arity<F>();
    if constexpr (n == 0) {
      return as_vector(f(inputs));
    } else {
      check(inputs.size() == n, "the function takes ", n, " tensors, ", inputs.size(), " were given");
      return [&]<std::size_t... I>(std::index_sequence<I...>) { return as_vector(f(inputs[I]...)); }
      (std::make_index_sequence<n>{});
    }
  };
}

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
