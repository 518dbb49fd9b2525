#include "bitwise.hpp"

#include "../autograd/create.hpp"
#include "../kernels/numbers.hpp"
#include "comparison.hpp"
#include "map.hpp"

namespace xgrad {

namespace {

enum class Bits { and_, or_, xor_, left, right };

/// On integers as int64, which wrap around in their own dtype.
struct OnBits {
  Bits which;
  [[gnu::always_inline]] std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    const bool all_out = b < 0 || b > 63;
    switch (which) {
      case Bits::and_:
        return a & b;
      case Bits::or_:
        return a | b;
      case Bits::xor_:
        return a ^ b;
      case Bits::left:
        return all_out ? 0 : detail::wrapped(detail::without_sign(a) << b);
      case Bits::right:
        break;
    }
    return a >> (all_out ? 63 : b);
  }
};

void expect_integers(const char* op, const Tensor& x) {
  check(!is_floating(x.dtype()), op, ": a tensor is ", x.dtype(), "; only integers and bool have bits to work on");
}

Tensor on_bits(const char* op, Bits which, const Tensor& a, const Tensor& b) {
  expect_integers(op, a), expect_integers(op, b);
  const DType dtype = promote(a.dtype(), b.dtype());
  const detail::MaybeOwned left = detail::converted(a, dtype), right = detail::converted(b, dtype);
  return detail::with_memory_for(
      op, [&] { return detail::map_as<std::int64_t, std::int64_t>(op, OnBits{which}, *left, *right); });
}
Tensor on_bits(const char* op, Bits which, const Tensor& a, Scalar b) {
  expect_integers(op, a);
  return on_bits(op, which, a, full({}, b, {.dtype = promote(a.dtype(), b)}));
}

}  // namespace

Tensor bitwise_and(Operand a, Operand b) { return on_bits("bitwise_and", Bits::and_, *a, *b); }
Tensor bitwise_and(Operand a, Scalar b) { return on_bits("bitwise_and", Bits::and_, *a, b); }
Tensor bitwise_or(Operand a, Operand b) { return on_bits("bitwise_or", Bits::or_, *a, *b); }
Tensor bitwise_or(Operand a, Scalar b) { return on_bits("bitwise_or", Bits::or_, *a, b); }
Tensor bitwise_xor(Operand a, Operand b) { return on_bits("bitwise_xor", Bits::xor_, *a, *b); }
Tensor bitwise_xor(Operand a, Scalar b) { return on_bits("bitwise_xor", Bits::xor_, *a, b); }
Tensor bitwise_not(Operand x) {
  if (x->dtype() == DType::bool_) return logical_not(*x);
  expect_integers("bitwise_not", *x);
  return detail::with_memory_for("bitwise_not", [&] {
    return detail::map_as<std::int64_t>(
        "bitwise_not", [](std::int64_t bits) { return ~bits; }, *x);
  });
}
Tensor bitwise_left_shift(Operand a, Operand b) { return on_bits("bitwise_left_shift", Bits::left, *a, *b); }
Tensor bitwise_left_shift(Operand a, Scalar b) { return on_bits("bitwise_left_shift", Bits::left, *a, b); }
Tensor bitwise_right_shift(Operand a, Operand b) { return on_bits("bitwise_right_shift", Bits::right, *a, *b); }
Tensor bitwise_right_shift(Operand a, Scalar b) { return on_bits("bitwise_right_shift", Bits::right, *a, b); }

}  // namespace xgrad
