#pragma once
// Samples that are mixtures of two, with the same mixture of their labels.

#include "dataset.hpp"

namespace xgrad::data {

struct MixOptions {
  std::int64_t num_classes = 0;  // of a data set whose targets are numbers of classes
  double alpha = 1;              // shares are drawn from the distribution Beta(alpha, alpha)
  double p = 1;                  // probability that a sample is mixed
};

/// Made by mixup() and cutmix().
class Mixed final : public Dataset {
 public:
  enum class Kind { blend, cut };
  Mixed(const char* name, Kind kind, DatasetHandle set, const MixOptions& options);

  std::int64_t size() const override { return set_->size(); }
  /// As in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<Mixed>(*this); }

 private:
  Tensor targets(const Tensor& y) const;

  const char* name_;
  Kind kind_;
  DatasetHandle set_;
  MixOptions options_;
};

/// A data set whose samples are share * x + (1 - share) * other, where `other` is another sample, and whose targets are
/// mixed alike (Zhang et al., arXiv 1710.09412). Targets become float32 (N, num_classes), as cross_entropy takes them;
/// those that are floating already stay as many as they are. Partner and share depend on the seed and the number of the
/// epoch and on the number of the sample alone. x has a floating dtype.
/// Throws Error for options out of range; batch() for x that is not floating, and for targets of other classes.
///
///     data::DataLoader loader(data::mixup(train, {.num_classes = 10, .alpha = 0.2}), {.batch_size = 128, ...});
Mixed mixup(DatasetHandle set, const MixOptions& options);

/// The same, where a rectangle of images (C, H, W), of a share of the area, comes from the other one (Yun et al., arXiv
/// 1905.04899). Its centre is anywhere in the image; what lies outside is cut off, and the share is what is left.
Mixed cutmix(DatasetHandle set, const MixOptions& options);

}  // namespace xgrad::data
