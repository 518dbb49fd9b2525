#pragma once
// How often a classifier is right.

#include "../autograd/node.hpp"
#include "../data/loader.hpp"
#include "../nn/module.hpp"
#include "../nn/module_error.hpp"
#include "../ops/comparison.hpp"
#include "../ops/extrema.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"

namespace xgrad::train {

struct AccuracyOptions {
  std::int64_t batch_size = 1000;
};

/// The part of a data set's inputs for which the largest of the model's scores, of shape (N, C) with C > 1, is that of
/// the target class, of shape (N,) or (N, 1). The model works in evaluation mode; each module in it has its own mode
/// again afterwards, after an exception too. Nothing is recorded. NaN for an empty set. Throws Error for other shapes.
template <nn::Module M>
double accuracy(M& model, const data::Dataset& set, const AccuracyOptions& options = {}) {
  const nn::detail::EvaluationScope scope(model);
  const NoGrad no_grad;
  std::int64_t right = 0;
  for (const data::Batch& batch : data::DataLoader(set, {.batch_size = options.batch_size})) {
    const Tensor scores = nn::detail::located_in(model, [&] { return model(batch.x); });
    const Shape &predicted = scores.shape(), &given = batch.y.shape();
    check(predicted.size() == 2 && predicted[1] > 1, "accuracy: the model gives scores of shape ", predicted,
          "; (N, C) is needed, for more than one class");
    check((given.size() == 1 || (given.size() == 2 && given[1] == 1)) && given[0] == predicted[0],
          "accuracy: targets of shape ", given, " do not go along with scores of shape ", predicted,
          "; they are class numbers of shape (N,) or (N, 1)");
    right += sum(argmax(scores, 1) == reshape(batch.y, {-1})).template item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(set.size());
}

}  // namespace xgrad::train

namespace xgrad::nn {

using xgrad::train::accuracy;
using xgrad::train::AccuracyOptions;

}  // namespace xgrad::nn
