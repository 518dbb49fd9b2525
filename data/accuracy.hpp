#pragma once
// How often a classifier is right.

#include "../autograd/node.hpp"
#include "../nn/module.hpp"
#include "../ops/comparison.hpp"
#include "../ops/extrema.hpp"
#include "../ops/reduce.hpp"
#include "loader.hpp"

namespace xgrad::nn {

struct AccuracyOptions {
  std::int64_t batch_size = 1000;
};

/// The part of a data set's inputs for which the largest of the model's scores, of shape (N, C), is that of the target class.
/// The model is put into evaluation mode and stays in it; nothing is recorded. NaN for an empty set.
template <Module M>
double accuracy(M& model, const data::Dataset& set, const AccuracyOptions& options = {}) {
  eval(model);
  const NoGrad no_grad;
  std::int64_t right = 0;
  for (const auto& [x, y] : data::DataLoader(set, {.batch_size = options.batch_size}))
    right += sum(argmax(model(x), 1) == y).template item<std::int64_t>();
  return static_cast<double>(right) / static_cast<double>(set.size());
}

}  // namespace xgrad::nn
