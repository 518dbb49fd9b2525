#pragma once
// Arrays in files that need not fit into memory.

#include <cstddef>
#include <memory>
#include <string>

#include "dataset.hpp"

namespace xgrad::data {

/// An array in a file whose rows are read when they are asked for; the system keeps of it what fits into memory. The
/// file must not be made shorter meanwhile. Copies share the mapping. For several threads.
class MappedArray {
 public:
  /// The array of a .npy file. Throws Error as load_npy() does, and for an array in column-major order or of elements
  /// that would have to be converted (of another order of bytes, uint16, uint32), naming the remedy.
  explicit MappedArray(const std::string& path);
  /// Elements in row-major order from byte `offset` of a file on, as they are in memory. Throws Error where there are
  /// fewer than the shape needs.
  MappedArray(const std::string& path, const Shape& shape, DType dtype, std::int64_t offset = 0);

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  /// Size of the first axis.
  std::int64_t size() const { return shape_[0]; }
  /// Copies of the rows of these numbers, in this order. Throws Error for one out of range, and for a bool that is
  /// neither 0 nor 1.
  Tensor rows(std::span<const std::int64_t> indices) const;

 private:
  void map(const std::string& path, std::uint64_t offset);

  Shape shape_;
  DType dtype_ = float32;
  std::shared_ptr<const std::byte> elements_;  // null where there are none
};

/// Inputs (N, ...) and targets (N, ...) in files.
///
///     data::MemoryMapped set(data::MappedArray("x.npy"), data::MappedArray("y.npy"));
class MemoryMapped final : public Dataset {
 public:
  /// Throws Error unless both have the same number of rows.
  MemoryMapped(MappedArray inputs, MappedArray targets);

  std::int64_t size() const override { return inputs_.size(); }
  Batch batch(std::span<const std::int64_t> indices) const override {
    return {inputs_.rows(indices), targets_.rows(indices)};
  }
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<MemoryMapped>(*this); }

 private:
  MappedArray inputs_, targets_;
};

}  // namespace xgrad::data
