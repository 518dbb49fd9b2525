#include "pointwise.hpp"

#include "../autograd/apply.hpp"
#include "map.hpp"

namespace xgrad::detail {

namespace {

struct OfNumbers {
  double (*f)(double x);
  template <class T>
  real<T> operator()(const real<T>& x) const {
    return {static_cast<T>(f(static_cast<double>(x.v)))};
  }
};

struct OfPairs {
  double (*f)(double a, double b);
  template <class T>
  real<T> operator()(const real<T>& a, const real<T>& b) const {
    return {static_cast<T>(f(static_cast<double>(a.v), static_cast<double>(b.v)))};
  }
};

struct Pointwise {
  const PointwiseFunction* f;
  const char* name = f->name;
  static constexpr bool elementwise = true;
  Saved x = {}, y = {};
  Tensor forward(const Tensor& input) {
    const Tensor out = map(name, OfNumbers{f->value}, input);
    x = input, y = out;
    return out;
  }
  Tensor backward(const Tensor& grad) const { return f->gradient(grad, x, y); }
};

struct PointwiseOfTwo {
  const PointwisePair* f;
  const char* name = f->name;
  static constexpr bool elementwise = true;
  Saved a = {}, b = {}, y = {};
  Tensor forward(const Tensor& left, const Tensor& right) {
    const Tensor out = map(name, OfPairs{f->value}, left, right);
    a = left, b = right, y = out;
    return out;
  }
  std::array<Tensor, 2> backward(const Tensor& grad, Needs needs) const {
    return {needs[0] ? f->by_a(grad, a, b, y) : Tensor(), needs[1] ? f->by_b(grad, a, b, y) : Tensor()};
  }
};

}  // namespace

Tensor pointwise(const PointwiseFunction& f, const Tensor& x) {
  return apply(Pointwise{&f}, converted(x, at_least(x.dtype(), DType::float32)));
}

Tensor pointwise(const PointwisePair& f, const Tensor& a, const Tensor& b) {
  const DType dtype = at_least(promote(a.dtype(), b.dtype()), DType::float32);
  return apply(PointwiseOfTwo{&f}, converted(a, dtype), converted(b, dtype));
}

}  // namespace xgrad::detail
