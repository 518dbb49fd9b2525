#pragma once
// Images and labels in memory, as bytes: what MNIST, CIFAR-10 and their like have in common.

#include <memory>
#include <span>
#include <string>

#include "dataset.hpp"
#include "idx.hpp"

namespace xgrad::data {

struct LabelledImages {
  IdxArray images, labels;  // (N, H, W) or (N, C, H, W); (N,)
};

/// See MNIST for the names of the files; errors are in the name of `op`.
std::shared_ptr<const LabelledImages> read_images(const char* op, const std::string& directory, bool train);
/// See CIFAR10: records of `labels` bytes, of which number `label` is below `classes`, and an image of shape `image`.
std::shared_ptr<const LabelledImages> read_records(const char* op, const std::vector<std::string>& files,
                                                   std::size_t labels, std::size_t label, int classes,
                                                   const Shape& image);
/// Images as float32 (n, C, H, W) in [0, 1], labels as int64 (n,). Throws Error for an index out of range.
Batch make_batch(const char* op, const LabelledImages& set, std::span<const std::int64_t> indices);

}  // namespace xgrad::data
