#pragma once
// Data sets: numbered samples that come in batches.

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::data {

/// Some samples of a data set: inputs `x` and targets `y`, both with the batch as first axis.
struct Batch {
  Tensor x, y;
};

/// Samples 0 to size() - 1. A data set of your own implements size() and batch().
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Number of samples.
  virtual std::int64_t size() const = 0;

  /// The samples of these numbers, in this order. Throws Error for a number out of range. May be called by several
  /// threads at once.
  virtual Batch batch(std::span<const std::int64_t> indices) const = 0;

  /// A copy that lives as long as it is held. The library's data sets share their memory with it. By default it is only
  /// a reference to this object, which then has to outlive whatever uses it.
  virtual std::shared_ptr<const Dataset> share() const;

 protected:
  Dataset() = default;
  Dataset(const Dataset&) = default;
  Dataset& operator=(const Dataset&) = default;
};

/// How functions take a data set that they keep: a named one through share(), a temporary one is moved in.
class DatasetHandle {
 public:
  DatasetHandle(const Dataset& set) : set_(set.share()) {}
  DatasetHandle(std::shared_ptr<const Dataset> set);
  template <class D>
  requires(std::derived_from<D, Dataset> && !std::is_const_v<D>) DatasetHandle(D&& set)
      : set_(std::make_shared<D>(std::move(set))) {}

  const Dataset& operator*() const { return *set_; }
  const Dataset* operator->() const { return set_.get(); }

 private:
  std::shared_ptr<const Dataset> set_;
};

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

/// The samples `indices` of another data set.
class Subset final : public Dataset {
 public:
  /// Throws Error for an index out of range.
  Subset(DatasetHandle set, std::vector<std::int64_t> indices);

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_->size()); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override;

  /// Numbers of the samples in the whole data set.
  const std::vector<std::int64_t>& indices() const { return *indices_; }

 private:
  DatasetHandle set_;
  std::shared_ptr<const std::vector<std::int64_t>> indices_;
};

struct RandomSplitOptions {
  std::optional<std::uint64_t> seed = {};  // without one, default_generator() decides
};

/// Deals the samples of a data set at random into parts of these sizes. Throws Error unless they sum to its size.
///
///     const auto parts = data::random_split(train, {50000, 10000}, {.seed = 0});
std::vector<Subset> random_split(DatasetHandle set, const std::vector<std::int64_t>& sizes,
                                 const RandomSplitOptions& options = {});

/// Throws Error in the name of `op` for an index outside 0 to size - 1.
void check_indices(const char* op, std::span<const std::int64_t> indices, std::int64_t size);

}  // namespace xgrad::data
