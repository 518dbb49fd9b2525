#include "loader.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "../array/random.hpp"
#include "prefetcher.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t loader_stream = std::uint64_t{1} << 41;  // apart from the streams of threads and splits

}  // namespace

/// The batches of an epoch.
struct DataLoader::Iterator::Plan {
  DatasetHandle set;
  std::vector<std::int64_t> order;  // empty: as they come
  std::int64_t batch_size, samples;
  Epoch epoch;

  std::int64_t count() const { return samples / batch_size + (samples % batch_size != 0); }
  Batch read(std::int64_t number) const {
    const std::int64_t first = number * batch_size, size = std::min(batch_size, samples - first);
    if (!order.empty())
      return set->batch_of(epoch,
                           std::span(order).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(size)));
    std::vector<std::int64_t> indices = sample_numbers("DataLoader", size);
    std::iota(indices.begin(), indices.end(), first);
    return set->batch_of(epoch, indices);
  }
};

DataLoader::DataLoader(DatasetHandle set, const DataLoaderOptions& options) : set_(std::move(set)), options_(options) {
  check(options_.batch_size > 0, "DataLoader: batch_size ", options_.batch_size, " is less than 1");
  check(options_.workers >= 0 && options_.workers <= 1024, "DataLoader: workers is ", options_.workers,
        "; it must lie between 0 and 1024");
}

DataLoader::Iterator DataLoader::begin() {
  const std::int64_t samples = checked_size("DataLoader", *set_);
  check(epoch_ < std::numeric_limits<std::int64_t>::max(), "DataLoader: epoch ", epoch_, " has no next one");
  const Epoch epoch{options_.seed ? *options_.seed : default_generator().seed(), epoch_};
  std::vector<std::int64_t> order;
  if (options_.shuffle) {
    order = sample_numbers("DataLoader", samples);
    if (options_.seed)
      Generator(*options_.seed, loader_stream + static_cast<std::uint64_t>(epoch_)).permutation(order.data(), samples);
    else
      default_generator().permutation(order.data(), samples);
  }
  Iterator iterator(
      std::make_shared<Iterator::Plan>(set_, std::move(order), options_.batch_size,
                                       options_.drop_last ? samples - samples % options_.batch_size : samples, epoch),
      options_.workers);
  ++epoch_;
  return iterator;
}

std::int64_t DataLoader::size() const {
  const std::int64_t samples = checked_size("DataLoader", *set_), whole = samples / options_.batch_size;
  return options_.drop_last || samples % options_.batch_size == 0 ? whole : whole + 1;
}

void DataLoader::set_epoch(std::int64_t epoch) {
  check(epoch >= 0, "DataLoader: epoch ", epoch, " is negative");
  epoch_ = epoch;
}

DataLoader::Iterator::Iterator(std::shared_ptr<const Plan> plan, std::int64_t workers)
    : plan_(std::move(plan)), left_(plan_->count()) {
  if (workers > 0 && left_ > 0)
    ahead_ = std::make_shared<Prefetcher>(left_, static_cast<int>(workers),
                                          [plan = plan_](std::int64_t number) { return plan->read(number); });
  read();
}

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  ++number_;
  --left_;
  read();
  return *this;
}

void DataLoader::Iterator::read() {
  batch_ = {};  // so that its memory can be used again for the next one
  if (left_ > 0) batch_ = ahead_ ? ahead_->take() : plan_->read(number_);
}

}  // namespace xgrad::data
