#pragma once
// Columns of different types, as they come from CSV and JSON lines.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::data {

/// A column of a table, in one of four kinds: bool, int64, float64 with NaN for what is missing, and text.
struct Column {
  std::string name;
  /// (N,) of dtype bool, int64 or float64; of text int64, the number of the category of each row, -1 for what is
  /// missing: class numbers for a loss, indices for an embedding.
  Tensor values;
  /// The texts that occur, sorted by bytes; empty unless is_text.
  std::vector<std::string> categories = {};
  bool is_text = false;

  std::int64_t size() const { return values.size(0); }
  /// Number of rows without a value.
  std::int64_t missing() const;
  /// The text of a row; none where it is missing. Throws Error for a column of numbers, and a row that is not there.
  std::optional<std::string_view> text(std::int64_t row) const;

  /// A column of text from the text of each row, none where it is missing.
  static Column of_text(std::string name, const std::vector<std::optional<std::string>>& rows);
};

/// Columns of one length with names.
class Table {
 public:
  /// Throws Error for columns of different lengths, and for a name that repeats.
  explicit Table(std::vector<Column> columns);

  /// Number of rows.
  std::int64_t size() const { return columns_.empty() ? 0 : columns_[0].size(); }
  const std::vector<Column>& columns() const { return columns_; }
  std::vector<std::string> names() const;
  /// Throws Error, which names those that are there, for a name that is not.
  const Column& operator[](std::string_view name) const;
  /// (N, D): these columns side by side, NaN for what is missing. Throws Error for a column of text, or none at all,
  /// and for a value that is missing where the dtype is none of the floating ones.
  Tensor numbers(const std::vector<std::string>& names, DType dtype = float32) const;
  /// These rows, in this order. Categories are kept, also those that no row has any more. Throws Error for one that is
  /// not there.
  Table rows(const std::vector<std::int64_t>& indices) const;

 private:
  std::vector<Column> columns_;
};

}  // namespace xgrad::data
