#include "sort.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "reduce.hpp"

namespace xgrad::detail {

namespace {

// An element and its position as one number, or two, that compare as the elements do and then as the positions.
using Short = std::uint64_t;  // 32 bits of key above 32 of position
struct Long {
  std::uint64_t key;
  std::int64_t position;
  bool operator<(const Long& other) const { return key != other.key ? key < other.key : position < other.position; }
};

std::int64_t position_of(Short entry) { return static_cast<std::int64_t>(entry & 0xffffffffu); }
std::int64_t position_of(const Long& entry) { return entry.position; }

template <class T>
auto ascending_key(T value) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return ~Bits{0};
    const Bits bits = std::bit_cast<Bits>(value + T(0));                       // of -0 and 0 alike
    return bits ^ (static_cast<Bits>(-(bits >> (8 * sizeof(T) - 1))) | sign);  // no branch, signs are at random
  } else {
    return static_cast<Bits>(value) ^ sign;
  }
}

/// The entries of a row, made when they are asked for. `Entry` is Short where `last`, the largest key, leaves room.
template <class T, class EntryType>
struct Row {
  using Entry = EntryType;
  const T* x;
  std::uint64_t flip, first;  // key = (ascending key ^ flip) - first
  std::uint64_t last;

  Entry operator()(std::int64_t i) const {
    const std::uint64_t key = (ascending_key(x[i]) ^ flip) - first;
    if constexpr (std::is_same_v<Entry, Short>)
      return key << 32 | static_cast<std::uint64_t>(i);
    else
      return {key, i};
  }
  int key_bits() const { return std::bit_width(last); }

  /// The first place from `i` on, in steps of a block, that may have an entry whose key is not above `bound`.
  std::int64_t skip_above(std::int64_t i, std::int64_t end, std::uint64_t bound) const {
    using Key = decltype(ascending_key(*x));
    constexpr std::int64_t block = 32;
    vectorized([row = *this, end, most = static_cast<Key>(bound), &i] {
      const T* const from = row.x;
      const auto turned = static_cast<Key>(row.flip), least = static_cast<Key>(row.first);
      for (; i + block <= end; i += block) {
        Key found = 0;
        for (std::int64_t j = i; j < i + block; ++j)
          found |= static_cast<Key>((ascending_key(from[j]) ^ turned) - least) <= most ? Key{1} : Key{0};
        if (found != 0) break;
      }
    });
    return i;
  }
};

std::uint64_t key_of(Short entry) { return entry >> 32; }
std::uint64_t key_of(const Long& entry) { return entry.key; }

/// f(Row) for n elements in a direction: integers that span less than 2^32 need only keys of 32 bits.
template <class T, class F>
void with_row(const T* x, std::int64_t n, bool descending, const F& f) {
  using Key = decltype(ascending_key(*x));
  const std::uint64_t flip = descending ? static_cast<std::uint64_t>(static_cast<Key>(~Key{0})) : 0;
  const bool short_positions = n <= std::int64_t{1} << 32;
  if constexpr (sizeof(T) == 4) {
    if (short_positions) return f(Row<T, Short>{x, flip, 0, 0xffffffffu});
  } else if constexpr (std::is_integral_v<T>) {
    const auto [low, high] = std::minmax_element(x, x + n);
    const std::uint64_t a = ascending_key(*low) ^ flip, b = ascending_key(*high) ^ flip, first = std::min(a, b),
                        span = std::max(a, b) - first;
    if (short_positions && span <= 0xffffffffu) return f(Row<T, Short>{x, flip, first, span});
    return f(Row<T, Long>{x, flip, first, span});
  }
  f(Row<T, Long>{x, flip, 0, static_cast<std::uint64_t>(static_cast<Key>(~Key{0}))});
}

constexpr int digit_bits = 11;
constexpr std::int64_t buckets = std::int64_t{1} << digit_bits;
constexpr std::int64_t shortest_counted = 1024;  // shorter rows are sorted by comparisons

std::int64_t digit(Short entry, int shift) { return static_cast<std::int64_t>(entry >> (32 + shift)) & (buckets - 1); }
std::int64_t digit(const Long& entry, int shift) {
  return static_cast<std::int64_t>(entry.key >> shift) & (buckets - 1);
}

