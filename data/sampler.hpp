#pragma once
// Samplers: which samples an epoch goes through, and in which order.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "dataset.hpp"
#include "samples.hpp"

namespace xgrad::data {

/// The numbers of the samples of each epoch. They depend on the seed and the number of the epoch alone, so that batches
/// are the same for any number of workers and after a resumption. One of your own is a size and a function.
///
///     data::DataLoader loader(data::sampled(set, data::stratified_sampler(labels)), {.batch_size = 64, .seed = 0});
struct Sampler {
  std::int64_t size;  // of an epoch
  std::function<std::vector<std::int64_t>(const Epoch& epoch)> order;
};

struct WeightedSamplerOptions {
  bool replacement = true;
};
/// `size` samples an epoch, each with a chance that is proportional to its weight. Throws Error for weights that are
/// negative or not finite, no positive one, and without replacement for less than `size` positive ones.
Sampler weighted_sampler(std::vector<double> weights, std::int64_t size, const WeightedSamplerOptions& options = {});

/// All samples at random, the classes mixed evenly: any stretch of an epoch, so any batch, has of each class the same
/// part as the whole set, up to one or two samples. `labels`: whole numbers (N,).
Sampler stratified_sampler(const Tensor& labels);

/// All samples at random, those of a batch of about the same length, so that little is padded: samples are sorted
/// within random chunks of 64 batches, whose batches then come in random order. Throws Error for a batch size below 1.
Sampler length_sampler(std::vector<std::int64_t> lengths, std::int64_t batch_size);

struct DistributedSamplerOptions {
  std::int64_t replicas = 1;
  std::int64_t rank = 0;
  bool shuffle = true;
  bool drop_last = false;  // leave out samples so that all get equally many; else some are repeated
};
/// The share of one of several processes: every replicas-th sample, from rank on, of an order that is the same in all
/// where the seed is, as in PyTorch's DistributedSampler. Throws Error unless 0 <= rank < replicas.
Sampler distributed_sampler(std::int64_t samples, const DistributedSamplerOptions& options);

namespace internal {

/// The order of the epoch that was asked for last; for several threads.
class EpochOrder {
 public:
  /// Throws Error for a negative size.
  explicit EpochOrder(Sampler sampler);
  std::int64_t size() const;
  /// Throws Error where the sampler gives another number of them, or numbers out of range.
  std::shared_ptr<const std::vector<std::int64_t>> of(const Epoch& epoch, std::int64_t samples) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace internal

/// Made by sampled().
class SampledDataset final : public Dataset {
 public:
  SampledDataset(DatasetHandle set, Sampler sampler) : set_(std::move(set)), order_(std::move(sampler)) {}
  std::int64_t size() const override { return order_.size(); }
  /// As in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<SampledDataset>(*this); }

 private:
  DatasetHandle set_;
  internal::EpochOrder order_;
};

/// The samples of a set as a sampler gives them, for a loader that does not shuffle.
inline SampledDataset sampled(DatasetHandle set, Sampler sampler) { return {std::move(set), std::move(sampler)}; }

/// The same of a set of structs.
template <SampleSet Set>
class SampledSamples {
 public:
  SampledSamples(Set set, Sampler sampler) : set_(std::move(set)), order_(std::move(sampler)) {}
  std::int64_t size() const { return order_.size(); }
  SampleOf<Set> at(const Epoch& epoch, std::int64_t i) const {
    return sample_at(set_, epoch, (*order_.of(epoch, size_of(set_)))[static_cast<std::size_t>(i)]);
  }

 private:
  Set set_;
  internal::EpochOrder order_;
};
template <SampleSet Set>
SampledSamples<Set> sampled(Set set, Sampler sampler) {
  return {std::move(set), std::move(sampler)};
}

}  // namespace xgrad::data
