#pragma once

#include "loss.hpp"

namespace xgrad {

struct CTCLossOptions {
  std::int64_t blank = 0;  // the class that stands for no label
  // The mean is that of the losses, each divided by the length of its target (by 1 for an empty one).
  Reduction reduction = Reduction::mean;
  bool zero_infinity = false;  // whether a loss that is infinite, of a target too long for its input, counts as 0
};

/// Connectionist temporal classification loss: minus the logarithm of the sum, over all ways to stretch the labels of a
/// target, with blanks between, to the steps of the input, of the products of their probabilities.
/// log_probs (T, N, C), what log_softmax gives, or (T, C). targets (N, S), or all labels one after the other; integers
/// other than blank. input_lengths and target_lengths (N,), or one number without N. The gradient is that by log_probs
/// as they stand (PyTorch's is that by what log_softmax was taken of); an infinite loss has none that is finite.
Tensor ctc_loss(Operand log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                const CTCLossOptions& options = {});

}  // namespace xgrad
