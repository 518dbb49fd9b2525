#pragma once
// What encoders of classes take.

#include <cstdint>
#include <string>
#include <vector>

#include "table.hpp"

namespace xgrad::data {

/// The class of each sample: a column of a table, texts, or a tensor (N,) of whole numbers. Texts are sorted by bytes,
/// numbers by size.
class Labels {
 public:
  /// Throws Error for a column of float64.
  Labels(const Column& column);
  Labels(const std::vector<std::string>& texts);
  /// Throws Error for another shape and for a floating dtype.
  Labels(const Tensor& numbers);

  std::int64_t size() const { return static_cast<std::int64_t>(codes_.size()); }
  /// Each class that occurs once, sorted.
  const std::vector<std::string>& classes() const { return classes_; }
  /// The place among classes() of that of each sample, -1 where it is missing.
  const std::vector<std::int64_t>& codes() const { return codes_; }

 private:
  void set_text(const Column& column);
  void set_numbers(const Tensor& numbers);

  std::vector<std::string> classes_;
  std::vector<std::int64_t> codes_;
};

}  // namespace xgrad::data
