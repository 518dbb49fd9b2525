#pragma once
// Rows of a table, summed in bags.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace xgrad::detail {

/// Entry i stands for row rows[i] of a table and belongs to bag bags[i], which do not decrease; without `bags`, each
/// entry is a bag of its own. Rows have `width` elements.
struct Bags {
  const std::int64_t* rows;
  const std::int64_t* bags;
  std::int64_t entries, bag_count, width;
};

/// out (bag_count, width) = the sums of the rows of each bag, times `factors` of the entries where there are any.
template <class T>
void bag_sums(const Bags& bags, const T* table, const T* factors, T* out);
/// out = the same of bags of one entry without factors, of any elements of this size.
void copy_rows(const Bags& bags, std::size_t item_size, const std::byte* table, std::byte* out);
/// Adds to each row of `out` the rows of `grad` (bag_count, width) of the bags it is in, times `factors`; the order of
/// the entries is that of the sum, whatever the number of threads.
template <class T>
void add_bags(const Bags& bags, const T* grad, const T* factors, T* out);

/// The entries that each row has.
struct RowGroups {
  std::vector<std::int64_t> rows;     // those that are used, ascending
  std::vector<std::int64_t> entries;  // of the first of them, of the second, ..., each in ascending order
  std::vector<std::int64_t> begins;   // where those of each row begin, and the end
};
RowGroups group_by_row(const Bags& bags);
/// What add_bags adds to the rows that are used, and to them alone: out (groups.rows.size(), width).
template <class T>
void sum_groups(const Bags& bags, const RowGroups& groups, const T* grad, const T* factors, T* out);
/// Adds row i of `values` to row rows[i] of `out`, whose elements lie `row_stride` and `column_stride` apart. No row is
/// given twice.
template <class T>
void add_rows(std::span<const std::int64_t> rows, std::int64_t width, const T* values, T* out, std::int64_t row_stride,
              std::int64_t column_stride);

/// out (entries) = the dot products of each entry's row with the row of `grad` (bag_count, width) of its bag.
template <class T>
void bag_dots(const Bags& bags, const T* grad, const T* table, T* out);
/// out (bag_count, width) = which row holds the largest element of each column of a bag, the first of equal ones; 0
/// for an empty bag.
template <class T>
void bag_largest(const Bags& bags, const T* table, std::int64_t* out);

}  // namespace xgrad::detail
