#include "dataset.hpp"

#include <cstring>

#include "../core/random.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t split_stream = std::uint64_t{1} << 40;  // apart from the streams of threads and loaders

// The rows of a row-major tensor, one after the other.
Tensor gather_rows(const Tensor& from, std::span<const std::int64_t> rows) {
  Shape shape = from.shape();
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor out = detail::empty(shape, from.dtype());
  if (out.numel() == 0) return out;
  const std::size_t bytes = static_cast<std::size_t>(from.numel() / from.size(0)) * item_size(from.dtype());
  std::byte* to = out.impl().data;
  for (const std::int64_t row : rows) {
    std::memcpy(to, from.impl().data + static_cast<std::size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return out;
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::share() const { return {std::shared_ptr<const Dataset>(), this}; }

DatasetHandle::DatasetHandle(std::shared_ptr<const Dataset> set) : set_(std::move(set)) {
  check(set_ != nullptr, "DatasetHandle: the data set is null");
}

TensorDataset::TensorDataset(const Tensor& inputs, const Tensor& targets)
    : inputs_(inputs.detach().contiguous()), targets_(targets.detach().contiguous()) {
  check(inputs.dim() > 0 && targets.dim() > 0 && inputs.size(0) == targets.size(0), "TensorDataset: inputs ",
        inputs.shape(), " and targets ", targets.shape(), " differ in the number of samples, their first axis");
}

Batch TensorDataset::batch(std::span<const std::int64_t> indices) const {
  check_indices("TensorDataset", indices, size());
  return {gather_rows(inputs_, indices), gather_rows(targets_, indices)};
}

std::shared_ptr<const Dataset> TensorDataset::share() const { return std::make_shared<TensorDataset>(*this); }

Subset::Subset(DatasetHandle set, std::vector<std::int64_t> indices) : set_(std::move(set)) {
  check_indices("Subset", indices, set_->size());
  indices_ = std::make_shared<std::vector<std::int64_t>>(std::move(indices));
}

Batch Subset::batch(std::span<const std::int64_t> indices) const {
  check_indices("Subset", indices, size());
  std::vector<std::int64_t> chosen;
  chosen.reserve(indices.size());
  for (const std::int64_t index : indices) chosen.push_back((*indices_)[static_cast<std::size_t>(index)]);
  return set_->batch(chosen);
}

std::shared_ptr<const Dataset> Subset::share() const { return std::make_shared<Subset>(*this); }

std::vector<Subset> random_split(DatasetHandle set, const std::vector<std::int64_t>& sizes,
                                 const RandomSplitOptions& options) {
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    check(size >= 0, "random_split: size ", size, " of a part is negative");
    check(!__builtin_add_overflow(total, size, &total), "random_split: the sizes sum to more than 2^63 - 1");
  }
  check(total == set->size(), "random_split: the sizes sum to ", total, ", the data set has ", set->size(), " samples");

  std::vector<std::int64_t> order(static_cast<std::size_t>(total));
  if (options.seed)
    Generator(*options.seed, split_stream).permutation(order.data(), total);
  else
    default_generator().permutation(order.data(), total);

  std::vector<Subset> parts;
  auto begin = order.begin();
  for (const std::int64_t size : sizes) {
    parts.emplace_back(set, std::vector<std::int64_t>(begin, begin + size));
    begin += size;
  }
  return parts;
}

void check_indices(const char* op, std::span<const std::int64_t> indices, std::int64_t size) {
  for (const std::int64_t index : indices)
    check(index >= 0 && index < size, op, ": sample ", index, " is out of range for ", size, " samples");
}

}  // namespace xgrad::data