/// Sorts n entries by their keys, the lowest digit first; entries with equal keys stay in order. A pass counts how
/// often a digit has each value in each block of entries, and moves every block to where this says. Gives the memory of
/// the two in which they are at the end.
template <class Entry>
Entry* sort_by_digits(Entry* entries, Entry* other, std::int64_t n, int key_bits) {
  const std::int64_t blocks = std::clamp<std::int64_t>(n / 65536, 1, 16), length = (n + blocks - 1) / blocks;
  const Scratch<std::int64_t> counts(blocks * buckets);
  std::int64_t* const places = counts.data();
  const auto each_block = [&](const auto& f) {
    parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block)
        f(places + block * buckets, std::min(block * length, n), std::min((block + 1) * length, n));
    });
  };
  for (int shift = 0; shift < key_bits; shift += digit_bits) {
    each_block([=](std::int64_t* count, std::int64_t begin, std::int64_t end) {
      std::fill_n(count, buckets, 0);
      for (std::int64_t i = begin; i < end; ++i) ++count[digit(entries[i], shift)];
    });
    bool one_value = false;
    std::int64_t place = 0;
    for (std::int64_t value = 0; value < buckets; ++value) {
      const std::int64_t before = place;
      for (std::int64_t block = 0; block < blocks; ++block)
        place += std::exchange(places[block * buckets + value], place);
      one_value = one_value || place - before == n;
    }
    if (one_value) continue;
    each_block([=](std::int64_t* to, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) other[to[digit(entries[i], shift)]++] = entries[i];
    });
    std::swap(entries, other);
  }
  return entries;
}

/// Sorts entries with one key but for its lowest bits.
template <class Row>
void sort_run(const Row& row, int low_bits, Short* entries, std::int64_t n) {
  constexpr std::int64_t few = 16;  // as most runs are
  Long on_stack[few];
  const Scratch<Long> memory(n <= few ? 0 : n < shortest_counted ? n : 2 * n);
  Long* run = n <= few ? on_stack : memory.data();
  for (std::int64_t i = 0; i < n; ++i) run[i] = row(position_of(entries[i]));
  if (n < shortest_counted)
    std::sort(run, run + n);
  else
    run = sort_by_digits(run, run + n, n, low_bits);
  for (std::int64_t i = 0; i < n; ++i) entries[i] = static_cast<Short>(run[i].position);
}

/// The entries of a row in order; only their positions count.
template <class Row>
typename Row::Entry* sorted_entries(const Row& row, std::int64_t n, typename Row::Entry* entries) {
  parallel_for(n, 65536, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) entries[i] = row(i);
  });
  if (n >= shortest_counted) return sort_by_digits(entries, entries + n, n, row.key_bits());
  std::sort(entries, entries + n);
  return entries;
}

/// The same of keys of 64 bits, by the highest 32 first: few entries have these in common.
template <class Row>
Short* sorted_by_high_bits(const Row& row, std::int64_t n, Short* entries) {
  const int low_bits = std::max(row.key_bits() - 32, 0);
  parallel_for(n, 65536, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      entries[i] = row(i).key >> low_bits << 32 | static_cast<std::uint64_t>(i);
  });
  entries = sort_by_digits(entries, entries + n, n, 32);
  for (std::int64_t begin = 0; begin < n;) {
    std::int64_t end = begin + 1;
    while (end < n && entries[end] >> 32 == entries[begin] >> 32) ++end;
    if (end - begin > 1) sort_run(row, low_bits, entries + begin, end - begin);
    begin = end;
  }
  return entries;
}

template <class Row>
void sort_row(const Row& row, std::int64_t n, std::int64_t* positions) {
  const auto write = [=](const auto* entries) {
    parallel_for(n, 65536, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) positions[i] = position_of(entries[i]);
    });
  };
  const std::int64_t room = n < shortest_counted ? n : 2 * n;
  if constexpr (std::is_same_v<typename Row::Entry, Long>) {
    if (n >= shortest_counted && n <= std::int64_t{1} << 32) {
      const Scratch<Short> memory(room);
      return write(sorted_by_high_bits(row, n, memory.data()));
    }
  }
  const Scratch<typename Row::Entry> memory(room);
  write(sorted_entries(row, n, memory.data()));
}

