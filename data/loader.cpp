#include "loader.hpp"

#include <algorithm>
#include <limits>

#include "../array/random.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t loader_stream = std::uint64_t{1} << 41;  // apart from the streams of threads and splits

}  // namespace

DataLoader::DataLoader(DatasetHandle set, const DataLoaderOptions& options) : set_(std::move(set)), options_(options) {
  check(options_.batch_size > 0, "DataLoader: batch_size ", options_.batch_size, " is less than 1");
}

DataLoader::Iterator DataLoader::begin() {
  const std::int64_t samples = checked_size("DataLoader", *set_);
  check(epoch_ < std::numeric_limits<std::int64_t>::max(), "DataLoader: epoch ", epoch_, " has no next one");
  std::shared_ptr<std::vector<std::int64_t>> order;
  if (options_.shuffle) {
    order = std::make_shared<std::vector<std::int64_t>>(sample_numbers("DataLoader", samples));
    if (options_.seed)
      Generator(*options_.seed, loader_stream + static_cast<std::uint64_t>(epoch_)).permutation(order->data(), samples);
    else
      default_generator().permutation(order->data(), samples);
  }
  ++epoch_;
  return Iterator(set_, std::move(order), options_.batch_size,
                  options_.drop_last ? samples - samples % options_.batch_size : samples);
}

std::int64_t DataLoader::size() const {
  const std::int64_t samples = checked_size("DataLoader", *set_), whole = samples / options_.batch_size;
  return options_.drop_last || samples % options_.batch_size == 0 ? whole : whole + 1;
}

void DataLoader::set_epoch(std::int64_t epoch) {
  check(epoch >= 0, "DataLoader: epoch ", epoch, " is negative");
  epoch_ = epoch;
}

DataLoader::Iterator::Iterator(DatasetHandle set, std::shared_ptr<const std::vector<std::int64_t>> order,
                               std::int64_t batch_size, std::int64_t samples)
    : set_(std::move(set)), order_(std::move(order)), batch_size_(batch_size), left_(samples) {
  read();
}

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  const std::int64_t done = std::min(batch_size_, left_);
  next_ += done;
  left_ -= done;
  read();
  return *this;
}

void DataLoader::Iterator::read() {
  batch_ = {};  // so that its memory can be used again for the next one
  const auto count = static_cast<std::size_t>(std::min(batch_size_, left_));
  if (count == 0) return;
  if (order_) {
    batch_ = set_->batch(std::span(*order_).subspan(static_cast<std::size_t>(next_), count));
    return;
  }
  std::vector<std::int64_t> indices = sample_numbers("DataLoader", static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i) indices[i] = next_ + static_cast<std::int64_t>(i);
  batch_ = set_->batch(indices);
}

}  // namespace xgrad::data
