#pragma once
// Operations on the bits of integers, element by element; on bool tensors they are logic. The operands broadcast
// together and are brought to one dtype. Floating tensors are an Error. None has a gradient.

#include "../array/scalar.hpp"
#include "../autograd/operand.hpp"

namespace xgrad {

Tensor bitwise_and(Operand a, Operand b);
Tensor bitwise_and(Operand a, Scalar b);
Tensor bitwise_or(Operand a, Operand b);
Tensor bitwise_or(Operand a, Scalar b);
Tensor bitwise_xor(Operand a, Operand b);
Tensor bitwise_xor(Operand a, Scalar b);
Tensor bitwise_not(Operand x);
/// a 2^b, without what leaves the dtype: 0 where b is not below its number of bits, or negative.
Tensor bitwise_left_shift(Operand a, Operand b);
Tensor bitwise_left_shift(Operand a, Scalar b);
/// a / 2^b rounded down; 0 or, of a negative a, -1 where b is not below the number of bits, or negative.
Tensor bitwise_right_shift(Operand a, Operand b);
Tensor bitwise_right_shift(Operand a, Scalar b);

inline Tensor operator&(Operand a, Operand b) { return bitwise_and(*a, *b); }
inline Tensor operator&(Operand a, Scalar b) { return bitwise_and(*a, b); }
inline Tensor operator|(Operand a, Operand b) { return bitwise_or(*a, *b); }
inline Tensor operator|(Operand a, Scalar b) { return bitwise_or(*a, b); }
inline Tensor operator^(Operand a, Operand b) { return bitwise_xor(*a, *b); }
inline Tensor operator^(Operand a, Scalar b) { return bitwise_xor(*a, b); }
inline Tensor operator~(Operand x) { return bitwise_not(*x); }
inline Tensor operator<<(Operand a, Operand b) { return bitwise_left_shift(*a, *b); }
inline Tensor operator<<(Operand a, Scalar b) { return bitwise_left_shift(*a, b); }
inline Tensor operator>>(Operand a, Operand b) { return bitwise_right_shift(*a, *b); }
inline Tensor operator>>(Operand a, Scalar b) { return bitwise_right_shift(*a, b); }

}  // namespace xgrad
