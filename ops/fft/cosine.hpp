#pragma once
// Discrete cosine transforms, as scipy.fft has them.

#include <optional>

#include "transforms.hpp"

namespace xgrad::fft {

struct DctOptions {
  int type = 2;
  std::optional<std::int64_t> n = {};  // to which the axis is cut or filled up with zeros; else its size
  std::int64_t axis = -1;
  Norm norm = Norm::backward;  // a factor 1 / (2 n) as that of fft(); `ortho` makes the transform orthogonal
};
/// Along an axis of real numbers, for type 2
///   y_k = 2 sum over j of x_j cos(pi k (2 j + 1) / (2 n)),
/// and for type 3, which but for the factor is its inverse,
///   y_k = x_0 + 2 sum over j > 0 of x_j cos(pi j (2 k + 1) / (2 n)).
/// Throws Error for other types, for an axis that x does not have, a length below 1, and elements that are not
/// floating.
Tensor dct(Operand x, const DctOptions& options = {});
/// The inverse of dct() with the same options.
Tensor idct(Operand x, const DctOptions& options = {});

}  // namespace xgrad::fft
