#include "rotary.hpp"

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"

namespace xgrad::detail {

template <class T>
void rotate(const Rotation& rotation, const Array& x, const Array& out, const T* cosines, const T* sines,
            const Shape& table) {
  const std::size_t axes = x.shape.size() - 1;
  const std::int64_t width = x.shape[axes], pairs = rotation.pairs, rows = width == 0 ? 0 : x.numel / width;
  const bool interleaved = rotation.interleaved;
  const T sign = static_cast<T>(rotation.sign);
  const T* const from = first_element<T>(x);
  T* const to = first_element<T>(out);
  parallel_for(rows, 8192 / std::max<std::int64_t>(width, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t x_at = 0, out_at = 0, table_at = 0;
      for (std::size_t axis = axes, rest = static_cast<std::size_t>(row); axis-- > 0;) {
        const auto size = static_cast<std::size_t>(x.shape[axis]);
        const auto index = static_cast<std::int64_t>(rest % size);
        x_at += index * x.strides[axis], out_at += index * out.strides[axis], table_at += index * table[axis];
        rest /= size;
      }
      const T *const a = from + x_at, *const cosine = cosines + table_at * pairs,
                     *const sine = sines + table_at * pairs;
      T* const y = to + out_at;
      vectorized([=] {
        if (interleaved) {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < pairs; ++i) {
            const T first = a[2 * i], second = a[2 * i + 1], s = sign * sine[i];
            y[2 * i] = first * cosine[i] - second * s;
            y[2 * i + 1] = second * cosine[i] + first * s;
          }
        } else {
          XGRAD_INDEPENDENT_ITERATIONS
          for (std::int64_t i = 0; i < pairs; ++i) {
            const T first = a[i], second = a[i + pairs], s = sign * sine[i];
            y[i] = first * cosine[i] - second * s;
            y[i + pairs] = second * cosine[i] + first * s;
          }
        }
        for (std::int64_t i = 2 * pairs; i < width; ++i) y[i] = a[i];
      });
    }
  });
}

template void rotate(const Rotation&, const Array&, const Array&, const float*, const float*, const Shape&);
template void rotate(const Rotation&, const Array&, const Array&, const double*, const double*, const Shape&);

}  // namespace xgrad::detail
