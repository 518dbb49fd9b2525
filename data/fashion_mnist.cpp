#include "fashion_mnist.hpp"

#include <filesystem>

#include "labelled_images.hpp"

namespace xgrad::data {

FashionMNIST::FashionMNIST(const std::string& directory, const MNISTOptions& options)
    : images_(read_images("FashionMNIST", directory, options.train)) {}
std::int64_t FashionMNIST::size() const { return images_->labels.shape[0]; }
Batch FashionMNIST::batch(std::span<const std::int64_t> indices) const {
  return make_batch("FashionMNIST", *images_, indices);
}

std::string fashion_mnist_directory() {
  constexpr const char* debian_directory = "/usr/share/datasets/fashion-mnist";
  check(std::filesystem::exists(debian_directory), "fashion_mnist_directory: there is no ", debian_directory,
        "; install the package dataset-fashion-mnist, or name a directory with the four IDX files");
  return debian_directory;
}

}  // namespace xgrad::data
