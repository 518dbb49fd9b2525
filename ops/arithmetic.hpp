#pragma once
// Arithmetic, element by element.
//
// The operands broadcast together as in NumPy, and are brought to one dtype (see core/dtype.hpp; for numbers
// core/scalar.hpp). Integers wrap around. The result lies in memory in the order of the first operand of its shape.

#include "../autograd/operand.hpp"
#include "../core/scalar.hpp"

namespace xgrad {

/// a + b; of two bool tensors: a or b.
Tensor add(Operand a, Operand b);
Tensor add(Operand a, Scalar b);
Tensor add(Scalar a, Operand b);
/// a - b. Throws Error for two bool tensors.
Tensor sub(Operand a, Operand b);
Tensor sub(Operand a, Scalar b);
Tensor sub(Scalar a, Operand b);
/// a * b; of two bool tensors: a and b.
Tensor mul(Operand a, Operand b);
Tensor mul(Operand a, Scalar b);
Tensor mul(Scalar a, Operand b);
/// a / b; integers are divided as float32.
Tensor div(Operand a, Operand b);
Tensor div(Operand a, Scalar b);
Tensor div(Scalar a, Operand b);
/// -x. Throws Error for a bool tensor.
Tensor neg(Operand x);

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

}  // namespace xgrad
