#pragma once
// Rotation of pairs of elements, each row by angles of its own.

#include "../array/array.hpp"

namespace xgrad::detail {

struct Rotation {
  std::int64_t pairs;  // the first 2 pairs elements of a row are turned, the others copied
  bool interleaved;    // elements 2 i and 2 i + 1 are a pair, else i and i + pairs
  double sign;         // 1, or -1 to turn back
};

/// out = x, of any strides with dense rows, with pair i of each row turned by the angle whose cosine and sine are
/// element i of a row of the tables. Which row of the tables that is, `table` says: strides of the leading axes of x.
template <class T>
void rotate(const Rotation& rotation, const Array& x, const Array& out, const T* cosines, const T* sines,
            const Shape& table);

}  // namespace xgrad::detail
