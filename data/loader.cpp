#include "loader.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "../autograd/create.hpp"
#include "prefetcher.hpp"

namespace xgrad::data {

namespace {

constexpr std::uint64_t loader_stream = std::uint64_t{1} << 41;  // apart from the streams of threads and splits

}  // namespace

/// The batches of an epoch.
struct DataLoader::Iterator::Pass {
  DatasetHandle set;
  std::vector<std::int64_t> order;  // empty: as they come
  std::int64_t batch_size, samples;
  Epoch epoch;
  std::optional<GeneratorState> drawn_from;  // what the order was drawn from, without a seed
  std::int64_t number = 0;                   // of the current batch

  std::int64_t count() const { return samples / batch_size + (samples % batch_size != 0); }
  Batch read(std::int64_t batch) const {
    const std::int64_t first = batch * batch_size, size = std::min(batch_size, samples - first);
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
  std::optional<GeneratorState> drawn_from;
  if (options_.shuffle) {
    order = sample_numbers("DataLoader", samples);
    if (options_.seed) {
      Generator(*options_.seed, loader_stream + static_cast<std::uint64_t>(epoch_)).permutation(order.data(), samples);
    } else if (drawn_from_) {  // again, as it was: what was drawn since is drawn already
      drawn_from = drawn_from_;
      Generator generator;
      generator.set_state(*drawn_from);
      generator.permutation(order.data(), samples);
    } else {
      drawn_from = default_generator().state();
      default_generator().permutation(order.data(), samples);
    }
  }
  auto pass = std::make_shared<Iterator::Pass>(Iterator::Pass{
      set_, std::move(order), options_.batch_size,
      options_.drop_last ? samples - samples % options_.batch_size : samples, epoch, drawn_from, given_});
  Iterator iterator(pass, options_.workers);
  running_ = pass;
  ++epoch_;
  given_ = 0;
  drawn_from_.reset();
  return iterator;
}

NamedTensors DataLoader::state_dict() const {
  const auto pass = running_.lock();
  const bool begun = pass && pass->number < pass->count();
  const auto number = [](std::int64_t value) { return full({}, value, {.dtype = int64}); };
  NamedTensors state{{"epoch", number(begun ? pass->epoch.number : epoch_)},
                     {"batches", number(begun ? pass->number + 1 : given_)}};
  if (const auto& from = begun ? pass->drawn_from : drawn_from_) {
    const Tensor words = zeros({3}, {.dtype = int64});
    std::int64_t* const to = words.data<std::int64_t>();
    to[0] = std::bit_cast<std::int64_t>(from->seed);
    to[1] = std::bit_cast<std::int64_t>(from->stream);
    to[2] = std::bit_cast<std::int64_t>(from->position);
    state.emplace_back("generator", words);
  }
  return state;
}

void DataLoader::load_state_dict(const NamedTensors& state) {
  std::int64_t epoch = -1, batches = 0;
  std::optional<GeneratorState> drawn_from;
  for (const auto& [name, value] : state) {
    const bool is_generator = name == "generator";
    check(value.defined() && value.dtype() == int64 && value.numel() == (is_generator ? 3 : 1) &&
              (is_generator || name == "epoch" || name == "batches"),
          "DataLoader: load_state_dict: entry `", name, "` is not one of a loader's state");
    const std::vector<std::int64_t> numbers = value.to_vector<std::int64_t>();
    if (is_generator)
      drawn_from = {std::bit_cast<std::uint64_t>(numbers[0]), std::bit_cast<std::uint64_t>(numbers[1]),
                    std::bit_cast<std::uint64_t>(numbers[2])};
    else
      (name == "epoch" ? epoch : batches) = numbers[0];
  }
  check(epoch >= 0, "DataLoader: load_state_dict: `epoch` is missing or negative");
  check(batches >= 0 && batches <= size(), "DataLoader: load_state_dict: ", batches,
        " batches were given out of an epoch of ", size());
  epoch_ = epoch;
  given_ = batches;
  drawn_from_ = drawn_from;
  running_.reset();
}

std::int64_t DataLoader::size() const {
  const std::int64_t samples = checked_size("DataLoader", *set_), whole = samples / options_.batch_size;
  return options_.drop_last || samples % options_.batch_size == 0 ? whole : whole + 1;
}

void DataLoader::set_epoch(std::int64_t epoch) {
  check(epoch >= 0, "DataLoader: epoch ", epoch, " is negative");
  epoch_ = epoch;
  given_ = 0;
  drawn_from_.reset();
}

DataLoader::Iterator::Iterator(std::shared_ptr<Pass> pass, std::int64_t workers)
    : pass_(std::move(pass)), left_(pass_->count() - pass_->number) {
  if (workers > 0 && left_ > 0)
    ahead_ = std::make_shared<Prefetcher>(left_, static_cast<int>(workers),
                                          [from = std::shared_ptr<const Pass>(pass_),
                                           first = pass_->number](std::int64_t i) { return from->read(first + i); });
  read();
}

DataLoader::Iterator& DataLoader::Iterator::operator++() {
  ++pass_->number;
  --left_;
  read();
  return *this;
}

void DataLoader::Iterator::read() {
  batch_ = {};  // so that its memory can be used again for the next one
  if (left_ > 0) batch_ = ahead_ ? ahead_->take() : pass_->read(pass_->number);
}

}  // namespace xgrad::data
