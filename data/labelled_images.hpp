#pragma once
// Images and labels in files of MNIST's format.

#include <memory>
#include <span>
#include <string>

#include "dataset.hpp"
#include "idx.hpp"

namespace xgrad::data {

struct LabelledImages {
  IdxArray images, labels;  // (N, H, W), (N,)
};

/// See MNIST for the names of the files; errors are in the name of `op`.
std::shared_ptr<const LabelledImages> read_images(const char* op, const std::string& directory, bool train);
/// Images as float32 (n, 1, H, W) in [0, 1], labels as int64 (n,). Throws Error for an index out of range.
Batch make_batch(const char* op, const LabelledImages& set, std::span<const std::int64_t> indices);

}  // namespace xgrad::data
