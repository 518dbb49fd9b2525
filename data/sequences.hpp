#pragma once
// Samples of unequal length: padding, and batches of those that are about as long.

#include <vector>

#include "dataset.hpp"

namespace xgrad::data {

struct PadSequenceOptions {
  double padding_value = 0;
  std::int64_t length = -1;  // that all are brought to; -1: that of the longest
};

/// Tensors (L_i, ...) as one (N, L, ...), with the padding value behind what they have, as PyTorch's pad_sequence with
/// batch_first. Outside the graph. Throws Error for no tensors, for those that differ in dtype or in other axes, and
/// for one longer than the length.
Tensor pad_sequence(const std::vector<Tensor>& sequences, const PadSequenceOptions& options = {});

struct SequencesOptions {
  double padding_value = 0;            // of x
  double target_padding_value = -100;  // of y: what cross_entropy ignores
};

/// Samples x_i (L_i, ...) and y_i in memory; a batch is padded to its longest one. Targets that all have one shape are
/// stacked, others padded as well.
class Sequences final : public Dataset {
 public:
  /// Throws Error for different numbers of x and y, and for samples that pad_sequence() could not join.
  Sequences(std::vector<Tensor> x, std::vector<Tensor> y, const SequencesOptions& options = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(samples_->x.size()); }
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<Sequences>(*this); }

  /// Of x.
  std::vector<std::int64_t> lengths() const;

 private:
  struct Samples {
    std::vector<Tensor> x, y;
    bool equal_targets;
  };
  std::shared_ptr<const Samples> samples_;
  SequencesOptions options_;
};

struct BucketsOptions {
  std::int64_t batch_size = 32;  // samples in a batch
  std::int64_t pool = 100;       // batches that are sorted by length at once; 1: none is, all: the least padding
};

/// Batches of samples that are about as long: each sample of this data set is a batch of another. In every epoch its
/// samples are shuffled, some pools of batches are sorted by length, and cut into batches.
///
///     data::Buckets buckets(sequences, sequences.lengths(), {.batch_size = 32});
///     for (const auto& [x, y] : data::DataLoader(buckets, {.shuffle = true, .seed = 0})) ...  // x (32, L, ...)
class Buckets final : public Dataset {
 public:
  /// Throws Error unless there are as many lengths as samples, and for a batch size or pool below 1.
  Buckets(DatasetHandle set, std::vector<std::int64_t> lengths, const BucketsOptions& options = {});

  /// Number of batches.
  std::int64_t size() const override;
  /// The batches of these numbers, as one. In a pass as in that epoch, else as in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<Buckets>(*this); }

 private:
  std::vector<std::int64_t> order_of(const Epoch& epoch) const;

  struct Order;
  DatasetHandle set_;
  std::shared_ptr<const std::vector<std::int64_t>> lengths_;
  BucketsOptions options_;
  std::shared_ptr<Order> last_;  // of the epoch that was asked for last
};

}  // namespace xgrad::data
