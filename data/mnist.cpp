#include "mnist.hpp"

#include "labelled_images.hpp"

namespace xgrad::data {

MNIST::MNIST(const std::string& directory, const MNISTOptions& options)
    : images_(read_images("MNIST", directory, options.train)) {}
std::int64_t MNIST::size() const { return images_->labels.shape[0]; }
Batch MNIST::batch(std::span<const std::int64_t> indices) const { return make_batch("MNIST", *images_, indices); }

}  // namespace xgrad::data
