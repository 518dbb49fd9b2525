#include "dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

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

std::vector<std::int64_t> part_sizes(std::span<const Part> parts, std::int64_t samples) {
  const auto is_fraction = [](const Part& part) { return part.fraction_.has_value(); };
  std::vector<std::int64_t> sizes;
  if (std::any_of(parts.begin(), parts.end(), is_fraction)) {
    check(std::all_of(parts.begin(), parts.end(), is_fraction),
          "random_split: some parts are fractions, some numbers of samples; give all as one or the other");
    double sum = 0;
    std::int64_t left = samples;
    for (const Part& part : parts) {
      const double fraction = *part.fraction_;
      check(fraction >= 0 && fraction <= 1, "random_split: ", fraction, " is no fraction; it must lie between 0 and 1");
      sum += fraction;
      sizes.push_back(std::min(left, static_cast<std::int64_t>(static_cast<long double>(samples) * fraction)));
      left -= sizes.back();
    }
    check(std::abs(sum - 1) <= 1e-9, "random_split: the fractions sum to ", sum, "; they must sum to 1");
    for (std::size_t i = 0; left > 0; i = (i + 1) % sizes.size(), --left) ++sizes[i];
    return sizes;
  }
  std::int64_t total = 0;
  for (const Part& part : parts) {
    check(part.samples_ >= 0, "random_split: size ", part.samples_, " of a part is negative");
    check(!__builtin_add_overflow(total, part.samples_, &total), "random_split: the sizes sum to more than 2^63 - 1");
    sizes.push_back(part.samples_);
  }
  check(total == samples, "random_split: the sizes sum to ", total, ", the data set has ", samples, " samples");
  return sizes;
}

std::vector<Subset> random_split(DatasetHandle set, std::span<const Part> parts, const RandomSplitOptions& options) {
  const std::int64_t samples = checked_size("random_split", *set);
  const std::vector<std::int64_t> sizes = part_sizes(parts, samples);
  std::vector<std::int64_t> order = sample_numbers("random_split", samples);
  if (options.seed)
    Generator(*options.seed, split_stream).permutation(order.data(), samples);
  else
    (options.generator ? *options.generator : default_generator()).permutation(order.data(), samples);

  std::vector<Subset> subsets;
  auto begin = order.begin();
  for (const std::int64_t size : sizes) {
    subsets.emplace_back(set, std::vector<std::int64_t>(begin, begin + size));
    begin += size;
  }
  return subsets;
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
