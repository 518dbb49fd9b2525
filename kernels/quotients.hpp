#pragma once
// Quotients of floating numbers rounded down, and what remains, as Python has them.

#include <cmath>

namespace xgrad::elementary {

/// a - b floor(a / b), exactly: of the sign of b.
template <class T>
T floored_rest(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/// floor(a / b), by the exact remainder, for a / b may be rounded up to an integer.
template <class T>
T floored_quotient(T a, T b) {
  if (b == 0) return a / b;
  const T r = std::fmod(a, b);
  T q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  if (q == 0) return std::copysign(T(0), a / b);
  const T whole = std::floor(q);
  return q - whole > T(0.5) ? whole + 1 : whole;
}

}  // namespace xgrad::elementary
