#include "dataset.hpp"

#include <exception>

namespace xgrad::data {

Batch Dataset::batch_of(const Epoch&, std::span<const std::int64_t> indices) const { return batch(indices); }

std::shared_ptr<const Dataset> Dataset::share() const { return {std::shared_ptr<const Dataset>(), this}; }

DatasetHandle::DatasetHandle(std::shared_ptr<const Dataset> set) : set_(std::move(set)) {
  check(set_ != nullptr, "DatasetHandle: the data set is null");
}

std::int64_t checked_size(const char* op, const Dataset& set) {
  const std::int64_t samples = set.size();
  check(samples >= 0, op, ": the data set has ", samples, " samples");
  return samples;
}

std::vector<std::int64_t> sample_numbers(const char* op, std::int64_t n) {
  try {
    return std::vector<std::int64_t>(static_cast<std::size_t>(n));
  } catch (const std::exception&) {  // bad_alloc or length_error
    fail(op, ": the numbers of ", n, " samples do not fit into memory");
  }
}

void check_indices(const char* op, std::span<const std::int64_t> indices, std::int64_t size) {
  for (const std::int64_t index : indices)
    check(index >= 0 && index < size, op, ": sample ", index, " is out of range for ", size, " samples");
}

}  // namespace xgrad::data
