#include "cifar10.hpp"

#include "labelled_images.hpp"

namespace xgrad::data {

namespace {

std::vector<std::string> files(const std::string& directory, bool train) {
  if (!train) return {directory + "/test_batch.bin"};
  std::vector<std::string> all;
  for (const char* number : {"1", "2", "3", "4", "5"}) all.push_back(directory + "/data_batch_" + number + ".bin");
  return all;
}

}  // namespace

CIFAR10::CIFAR10(const std::string& directory, const CIFAR10Options& options)
    : images_(read_records("CIFAR10", files(directory, options.train), 1, 0, 10, {3, 32, 32})) {}
std::int64_t CIFAR10::size() const { return images_->labels.shape[0]; }
Batch CIFAR10::batch(std::span<const std::int64_t> indices) const { return make_batch("CIFAR10", *images_, indices); }

}  // namespace xgrad::data