/// Keeps the first k of entries begin to end of a row, in sorted order; few of a random row come before all of these.
template <class Row>
void keep_first_few(const Row& row, std::int64_t begin, std::int64_t end, std::int64_t k, typename Row::Entry* kept) {
  std::int64_t count = 0;
  const auto insert = [&](const typename Row::Entry& entry, std::int64_t at) {
    for (; at > 0 && entry < kept[at - 1]; --at) kept[at] = kept[at - 1];
    kept[at] = entry;
  };
  std::int64_t i = begin;
  for (; i < end && count < k; ++i) insert(row(i), count++);
  while (i < end) {
    i = row.skip_above(i, end, key_of(kept[k - 1]));
    for (const std::int64_t stop = std::min<std::int64_t>(i + 32, end); i < stop; ++i)
      if (const auto entry = row(i); entry < kept[k - 1]) insert(entry, k - 1);
  }
}

/// The same of larger k, in any order, with up to `capacity` in all: what comes after the k-th is thrown out when as
/// many have come together. Gives how many it keeps.
template <class Row>
std::int64_t keep_first(const Row& row, std::int64_t begin, std::int64_t end, std::int64_t k, std::int64_t capacity,
                        typename Row::Entry* kept) {
  std::int64_t count = 0, i = begin;
  for (; i < end && count < capacity; ++i) kept[count++] = row(i);
  while (i < end) {
    std::nth_element(kept, kept + k - 1, kept + count);
    const auto bound = kept[k - 1];
    count = k;
    while (i < end && count < capacity) {
      i = row.skip_above(i, end, key_of(bound));
      for (const std::int64_t stop = std::min<std::int64_t>(i + 32, end); i < stop && count < capacity; ++i)
        if (const auto entry = row(i); entry < bound) kept[count++] = entry;
    }
  }
  return count;
}

/// The first k entries in sorted order, for k <= n. Parts of the row keep what may be among them.
template <class Row>
void sort_first_of_row(const Row& row, std::int64_t n, std::int64_t k, std::int64_t* positions) {
  using Entry = typename Row::Entry;
  constexpr std::int64_t few = 32, most_parts = 16;
  const std::int64_t parts = std::clamp<std::int64_t>(n / std::max<std::int64_t>(262144, 16 * k), 1, most_parts),
                     length = (n + parts - 1) / parts, capacity = k <= few ? k : std::min(2 * k + 64, length);
  const Scratch<Entry> memory(parts * capacity);
  std::int64_t kept[most_parts] = {};
  Entry* const all = memory.data();
  parallel_for(parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      const std::int64_t begin = std::min(part * length, n), end = std::min(begin + length, n);
      kept[part] = std::min(k, end - begin);
      if (k <= few)
        keep_first_few(row, begin, end, k, all + part * capacity);
      else
        kept[part] = keep_first(row, begin, end, k, capacity, all + part * capacity);
    }
  });
  std::int64_t count = kept[0];
  for (std::int64_t part = 1; part < parts; ++part) {
    std::copy_n(all + part * capacity, kept[part], all + count);
    count += kept[part];
  }
  if (k > few || parts > 1) {
    if (k < count) std::nth_element(all, all + k - 1, all + count);
    std::sort(all, all + k);
  }
  for (std::int64_t i = 0; i < k; ++i) positions[i] = position_of(all[i]);
}

/// Where the entry of rank k in sorted order is. Of a long row only those are looked at that have its first digit.
template <class Row>
std::int64_t position_of_rank(const Row& row, std::int64_t n, std::int64_t k) {
  using Entry = typename Row::Entry;
  std::int64_t below = 0, count = n;
  const int shift = std::max(row.key_bits() - digit_bits, 0);
  std::uint64_t wanted = 0;
  const bool is_long = n >= 8 * buckets;
  if (is_long) {
    constexpr std::int64_t tables = 4;  // one element's count need not wait for the count of that before it
    const Scratch<std::int64_t> memory(tables * buckets);
    std::int64_t* const counts = memory.data();
    std::fill_n(counts, tables * buckets, 0);
    for (std::int64_t i = 0; i < n; ++i)
      ++counts[i % tables * buckets + static_cast<std::int64_t>(key_of(row(i)) >> shift)];
    for (;; ++wanted) {
      count = 0;
      for (std::int64_t table = 0; table < tables; ++table)
        count += counts[table * buckets + static_cast<std::int64_t>(wanted)];
      if (below + count > k) break;
      below += count;
    }
  }
  const Scratch<Entry> memory(count);
  Entry* const entries = memory.data();
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < n; ++i)
    if (const Entry entry = row(i); !is_long || key_of(entry) >> shift == wanted) entries[found++] = entry;
  std::nth_element(entries, entries + (k - below), entries + count);
  return position_of(entries[k - below]);
}

