#pragma once
// Fashion-MNIST.

#include "mnist.hpp"

namespace xgrad::data {

/// Articles of clothing, in the format and the numbers of MNIST.
class FashionMNIST final : public Dataset {
 public:
  /// As MNIST.
  explicit FashionMNIST(const std::string& directory, const MNISTOptions& options = {});

  static constexpr std::array<std::string_view, 10> classes = {
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};

  std::int64_t size() const override;
  Batch batch(std::span<const std::int64_t> indices) const override;
  std::shared_ptr<const Dataset> share() const override { return std::make_shared<FashionMNIST>(*this); }

 private:
  std::shared_ptr<const LabelledImages> images_;
};

/// Where Debian's package dataset-fashion-mnist puts its files. Throws Error, naming the package, when they are not
/// there.
std::string fashion_mnist_directory();

}  // namespace xgrad::data
