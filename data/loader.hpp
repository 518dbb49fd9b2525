#pragma once
// DataLoader: a data set, batch by batch.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/named_tensors.hpp"
#include "../core/count.hpp"
#include "dataset.hpp"

namespace xgrad::data {

struct DataLoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;                    // in a new order every epoch
  bool drop_last = false;                  // leave out a last batch that is smaller than the others
  std::optional<std::uint64_t> seed = {};  // of the shuffling, for which default_generator() is drawn from without one,
                                           // and of what is random in samples: without one, that of default_generator()
  std::int64_t workers = 0;                // threads that read batches ahead; 0: each is read when it is wanted
};

class Prefetcher;

/// Goes through a data set in batches, once for every `for` loop over it: an epoch.
///
///     for (const auto& [x, y] : data::DataLoader(train, {.batch_size = 128, .shuffle = true})) ...
///
/// Workers read the same batches in the same order, whatever their number; what one throws is thrown where its batch
/// would have come. They end with the iterator. With a seed the order of an epoch depends on the seed and the number of
/// the epoch only. Without one, begin() draws it from the default_generator() of the calling thread. The data set is
/// kept alive (see Dataset::share()).
class DataLoader {
 public:
  /// Throws Error for a batch size below 1, and for less than 0 or over 1024 workers.
  DataLoader(DatasetHandle set, const DataLoaderOptions& options = {});
  /// `DataLoader(set, 128)`: batches of this size, in order.
  template <detail::Count N>
  DataLoader(DatasetHandle set, N batch_size)
      : DataLoader(std::move(set),
                   DataLoaderOptions{.batch_size = detail::count("DataLoader: batch_size", batch_size)}) {}

  /// Reads each batch when it gets there; keeps what it needs of the loader alive.
  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return iterator.left_ == 0; }

   private:
    friend class DataLoader;
    struct Pass;
    Iterator(std::shared_ptr<Pass> pass, std::int64_t workers);
    void read();

    std::shared_ptr<Pass> pass_;
    std::shared_ptr<Prefetcher> ahead_;  // null without workers
    std::int64_t left_;                  // batches from the current one on
    Batch batch_;
  };

  /// Starts the next epoch, or what is left of the one that load_state_dict() found begun. Throws Error for a data set
  /// of a negative size, and where the order does not fit into memory.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  /// Number of batches in an epoch.
  std::int64_t size() const;
  const Dataset& dataset() const { return *set_; }

  /// Number of the epoch that the next begin() starts, from 0. Set it to go on where another run stopped.
  std::int64_t epoch() const { return epoch_; }
  /// Throws Error for a negative one.
  void set_epoch(std::int64_t epoch);

  /// Where the loader is: `epoch`, and how many `batches` of it were given out, the current one included, while the
  /// iterator of the last begin() lives and has not reached the end; else the epoch to come, and 0. Where an order is
  /// drawn from default_generator(), `generator` says from where on.
  NamedTensors state_dict() const;
  /// Goes on from a state_dict(): epoch() is the epoch that was begun, and the next begin() gives the batches of it
  /// that are left. Throws Error, with nothing changed, for other entries, negative numbers, and more batches than
  /// there are.
  void load_state_dict(const NamedTensors& state);

 private:
  DatasetHandle set_;
  DataLoaderOptions options_;
  std::int64_t epoch_ = 0, given_ = 0;           // batches that the next epoch has given out before
  std::optional<GeneratorState> drawn_from_;     // for the order of that epoch
  std::weak_ptr<const Iterator::Pass> running_;  // of the last begin()
};

}  // namespace xgrad::data
