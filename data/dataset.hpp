#pragma once
// Data sets: numbered samples that come in batches.

#include <concepts>
#include <cstdint>
#include <memory>
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

/// A pass over a data set. What is random in a sample depends on these two and on its number alone.
struct Epoch {
  std::uint64_t seed = 0;
  std::int64_t number = 0;
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
  /// The same as they are in a pass: by default batch(), for samples in which nothing is random.
  virtual Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const;

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

/// The size of a data set. Throws Error in the name of `op` for a negative one.
std::int64_t checked_size(const char* op, const Dataset& set);
/// Room for the numbers of n samples. Throws Error in the name of `op` where memory runs out.
std::vector<std::int64_t> sample_numbers(const char* op, std::int64_t n);
/// Throws Error in the name of `op` for an index outside 0 to size - 1.
void check_indices(const char* op, std::span<const std::int64_t> indices, std::int64_t size);

}  // namespace xgrad::data
