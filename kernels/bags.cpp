#include "bags.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "../core/instruction_set.hpp"
#include "../core/parallel.hpp"
#include "sums.hpp"

namespace xgrad::detail {

namespace {

std::int64_t grain_of(const Bags& bags) { return 16384 / std::max<std::int64_t>(bags.width, 1) + 1; }

/// Calls f(bag, first entry, end) in parallel over the bags.
template <class F>
void for_each_bag(const Bags& bags, const F& f) {
  parallel_for(bags.bag_count, grain_of(bags), [&](std::int64_t begin, std::int64_t end) {
    std::int64_t entry = bags.bags ? std::lower_bound(bags.bags, bags.bags + bags.entries, begin) - bags.bags : begin;
    for (std::int64_t bag = begin; bag < end; ++bag) {
      const std::int64_t first = entry;
      if (!bags.bags)
        ++entry;
      else
        while (entry < bags.entries && bags.bags[entry] == bag) ++entry;
      f(bag, first, entry);
    }
  });
}

/// sum += factor * row, where there is a factor.
template <class T>
void add_row(std::int64_t width, const T* row, const T* factor, T* sum) {
  vectorized([=] {
    if (factor) {
      const T by = *factor;
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) sum[i] += by * row[i];
    } else {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < width; ++i) sum[i] += row[i];
    }
  });
}

}  // namespace

template <class T>
void bag_sums(const Bags& bags, const T* table, const T* factors, T* out) {
  for_each_bag(bags, [&](std::int64_t bag, std::int64_t first, std::int64_t end) {
    T* const sum = out + bag * bags.width;
    std::fill_n(sum, bags.width, T(0));
    for (std::int64_t i = first; i < end; ++i)
      add_row(bags.width, table + bags.rows[i] * bags.width, factors ? factors + i : nullptr, sum);
  });
}

void copy_rows(const Bags& bags, std::size_t item_size, const std::byte* table, std::byte* out) {
  const std::size_t bytes = static_cast<std::size_t>(bags.width) * item_size;
  parallel_for(bags.entries, grain_of(bags), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      std::memcpy(out + static_cast<std::size_t>(i) * bytes, table + static_cast<std::size_t>(bags.rows[i]) * bytes,
                  bytes);
  });
}

template <class T>
void add_bags(const Bags& bags, const T* grad, const T* factors, T* out) {
  std::vector<std::pair<std::int64_t, std::int64_t>> order(static_cast<std::size_t>(bags.entries));  // row, entry
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = {bags.rows[i], static_cast<std::int64_t>(i)};
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> groups;  // where a row begins
  for (std::size_t i = 0; i < order.size(); ++i)
    if (i == 0 || order[i].first != order[i - 1].first) groups.push_back(i);
  groups.push_back(order.size());
  parallel_for(static_cast<std::int64_t>(groups.size()) - 1, grain_of(bags), [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t i = groups[static_cast<std::size_t>(begin)]; i < groups[static_cast<std::size_t>(end)]; ++i) {
      const auto [row, entry] = order[i];
      add_row(bags.width, grad + (bags.bags ? bags.bags[entry] : entry) * bags.width,
              factors ? factors + entry : nullptr, out + row * bags.width);
    }
  });
}

template <class T>
void bag_dots(const Bags& bags, const T* grad, const T* table, T* out) {
  for_each_bag(bags, [&](std::int64_t bag, std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) {
      const T *const a = grad + bag * bags.width, *const b = table + bags.rows[i] * bags.width;
      const std::int64_t width = bags.width;
      double total[1] = {};
      vectorized([=, &total] {
        add_terms<1, T>(0, width, total, [=](std::int64_t c, T(&value)[1]) { value[0] = a[c] * b[c]; });
      });
      out[i] = static_cast<T>(total[0]);
    }
  });
}

template <class T>
void bag_largest(const Bags& bags, const T* table, std::int64_t* out) {
  for_each_bag(bags, [&](std::int64_t bag, std::int64_t first, std::int64_t end) {
    std::int64_t* const at = out + bag * bags.width;
    std::fill_n(at, bags.width, first < end ? bags.rows[first] : 0);
    for (std::int64_t i = first + 1; i < end; ++i)
      for (std::int64_t c = 0; c < bags.width; ++c)
        if (table[bags.rows[i] * bags.width + c] > table[at[c] * bags.width + c]) at[c] = bags.rows[i];
  });
}

#define XGRAD_INSTANTIATE(T)                                   \
  template void bag_sums(const Bags&, const T*, const T*, T*); \
  template void add_bags(const Bags&, const T*, const T*, T*); \
  template void bag_dots(const Bags&, const T*, const T*, T*); \
  template void bag_largest(const Bags&, const T*, std::int64_t*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
