#pragma once
// SampleLoader: a set of structs, batch by batch.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "collate.hpp"
#include "loader.hpp"
#include "prefetcher.hpp"
#include "samples.hpp"

namespace xgrad::data {

namespace internal {

/// A loader whose batches are the numbers of their samples, x, and seed and number of the epoch, y.
DataLoader loader_of_numbers(std::int64_t size, DataLoaderOptions options);

/// Which samples a batch has, and of which pass.
struct BatchNumbers {
  explicit BatchNumbers(const Batch& batch);
  Epoch epoch;
  std::vector<std::int64_t> samples;
};

}  // namespace internal

/// Goes through a map-style set (data/samples.hpp) in batches as collate() makes them, once for every `for` loop.
/// Order, epochs, workers, exceptions and state are DataLoader's: same batches for any number of workers.
template <SampleSet Set>
class SampleLoader {
 public:
  using Sample = SampleOf<Set>;
  using value_type = Collated<Sample>;

  /// Throws Error as DataLoader does.
  explicit SampleLoader(Set set, const DataLoaderOptions& options = {})
      : set_(std::make_shared<const Set>(std::move(set))),
        workers_(options.workers),
        numbers_(internal::loader_of_numbers(size_of(*set_), options)) {}

  class Iterator {
   public:
    using value_type = Collated<Sample>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    const value_type& operator*() const { return *batch_; }
    const value_type* operator->() const { return &*batch_; }
    Iterator& operator++() {
      ++at_;
      ++number_;
      read();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t end) { return iterator.at_ == end; }

   private:
    friend class SampleLoader;
    struct Pass {
      std::shared_ptr<const Set> set;
      std::vector<internal::BatchNumbers> batches;
      std::vector<std::optional<value_type>> read_ahead;

      value_type read(std::size_t number) const {
        std::vector<Sample> samples;
        samples.reserve(batches[number].samples.size());
        for (const std::int64_t i : batches[number].samples)
          samples.push_back(sample_at(*set, batches[number].epoch, i));
        return collate(samples);
      }
    };

    Iterator(DataLoader::Iterator at, std::shared_ptr<Pass> pass, std::int64_t workers)
        : at_(std::move(at)), pass_(std::move(pass)) {
      if (workers > 0 && !pass_->batches.empty()) {
        pass_->read_ahead.resize(pass_->batches.size());
        ahead_ = std::make_shared<Prefetcher>(static_cast<std::int64_t>(pass_->batches.size()),
                                              static_cast<int>(workers), [to = pass_](std::int64_t number) {
                                                const auto i = static_cast<std::size_t>(number);
                                                to->read_ahead[i] = to->read(i);
                                                return Batch();
                                              });
      }
      read();
    }
    void read() {
      batch_.reset();
      if (at_ == std::default_sentinel) return;
      if (ahead_) {
        ahead_->take();
        batch_ = std::exchange(pass_->read_ahead[number_], std::nullopt);
      } else {
        batch_ = pass_->read(number_);
      }
    }

    DataLoader::Iterator at_;  // its place is that of the loader in an epoch
    std::shared_ptr<Pass> pass_;
    std::shared_ptr<Prefetcher> ahead_;  // null without workers
    std::size_t number_ = 0;
    std::optional<value_type> batch_;
  };

  Iterator begin() {
    DataLoader::Iterator at = numbers_.begin();
    auto pass = std::make_shared<typename Iterator::Pass>(typename Iterator::Pass{set_, {}, {}});
    if (at != std::default_sentinel) {
      pass->batches.emplace_back(*at);
      DataLoader rest = numbers_;  // of the same pass, in the same order
      rest.load_state_dict(numbers_.state_dict());
      for (const Batch& batch : rest) pass->batches.emplace_back(batch);
    }
    return Iterator(std::move(at), std::move(pass), workers_);
  }
  std::default_sentinel_t end() const { return {}; }

  std::int64_t size() const { return numbers_.size(); }
  const Set& dataset() const { return *set_; }
  std::int64_t epoch() const { return numbers_.epoch(); }
  void set_epoch(std::int64_t epoch) { numbers_.set_epoch(epoch); }
  NamedTensors state_dict() const { return numbers_.state_dict(); }
  void load_state_dict(const NamedTensors& state) { numbers_.load_state_dict(state); }

 private:
  std::shared_ptr<const Set> set_;
  std::int64_t workers_;
  DataLoader numbers_;
};

}  // namespace xgrad::data
