#pragma once
// MNIST.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "dataset.hpp"

namespace xgrad::data {

struct MNISTOptions {
  bool train = true;  // the 60,000 samples for training, or the 10,000 for testing
};

struct LabelledImages;

/// The handwritten digits, or another set in files of the same names: images as float32 (N, 1, 28, 28) in [0, 1],
/// labels 0 to 9 as int64 (N,).
class MNIST final : public Dataset {
 public:
  /// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or the two `t10k-...` files, with or without `.gz`,
  /// of `directory`. Throws Error for a file that is missing or damaged, numbers of images and labels that differ, and
  /// a label over 9.
  explicit MNIST(const std::string& directory, const MNISTOptions& options = {});

  static constexpr std::array<std::string_view, 10> classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

  std::int64_t size() const override;
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<MNIST>(*this); }

 private:
  std::shared_ptr<const LabelledImages> images_;
};

}  // namespace xgrad::data
