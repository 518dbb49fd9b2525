#include "cifar100.hpp"

#include "labelled_images.hpp"

namespace xgrad::data {

CIFAR100::CIFAR100(const std::string& directory, const CIFAR100Options& options)
    : images_(read_records("CIFAR100", {directory + (options.train ? "/train.bin" : "/test.bin")}, 2,
                           options.coarse ? 0 : 1, options.coarse ? 20 : 100, {3, 32, 32})) {}
std::int64_t CIFAR100::size() const { return images_->labels.shape[0]; }
Batch CIFAR100::batch(std::span<const std::int64_t> indices) const { return make_batch("CIFAR100", *images_, indices); }

}  // namespace xgrad::data
