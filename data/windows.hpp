#pragma once
// A long row of tokens as samples: windows, and what comes after each token of one.

#include "dataset.hpp"

namespace xgrad::data {

struct WindowsOptions {
  std::int64_t stride = 0;  // from the begin of one window to that of the next; 0: the length, so that none overlap
};

/// Consecutive windows of a row of tokens: of a sample, x (L,) are the tokens from i * stride on and y (L,) those one
/// further on, int64 both. A batch is x and y of (N, L). What is left at the end is in no window.
class Windows final : public Dataset {
 public:
  /// `tokens` are integers of shape (n,), which are shared, not copied. Throws Error for other dtypes and shapes, for a
  /// length below 1, and for a negative stride.
  Windows(const Tensor& tokens, std::int64_t length, const WindowsOptions& options = {});

  std::int64_t size() const override;
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<Windows>(*this); }

 private:
  Tensor tokens_;
  std::int64_t length_, stride_;
};

struct RandomWindowsOptions {
  std::int64_t count = 1000;  // samples in an epoch
};

/// Windows that begin anywhere, all places equally likely: where depends on the seed and number of the epoch and the
/// number of the sample alone. Else as Windows.
class RandomWindows final : public Dataset {
 public:
  /// Throws Error as Windows, where the tokens are no more than the length, and for a negative count.
  RandomWindows(const Tensor& tokens, std::int64_t length, const RandomWindowsOptions& options = {});

  std::int64_t size() const override { return count_; }
  /// As in epoch 0 of seed 0.
  Batch batch(std::span<const std::int64_t> indices) const override { return batch_of({}, indices); }
  Batch batch_of(const Epoch& epoch, std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<RandomWindows>(*this); }

 private:
  Tensor tokens_;
  std::int64_t length_, count_;
};

}  // namespace xgrad::data
