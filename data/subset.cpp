#include "subset.hpp"

#include <algorithm>
#include <cmath>

namespace xgrad::data {

namespace {

constexpr std::uint64_t split_stream = std::uint64_t{1} << 40;  // apart from the streams of threads and loaders

}  // namespace

Subset::Subset(DatasetHandle set, std::vector<std::int64_t> indices) : set_(std::move(set)) {
  check_indices("Subset", indices, set_->size());
  indices_ = std::make_shared<std::vector<std::int64_t>>(std::move(indices));
}

std::vector<std::int64_t> Subset::chosen(std::span<const std::int64_t> indices) const {
  check_indices("Subset", indices, size());
  std::vector<std::int64_t> numbers;
  numbers.reserve(indices.size());
  for (const std::int64_t index : indices) numbers.push_back((*indices_)[static_cast<std::size_t>(index)]);
  return numbers;
}

Batch Subset::batch(std::span<const std::int64_t> indices) const { return set_->batch(chosen(indices)); }
Batch Subset::batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const {
  return set_->batch_of(epoch, chosen(indices));
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

}  // namespace xgrad::data
