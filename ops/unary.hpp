#pragma once
// Functions of one floating tensor, from a formula for the value and one for the gradient.

#include <algorithm>

#include "../autograd/apply.hpp"
#include "map.hpp"

namespace xgrad::detail {

/// Text as a template argument.
template <std::size_t N>
struct Text {
  consteval Text(const char (&characters)[N]) { std::copy_n(characters, N, text); }
  char text[N];
};

template <Text Name, bool saves_output, class Value, class Gradient>
struct Unary {
  static constexpr const char* name = Name.text;
  static constexpr bool elementwise = true;
  Value value;
  Gradient gradient;
  Saved saved = {};

  Tensor forward(const Tensor& x) {
    const Tensor y = map(name, value, x);
    saved = saves_output ? y : x;
    return y;
  }
  Tensor backward(const Tensor& grad) const { return fused(name, gradient, grad, saved); }
};

/// x if it is floating, else converted to float32.
inline MaybeOwned floating(const Tensor& x) { return converted(x, at_least(x.dtype(), DType::float32)); }

/// y = value(x) with gradient(grad, x): the first for duals, the second for duals and tensors alike.
template <Text Name, class Value, class Gradient>
Tensor function_of_input(const Tensor& x, Value value, Gradient gradient) {
  return apply(Unary<Name, false, Value, Gradient>{value, gradient}, floating(x));
}

/// y = value(x) with gradient(grad, y).
template <Text Name, class Value, class Gradient>
Tensor function_of_output(const Tensor& x, Value value, Gradient gradient) {
  return apply(Unary<Name, true, Value, Gradient>{value, gradient}, floating(x));
}

}  // namespace xgrad::detail
