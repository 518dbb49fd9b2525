#pragma once
// CIFAR-10.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "dataset.hpp"

namespace xgrad::data {

struct CIFAR10Options {
  bool train = true;  // the 50,000 samples for training, or the 10,000 for testing
};

struct LabelledImages;

/// Small photographs: images as float32 (N, 3, 32, 32) in [0, 1], red, green, blue, labels 0 to 9 as int64 (N,).
class CIFAR10 final : public Dataset {
 public:
  /// Reads `data_batch_1.bin` to `data_batch_5.bin`, or `test_batch.bin`, of `directory`: the binary version's records
  /// of a label and 3,072 bytes. Throws Error for a file that is missing, a part of a record, and a label over 9.
  explicit CIFAR10(const std::string& directory, const CIFAR10Options& options = {});

  static constexpr std::array<std::string_view, 10> classes = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                               "dog",      "frog",       "horse", "ship", "truck"};

  std::int64_t size() const override;
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<CIFAR10>(*this); }

 private:
  std::shared_ptr<const LabelledImages> images_;
};

}  // namespace xgrad::data
