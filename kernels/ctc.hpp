#pragma once
// Connectionist temporal classification: sums over all alignments of labels to steps, in logarithms.

#include <cstdint>

namespace xgrad::detail {

struct CTCSize {
  std::int64_t steps, batch, classes;
  std::int64_t states;              // of the longest target: its labels with blanks between and around them
  const std::int64_t* labels;       // (batch, states), the blanks included
  const std::int64_t* used_states;  // (batch,): 2 labels + 1
  const std::int64_t* lengths;      // (batch,): how many steps each sequence has
};

/// losses (batch,) = minus the logarithm of the probability of the labels, from the logarithms of those of the classes
/// (steps, batch, classes). `alphas` (batch, steps, states) gets the sums over what leads to each state at each step.
template <class T>
void ctc(const CTCSize& size, const T* log_probs, T* alphas, T* losses);
/// log_probs_grad, zeros before, = the derivatives of the losses times `grad` (batch,).
template <class T>
void ctc_backward(const CTCSize& size, const T* log_probs, const T* alphas, const T* losses, const T* grad,
                  T* log_probs_grad);

}  // namespace xgrad::detail
