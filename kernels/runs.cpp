#include "runs.hpp"

#include "reduce.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t long_run = 64;  // from here on threads take columns of the runs

template <class F>
void with_memory(const Array& from, const Array& to, const F& f) {
  dispatch_size(item_size(from.dtype), [&](auto zero) {
    using T = decltype(zero);
    f(reinterpret_cast<const T*>(from.data), reinterpret_cast<T*>(to.data));
  });
}

/// f(first column, columns) such that each thread has columns of its own.
template <class F>
void each_columns(const Runs& runs, const F& f) {
  if (runs.length < long_run) return f(0, runs.length);
  parallel_for(runs.length, std::max<std::int64_t>(long_run, 32768 / runs.count),
               [&](std::int64_t begin, std::int64_t end) { f(begin, end - begin); });
}

template <class T, class F>
void combine(const Runs& runs, const T* from, T* to, const F& f) {
  each_columns(runs, [=](std::int64_t first, std::int64_t columns) {
    for (std::int64_t i = 0; i < runs.count; ++i) {
      const T* __restrict source = from + i * runs.length + first;
      T* __restrict target = to + runs.begins[i] + first;
      for (std::int64_t k = 0; k < columns; ++k) target[k] = f(target[k], source[k]);
    }
  });
}

template <class T>
T wrapped(std::uint64_t value) {
  return static_cast<T>(value);
}

}  // namespace

void copy_runs(const Runs& runs, const Array& from, const Array& to) {
  with_memory(from, to, [&]<class T>(const T* source, T* target) {
    parallel_for(runs.count, 16384 / std::max<std::int64_t>(runs.length, 1) + 1,
                 [=](std::int64_t begin, std::int64_t end) {
                   if (runs.length == 1)
                     for (std::int64_t i = begin; i < end; ++i) target[i] = source[runs.begins[i]];
                   else
                     for (std::int64_t i = begin; i < end; ++i)
                       std::copy_n(source + runs.begins[i], runs.length, target + i * runs.length);
                 });
  });
}

void write_runs(const Runs& runs, const Array& from, const Array& to) {
  with_memory(from, to, [&]<class T>(const T* source, T* target) {
    each_columns(runs, [=](std::int64_t first, std::int64_t columns) {
      for (std::int64_t i = 0; i < runs.count; ++i)
        std::copy_n(source + i * runs.length + first, columns, target + runs.begins[i] + first);
    });
  });
}

void combine_runs(Combine how, const Runs& runs, const Array& from, const Array& to) {
  if (from.numel == 0) return;
  dispatch_compute(to.dtype, [&]<class T>(T) {
    const T* const source = first_element<T>(from);
    T* const target = first_element<T>(to);
    const auto unsigned_of = [](T value) { return static_cast<std::uint64_t>(value); };
    switch (how) {
      case Combine::add:
        return combine(runs, source, target, [=](T a, T b) {
          if constexpr (std::is_integral_v<T>)
            return wrapped<T>(unsigned_of(a) + unsigned_of(b));
          else
            return a + b;
        });
      case Combine::multiply:
        return combine(runs, source, target, [=](T a, T b) {
          if constexpr (std::is_integral_v<T>)
            return wrapped<T>(unsigned_of(a) * unsigned_of(b));
          else
            return a * b;
        });
      case Combine::smallest:
        return combine(runs, source, target, [](T a, T b) { return a != a || a < b ? a : b; });
      case Combine::largest:
        return combine(runs, source, target, [](T a, T b) { return a != a || a > b ? a : b; });
    }
  });
}

void find_last_runs(const Runs& runs, std::int64_t size, bool* last) {
  const Scratch<std::int64_t> memory(size);
  std::int64_t* const writer = memory.data();
  for (std::int64_t i = 0; i < runs.count; ++i) writer[runs.begins[i]] = i;
  for (std::int64_t i = 0; i < runs.count; ++i) last[i] = writer[runs.begins[i]] == i;
}

void places_along(const Shape& index_shape, const std::int64_t* index, const Shape& strides, std::size_t axis,
                  std::int64_t* places) {
  parallel_for(index_shape.numel(), 8192, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t rest = i, place = index[i] * strides[axis];
      for (std::size_t k = index_shape.size(); k-- > 0; rest /= index_shape[k])
        if (k != axis) place += rest % index_shape[k] * strides[k];
      places[i] = place;
    }
  });
}

std::int64_t add_index(std::int64_t n, const std::int64_t* index, std::int64_t size, std::int64_t stride,
                       std::int64_t* places) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (index[i] < -size || index[i] >= size) [[unlikely]]
      return i;
    places[i] += (index[i] < 0 ? index[i] + size : index[i]) * stride;
  }
  return n;
}

}  // namespace xgrad::detail
