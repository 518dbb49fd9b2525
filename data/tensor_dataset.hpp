#pragma once
// Tensors in memory as a data set.

#include "dataset.hpp"

namespace xgrad::data {

/// Inputs (N, ...) and targets (N, ...) in memory. Keeps the tensors, not copies of them.
class TensorDataset final : public Dataset {
 public:
  /// Throws Error unless both have a first axis, of the same size.
  TensorDataset(const Tensor& inputs, const Tensor& targets);

  std::int64_t size() const override { return inputs_.size(0); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override;

 private:
  Tensor inputs_, targets_;
};

}  // namespace xgrad::data
