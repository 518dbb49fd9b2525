#pragma once
// CIFAR-100.

#include <memory>
#include <string>

#include "dataset.hpp"

namespace xgrad::data {

struct CIFAR100Options {
  bool train = true;    // the 50,000 samples for training, or the 10,000 for testing
  bool coarse = false;  // the 20 superclasses as labels, not the 100 classes
};

struct LabelledImages;

/// As CIFAR10, with 100 classes in 20 superclasses.
class CIFAR100 final : public Dataset {
 public:
  /// Reads `train.bin` or `test.bin` of `directory`: the binary version's records of two labels, superclass and class,
  /// and 3,072 bytes. Throws Error as CIFAR10.
  explicit CIFAR100(const std::string& directory, const CIFAR100Options& options = {});

  std::int64_t size() const override;
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<CIFAR100>(*this); }

 private:
  std::shared_ptr<const LabelledImages> images_;
};

}  // namespace xgrad::data
