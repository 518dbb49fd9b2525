#include "search.hpp"

#include "reduce.hpp"

namespace xgrad::detail {

namespace {

/// How many of n sorted elements come before what `before` says; without a branch on the elements, which would be
/// foretold wrongly.
template <class T, class F>
std::int64_t count_before(const T* sorted, std::int64_t n, const F& before) {
  if (n == 0) return 0;
  const T* base = sorted;
  for (std::int64_t left = n; left > 1; left -= left / 2) base += before(base[left / 2 - 1]) ? left / 2 : 0;
  return base - sorted + (before(*base) ? 1 : 0);
}

template <class T>
std::int64_t place_of(const T* sorted, std::int64_t n, T value, bool right) {
  if (right) return count_before(sorted, n, [=](T element) { return !(element > value); });
  return count_before(sorted, n, [=](T element) { return !(element >= value); });
}

constexpr std::int64_t block_length = 65536;

/// The number of the block is that of the partial result: they do not depend on the threads.
template <class F>
void each_block(std::int64_t n, const F& f) {
  parallel_for((n + block_length - 1) / block_length, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block)
      f(block, block * block_length, std::min((block + 1) * block_length, n));
  });
}

template <class T>
void add_elements(const T* x, std::int64_t count, const T* edges, std::int64_t bins, const T* weights, double* sums) {
  const T low = edges[0], high = edges[bins];
  const T per_width = static_cast<T>(bins) / (high - low);
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = x[i];
    if (!(value >= low && value <= high)) continue;
    // Right where bins are equally wide, but for rounding; one search is needed elsewhere.
    const T at = (value - low) * per_width;  // NaN where bins have no width, or one that is beyond the numbers
    auto bin = at > 0 ? (at < static_cast<T>(bins - 1) ? static_cast<std::int64_t>(at) : bins - 1) : 0;
    if (value < edges[bin] || (value >= edges[bin + 1] && bin + 1 < bins))
      bin = std::min(place_of(edges, bins + 1, value, true) - 1, bins - 1);
    sums[bin] += weights ? static_cast<double>(weights[i]) : 1.0;
  }
}

}  // namespace

void find_places(const Array& sorted, std::int64_t n, const Array& values, std::int64_t per_row, bool right,
                 std::int64_t* places) {
  const Array row_memory = as_dtype(sorted, compute_dtype(sorted.dtype)),
              value_memory = as_dtype(values, compute_dtype(values.dtype));
  dispatch_compute(sorted.dtype, [&]<class T>(T) {
    const T *const rows = first_element<T>(row_memory), *const value = first_element<T>(value_memory);
    parallel_for(values.numel, 1024, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) places[i] = place_of(rows + i / per_row * n, n, value[i], right);
    });
  });
}

void add_to_bins(const Array& x, const Array& edges, const Array* weights, double* sums) {
  const std::int64_t bins = edges.numel - 1, blocks = (x.numel + block_length - 1) / block_length;
  const Scratch<double> partial(blocks * bins);
  double* const of_blocks = partial.data();
  dispatch_floating("histogram", x.dtype, [&]<class T>(T) {
    const T *const from = first_element<T>(x), *const edge = first_element<T>(edges),
                   *const weight = weights ? first_element<T>(*weights) : nullptr;
    each_block(x.numel, [=](std::int64_t block, std::int64_t begin, std::int64_t end) {
      std::fill_n(of_blocks + block * bins, bins, 0.0);
      add_elements(from + begin, end - begin, edge, bins, weight ? weight + begin : nullptr, of_blocks + block * bins);
    });
  });
  for (std::int64_t block = 0; block < blocks; ++block)
    for (std::int64_t bin = 0; bin < bins; ++bin) sums[bin] += of_blocks[block * bins + bin];
}

std::int64_t find_true(const Array& x, std::int64_t* places) {
  const bool* const from = first_element<bool>(x);
  const std::int64_t blocks = (x.numel + block_length - 1) / block_length;
  const Scratch<std::int64_t> counts(blocks);
  std::int64_t* const first = counts.data();
  each_block(x.numel, [=](std::int64_t block, std::int64_t begin, std::int64_t end) {
    std::int64_t count = 0;
    for (std::int64_t i = begin; i < end; ++i) count += from[i];
    first[block] = count;
  });
  std::int64_t total = 0;
  for (std::int64_t block = 0; block < blocks; ++block) total += std::exchange(first[block], total);
  if (places)
    each_block(x.numel, [=](std::int64_t block, std::int64_t begin, std::int64_t end) {
      std::int64_t* to = places + first[block];
      for (std::int64_t i = begin; i < end; ++i)
        if (from[i]) *to++ = i;
    });
  return total;
}

void split_places(const Shape& shape, std::span<const std::int64_t> places, std::int64_t* to) {
  const std::size_t rank = shape.size();
  parallel_for(static_cast<std::int64_t>(places.size()), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t rest = places[static_cast<std::size_t>(i)];
      for (std::size_t axis = rank; axis-- > 0; rest /= shape[axis])
        to[static_cast<std::size_t>(i) * rank + axis] = rest % shape[axis];
    }
  });
}

}  // namespace xgrad::detail
