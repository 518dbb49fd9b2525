#pragma once
// Arithmetic, element by element.
//
// The operands broadcast together as in NumPy, and are brought to one dtype (see array/dtype.hpp; for numbers
// array/scalar.hpp). Integers wrap around. The result lies in memory in the order of the first operand of its shape.

#include "../array/scalar.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

/// a + b; of two bool tensors: a or b.
Tensor add(Operand a, Operand b);
Tensor add(Operand a, Scalar b);
Tensor add(Scalar a, Operand b);
/// a + alpha b
Tensor add(Operand a, Operand b, const AlphaOptions& options);
/// a - b. Throws Error for two bool tensors.
Tensor sub(Operand a, Operand b);
Tensor sub(Operand a, Scalar b);
Tensor sub(Scalar a, Operand b);
/// a - alpha b
Tensor sub(Operand a, Operand b, const AlphaOptions& options);
/// a * b; of two bool tensors: a and b.
Tensor mul(Operand a, Operand b);
Tensor mul(Operand a, Scalar b);
Tensor mul(Scalar a, Operand b);
/// a / b; integers are divided as float32. For quotients rounded to an integer see division.hpp.
Tensor div(Operand a, Operand b);
Tensor div(Operand a, Scalar b);
Tensor div(Scalar a, Operand b);
/// -x. Throws Error for a bool tensor.
Tensor neg(Operand x);

/// a to the power b. Of integers an integer: a negative number as power is an Error, negative powers in a tensor give
/// the reciprocal rounded to zero. The derivative by a is 0 where b is 0; that by b is 0 where a is 0 and b is not
/// negative.
Tensor pow(Operand a, Operand b);
Tensor pow(Operand a, Scalar b);
Tensor pow(Scalar a, Operand b);
/// x^2; of a bool tensor int64.
Tensor square(Operand x);
/// 1 / x; of integers as float32.
Tensor reciprocal(Operand x);
/// |x|, with derivative 0 at 0.
Tensor abs(Operand x);
/// -1, 0 or 1; 0 for NaN. The derivative is 0.
Tensor sign(Operand x);
/// The larger, or smaller, of a and b; NaN if either is. Where they are equal each gets half of the gradient.
Tensor maximum(Operand a, Operand b);
Tensor maximum(Operand a, Scalar b);
Tensor maximum(Scalar a, Operand b);
Tensor minimum(Operand a, Operand b);
Tensor minimum(Operand a, Scalar b);
Tensor minimum(Scalar a, Operand b);

inline Tensor operator+(Operand a, Operand b) { return add(*a, *b); }
inline Tensor operator+(Operand a, Scalar b) { return add(*a, b); }
inline Tensor operator+(Scalar a, Operand b) { return add(a, *b); }
inline Tensor operator-(Operand a, Operand b) { return sub(*a, *b); }
inline Tensor operator-(Operand a, Scalar b) { return sub(*a, b); }
inline Tensor operator-(Scalar a, Operand b) { return sub(a, *b); }
inline Tensor operator*(Operand a, Operand b) { return mul(*a, *b); }
inline Tensor operator*(Operand a, Scalar b) { return mul(*a, b); }
inline Tensor operator*(Scalar a, Operand b) { return mul(a, *b); }
inline Tensor operator/(Operand a, Operand b) { return div(*a, *b); }
inline Tensor operator/(Operand a, Scalar b) { return div(*a, b); }
inline Tensor operator/(Scalar a, Operand b) { return div(a, *b); }
inline Tensor operator-(Operand x) { return neg(*x); }

namespace detail {

/// The left side of an assignment such as x += y, and the line that it stands in.
class Changed {
 public:
  Changed(Tensor& tensor, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : tensor_(tensor), site_{file, line} {}
  Changed(Tensor&& view, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : tensor_(view), site_{file, line} {}
  Tensor& operator*() const { return tensor_; }
  CallSite site() const { return site_; }

 private:
  Tensor& tensor_;
  CallSite site_;
};

}  // namespace detail

// In place: x.add_(y) and so on, with the rules that stand there.
inline Tensor& operator+=(detail::Changed x, Operand y) { return (*x).add_(*y, x.site()); }
inline Tensor& operator+=(detail::Changed x, Scalar y) { return (*x).add_(y, x.site()); }
inline Tensor& operator-=(detail::Changed x, Operand y) { return (*x).sub_(*y, x.site()); }
inline Tensor& operator-=(detail::Changed x, Scalar y) { return (*x).sub_(y, x.site()); }
inline Tensor& operator*=(detail::Changed x, Operand y) { return (*x).mul_(*y, x.site()); }
inline Tensor& operator*=(detail::Changed x, Scalar y) { return (*x).mul_(y, x.site()); }
inline Tensor& operator/=(detail::Changed x, Operand y) { return (*x).div_(*y, x.site()); }
inline Tensor& operator/=(detail::Changed x, Scalar y) { return (*x).div_(y, x.site()); }

}  // namespace xgrad
