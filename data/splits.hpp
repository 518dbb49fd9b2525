#pragma once
// Which samples are trained on and which are held out.

#include <cstdint>
#include <optional>
#include <vector>

#include "../autograd/tensor.hpp"

namespace xgrad::data {

// Samples are given as their numbers, for Subset, Table::rows() or what one likes:
//
//     for (const data::Fold& fold : data::stratified_k_fold(labels, 5))
//       train(data::Subset(set, fold.train), data::Subset(set, fold.validation));

struct Fold {
  std::vector<std::int64_t> train, validation;  // ascending
};

struct FoldOptions {
  bool shuffle = false;                    // samples go to folds at random, not in their order
  std::optional<std::uint64_t> seed = {};  // without one, default_generator() decides
};

/// Each sample is in the validation part of one of the folds, and in the training part of the others; sizes differ by
/// at most 1. Without shuffling these are the folds of scikit-learn's KFold. Throws Error unless there are 2 to
/// `samples` folds.
std::vector<Fold> k_fold(std::int64_t samples, std::int64_t folds, const FoldOptions& options = {});

/// The same, with about as many samples of each class in each fold. `labels`: whole numbers (N,). Without shuffling
/// these are the folds of scikit-learn's StratifiedKFold. Throws Error for more folds than the most frequent class has
/// samples.
std::vector<Fold> stratified_k_fold(const Tensor& labels, std::int64_t folds, const FoldOptions& options = {});

struct StratifiedSplitOptions {
  std::optional<std::uint64_t> seed = {};  // without one, default_generator() decides
};

/// Deals the samples of each class at random into parts of these fractions of it, up to one sample. The numbers of each
/// part ascend. Throws Error unless the fractions sum to 1.
///
///     const auto parts = data::stratified_split(labels, {0.7, 0.15, 0.15}, {.seed = 0});
std::vector<std::vector<std::int64_t>> stratified_split(const Tensor& labels, const std::vector<double>& fractions,
                                                        const StratifiedSplitOptions& options = {});

}  // namespace xgrad::data
