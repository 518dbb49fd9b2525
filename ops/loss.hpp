#pragma once
// Loss functions.

#include "../autograd/operand.hpp"

namespace xgrad {

/// What becomes of the losses of the single rows or elements.
enum class Reduction {
  mean,  // their mean, one number
  sum,   // their sum, one number
  none   // all of them
};

struct NLLLossOptions {
  Tensor weight = {};                // of each class, (C,); 1 where undefined
  std::int64_t ignore_index = -100;  // a target that counts for nothing
  Reduction reduction = Reduction::mean;
};

struct CrossEntropyOptions {
  Tensor weight = {};                // of each class, (C,); 1 where undefined
  std::int64_t ignore_index = -100;  // a target that counts for nothing
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // the part of each target that is spread evenly over all classes, in [0, 1]
};

/// -sum over classes of target * log softmax(logits), for each row. As torch.nn.functional.cross_entropy.
/// logits: (C,), (N, C) or (N, C, d...), floating. target: class indices, int64, of shape (), (N,) or (N, d...); or
/// probabilities of the logits' shape and dtype. Reduction::none gives the shape that indices have; the mean is
/// weighted by the targets' class weights for indices, and over rows for probabilities; NaN where every target is
/// ignored. Needs row-major memory, and copies logits that lie otherwise. Throws Error for an index outside [0, C)
/// other than ignore_index, naming both, and for shapes that do not fit.
Tensor cross_entropy(Operand logits, const Tensor& target, const CrossEntropyOptions& options = {});

/// -weight[target] * log_probabilities[target] for each row: cross_entropy of what log_softmax gives. Shapes and errors
/// are those of cross_entropy with class indices, and so is the copy.
Tensor nll_loss(Operand log_probabilities, const Tensor& target, const NLLLossOptions& options = {});

/// (input - target)^2. Throws Error for shapes that are not equal: broadcasting (N, 1) with (N,) would compare each
/// with all.
Tensor mse_loss(Operand input, const Tensor& target, Reduction reduction = Reduction::mean);

/// |input - target|, of equal shapes. Gradient 0 where they are equal.
Tensor l1_loss(Operand input, const Tensor& target, Reduction reduction = Reduction::mean);

struct BCEWithLogitsOptions {
  Tensor weight = {};      // of each element, broadcast to the input
  Tensor pos_weight = {};  // of the positive part, broadcast to the input: over 1 favours recall
  Reduction reduction = Reduction::mean;
};

/// -(pos_weight * target * log sigmoid(logits) + (1 - target) * log(1 - sigmoid(logits))) for each element, without
/// overflow for logits of any size and without loss of precision where it is small: e^x for target 0 and x far below 0.
/// target: of the logits' shape, in [0, 1].
Tensor binary_cross_entropy_with_logits(Operand logits, const Tensor& target, const BCEWithLogitsOptions& options = {});

}  // namespace xgrad