template <class T>
std::int64_t find_ranked_of_row(const T* x, std::int64_t n, const Rank& rank) {
  std::int64_t k = rank.k;
  if (rank.kind != Rank::kth) {
    const std::int64_t nans = std::count_if(x, x + n, [](T value) { return value != value; });
    if (nans > 0 && (rank.kind == Rank::median || nans == n))
      return std::find_if(x, x + n, [](T value) { return value != value; }) - x;
    k = (n - nans - 1) / 2;
  }
  std::int64_t position = 0;
  with_row(x, n, false, [&](const auto& row) { position = position_of_rank(row, n, k); });
  return position;
}

/// f(elements, row number) for every row of n elements, several at the same time.
template <class F>
void each_row(const Array& x, std::int64_t n, const F& f) {
  if (x.numel == 0) return;
  const Array computed = as_dtype(x, compute_dtype(x.dtype));
  dispatch_compute(x.dtype, [&]<class T>(T) {
    const T* const from = first_element<T>(computed);
    parallel_for(x.numel / n, 8192 / n + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) f(from + i * n, i);
    });
  });
}

}  // namespace

void sort_rows(const Array& x, std::int64_t n, bool descending, std::int64_t* positions) {
  each_row(x, n, [=](const auto* row, std::int64_t i) {
    with_row(row, n, descending, [=](const auto& entries) { sort_row(entries, n, positions + i * n); });
  });
}

void sort_first(const Array& x, std::int64_t n, std::int64_t k, bool descending, std::int64_t* positions) {
  if (k == 0) return;
  each_row(x, n, [=](const auto* row, std::int64_t i) {
    with_row(row, n, descending, [=](const auto& entries) { sort_first_of_row(entries, n, k, positions + i * k); });
  });
}

void find_ranked(const Array& x, std::int64_t n, const Rank& rank, std::int64_t* positions) {
  each_row(x, n, [&](const auto* row, std::int64_t i) { positions[i] = find_ranked_of_row(row, n, rank); });
}

void find_mode(const Array& x, std::int64_t n, std::int64_t* positions) {
  each_row(x, n, [=](const auto* row, std::int64_t i) {
    const Scratch<std::int64_t> memory(n);
    std::int64_t* const order = memory.data();
    with_row(row, n, false, [=](const auto& entries) { sort_row(entries, n, order); });
    std::int64_t longest = 0;
    for (std::int64_t begin = 0, end = 1; begin < n; begin = end++) {
      while (end < n && row[order[end]] == row[order[begin]]) ++end;
      if (end - begin <= longest) continue;
      longest = end - begin;
      positions[i] = order[end - 1];
    }
  });
}

void order_rows(const Array& x, std::int64_t count, std::int64_t n, std::int64_t* positions) {
  std::iota(positions, positions + count, std::int64_t{0});
  each_row(x, x.numel, [=](const auto* all, std::int64_t) {
    std::stable_sort(positions, positions + count, [=](std::int64_t a, std::int64_t b) {
      for (std::int64_t i = 0; i < n; ++i) {
        const auto left = ascending_key(all[a * n + i]), right = ascending_key(all[b * n + i]);
        if (left != right) return left < right;
      }
      return false;
    });
  });
}

std::int64_t group_equal(const Array& x, std::int64_t count, std::int64_t n, const std::int64_t* positions,
                         std::int64_t* begins, std::int64_t* groups) {
  std::int64_t found = 0;
  const auto number = [&](const auto& equal) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (i == 0 || !equal(positions[i], positions[i - 1])) begins[found++] = i;
      groups[positions[i]] = found - 1;
    }
  };
  if (n == 0) number([](std::int64_t, std::int64_t) { return true; });
  each_row(x, x.numel, [&](const auto* all, std::int64_t) {
    number([=](std::int64_t a, std::int64_t b) { return std::equal(all + a * n, all + (a + 1) * n, all + b * n); });
  });
  return found;
}

}  // namespace xgrad::detail
