#include "bags.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

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

RowGroups group_by_row(const Bags& bags) {
  const auto n = static_cast<std::size_t>(bags.entries);
  struct Key {
    std::int64_t row, entry;
  };
  std::vector<Key> keys(n), sorted(n);
  std::uint64_t used = 0;  // bits of the rows
  for (std::size_t i = 0; i < n; ++i) {
    keys[i] = {bags.rows[i], static_cast<std::int64_t>(i)};
    used |= static_cast<std::uint64_t>(bags.rows[i]);
  }
  // By digits from the last to the first, each time in the order that is there.
  constexpr int digit = 11;
  for (int shift = 0; shift < 64 && used >> shift != 0; shift += digit) {
    const auto digit_of = [shift](const Key& key) {
      return static_cast<std::size_t>(static_cast<std::uint64_t>(key.row) >> shift & ((1U << digit) - 1));
    };
    std::array<std::size_t, (1U << digit) + 1> place{};
    for (const Key& key : keys) ++place[digit_of(key) + 1];
    std::partial_sum(place.begin(), place.end(), place.begin());
    for (const Key& key : keys) sorted[place[digit_of(key)]++] = key;
    keys.swap(sorted);
  }
  RowGroups groups;
  groups.entries.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    groups.entries[i] = keys[i].entry;
    if (i > 0 && keys[i].row == keys[i - 1].row) continue;
    groups.rows.push_back(keys[i].row);
    groups.begins.push_back(static_cast<std::int64_t>(i));
  }
  groups.begins.push_back(bags.entries);
  return groups;
}

namespace {

/// Adds the entries of group i to the row at sum_of(i).
template <class T, class F>
void add_groups(const Bags& bags, const RowGroups& groups, const T* grad, const T* factors, const F& sum_of) {
  parallel_for(static_cast<std::int64_t>(groups.rows.size()), grain_of(bags),
               [&](std::int64_t begin, std::int64_t end) {
                 for (auto group = static_cast<std::size_t>(begin); group < static_cast<std::size_t>(end); ++group) {
                   T* const sum = sum_of(group);
                   for (auto i = static_cast<std::size_t>(groups.begins[group]);
                        i < static_cast<std::size_t>(groups.begins[group + 1]); ++i) {
                     const std::int64_t entry = groups.entries[i];
                     add_row(bags.width, grad + (bags.bags ? bags.bags[entry] : entry) * bags.width,
                             factors ? factors + entry : nullptr, sum);
                   }
                 }
               });
}

}  // namespace

template <class T>
void add_bags(const Bags& bags, const T* grad, const T* factors, T* out) {
  const RowGroups groups = group_by_row(bags);
  add_groups(bags, groups, grad, factors, [&](std::size_t group) { return out + groups.rows[group] * bags.width; });
}

template <class T>
void sum_groups(const Bags& bags, const RowGroups& groups, const T* grad, const T* factors, T* out) {
  add_groups(bags, groups, grad, factors, [&](std::size_t group) {
    T* const sum = out + static_cast<std::int64_t>(group) * bags.width;
    std::fill_n(sum, bags.width, T(0));
    return sum;
  });
}

template <class T>
void add_rows(std::span<const std::int64_t> rows, std::int64_t width, const T* values, T* out, std::int64_t row_stride,
              std::int64_t column_stride) {
  const std::int64_t grain = 16384 / std::max<std::int64_t>(width, 1) + 1;
  parallel_for(static_cast<std::int64_t>(rows.size()), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      T* const sum = out + rows[static_cast<std::size_t>(i)] * row_stride;
      const T* const row = values + i * width;
      if (column_stride == 1)
        add_row<T>(width, row, nullptr, sum);
      else
        for (std::int64_t c = 0; c < width; ++c) sum[c * column_stride] += row[c];
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

#define XGRAD_INSTANTIATE(T)                                                                                     \
  template void bag_sums(const Bags&, const T*, const T*, T*);                                                   \
  template void add_bags(const Bags&, const T*, const T*, T*);                                                   \
  template void sum_groups(const Bags&, const RowGroups&, const T*, const T*, T*);                               \
  template void add_rows(std::span<const std::int64_t>, std::int64_t, const T*, T*, std::int64_t, std::int64_t); \
  template void bag_dots(const Bags&, const T*, const T*, T*);                                                   \
  template void bag_largest(const Bags&, const T*, std::int64_t*);
XGRAD_INSTANTIATE(float)
XGRAD_INSTANTIATE(double)
#undef XGRAD_INSTANTIATE

}  // namespace xgrad::detail
