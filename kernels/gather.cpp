#include "gather.hpp"

#include <algorithm>
#include <atomic>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "numbers.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t piece = 8192;  // elements of a line that threads share
constexpr std::int64_t ahead = 32;    // elements

/// f(i) for all i from 0 to n, where the processor is asked for what is at address(i) ahead of time: it cannot foresee
/// places that indices name.
template <class Address, class F>
void for_each_fetched(std::int64_t n, const Address& address, const F& f) {
  std::int64_t i = 0;
  for (; i < n - ahead; ++i) {
    __builtin_prefetch(address(i + ahead));
    f(i);
  }
  for (; i < n; ++i) f(i);
}

/// The lines along an axis of an index array, in pieces of `longest`, and where the same lines of an array with these
/// strides begin. Calls f(index_offset, offset, length of the piece) for each.
template <class F>
void each_line(const Array& index, std::size_t axis, const Shape& strides, std::int64_t longest, const F& f) {
  Shape lines = index.shape;
  const std::int64_t n = lines[axis], pieces = (n + longest - 1) / longest;
  lines[axis] = 1;
  const Shape index_strides = row_major_strides(index.shape);
  parallel_for(lines.numel() * pieces, piece / std::min(n, longest) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % pieces * longest;
      std::int64_t rest = i / pieces, index_offset = first * index_strides[axis], offset = 0;
      for (std::size_t k = lines.size(); k-- > 0; rest /= lines[k]) {
        index_offset += rest % lines[k] * index_strides[k];
        offset += rest % lines[k] * strides[k];
      }
      f(index_offset, offset, std::min(longest, n - first));
    }
  });
}

/// A shape as (outer, size, inner) around an axis.
struct Around {
  Around(const Shape& shape, std::size_t axis)
      : outer(Shape(shape.begin(), axis).numel()),
        size(shape[axis]),
        inner(Shape(shape.begin() + axis + 1, shape.size() - axis - 1).numel()) {}
  std::int64_t outer, size, inner;
};

template <class T>
void add_at(std::int64_t n, const std::int64_t* __restrict index, std::int64_t index_step, const T* __restrict terms,
            T* __restrict sums, std::int64_t step) {
  const auto sum = [=](std::int64_t i) { return sums + index[i * index_step] * step; };
  for_each_fetched(n, sum, [=](std::int64_t i) { *sum(i) = Plus()(*sum(i), terms[i * index_step]); });
}

const std::int64_t* indices_of(const Array& index) { return first_element<std::int64_t>(index); }

}  // namespace

bool all_within(std::int64_t n, const std::int64_t* index, std::int64_t size) {
  std::atomic<bool> within = true;
  parallel_for(n, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    std::uint64_t outside = 0;
    vectorized([=, &outside] {
      std::uint64_t signs = 0;
      for (std::int64_t i = begin; i < end; ++i)
        signs |= without_sign(index[i]) | (without_sign(size) - 1 - without_sign(index[i]));
      outside = signs >> 63;
    });
    if (outside) within = false;
  });
  return within;
}

void gather_elements(const Array& from, std::size_t axis, const Array& index, const Array& to) {
  if (to.numel == 0) return;
  const std::int64_t step = from.strides[axis], index_step = row_major_strides(index.shape)[axis];
  dispatch_size(item_size(from.dtype), [&](auto zero) {
    using T = decltype(zero);
    each_line(index, axis, from.strides, piece, [&](std::int64_t index_offset, std::int64_t offset, std::int64_t n) {
      const std::int64_t* __restrict const at = indices_of(index) + index_offset;
      const T* __restrict const line = reinterpret_cast<const T*>(from.data) + offset;
      T* __restrict const out = reinterpret_cast<T*>(to.data) + index_offset;
      const auto element = [=](std::int64_t i) { return line + at[i * index_step] * step; };
      for_each_fetched(n, element, [=](std::int64_t i) { out[i * index_step] = *element(i); });
    });
  });
}

void add_elements(const Array& from, std::size_t axis, const Array& index, const Array& to) {
  if (from.numel == 0) return;
  const std::int64_t step = to.strides[axis], index_step = row_major_strides(index.shape)[axis];
  dispatch_compute(to.dtype, [&]<class T>(T) {
    const T* const terms = first_element<T>(from);
    T* const sums = first_element<T>(to);
    each_line(index, axis, to.strides, index.shape[axis],
              [&](std::int64_t index_offset, std::int64_t offset, std::int64_t n) {
                add_at(n, indices_of(index) + index_offset, index_step, terms + index_offset, sums + offset, step);
              });
  });
}

void select_parts(const Array& from, std::size_t axis, const Array& index, const Array& to) {
  if (to.numel == 0) return;
  const Around x(from.shape, axis);
  const std::int64_t count = index.numel;
  const std::int64_t* const at = indices_of(index);
  dispatch_size(item_size(from.dtype), [&](auto zero) {
    using T = decltype(zero);
    const T* const source = reinterpret_cast<const T*>(from.data);
    T* const out = reinterpret_cast<T*>(to.data);
    parallel_for(x.outer * count, 16384 / x.inner + 1, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t outer = i / count, first = i % count, n = std::min(count - first, end - i);
        const T* const parts = source + outer * x.size * x.inner;
        const auto part = [=](std::int64_t k) { return parts + at[first + k] * x.inner; };
        if (x.inner == 1)
          for_each_fetched(n, part, [=](std::int64_t k) { out[i + k] = *part(k); });
        else
          for (std::int64_t k = 0; k < n; ++k) std::copy_n(part(k), x.inner, out + (i + k) * x.inner);
        i += n;
      }
    });
  });
}

void add_parts(const Array& from, std::size_t axis, const Array& index, const Array& to) {
  if (from.numel == 0) return;
  const Around x(to.shape, axis);
  const std::int64_t count = index.numel;
  const std::int64_t* const at = indices_of(index);
  dispatch_compute(to.dtype, [&]<class T>(T) {
    const T* const terms = first_element<T>(from);
    T* const sums = first_element<T>(to);
    // Every thread adds up columns of its own.
    const std::int64_t grain = std::max<std::int64_t>(64, 32768 / count);
    parallel_for(x.outer * x.inner, grain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t outer = i / x.inner, column = i % x.inner, n = std::min(x.inner - column, end - i);
        i += n;
        if (x.inner == 1) {
          add_at(count, at, 1, terms + outer * count, sums + outer * x.size, 1);
          continue;
        }
        for (std::int64_t j = 0; j < count; ++j) {
          T* __restrict sum = sums + (outer * x.size + at[j]) * x.inner + column;
          const T* __restrict term = terms + (outer * count + j) * x.inner + column;
          for (std::int64_t k = 0; k < n; ++k) sum[k] = Plus()(sum[k], term[k]);
        }
      }
    });
  });
}

}  // namespace xgrad::detail
