#pragma once
// One recurrent layer in one direction over all steps of a sequence.
//
// What the inputs give to the gates of all steps is one product, what the state before gives is one a step, and the
// gradients of the weights are one product over all steps.

#include <cstdint>

namespace xgrad::detail {

enum class Cell { tanh, relu, lstm, gru };

struct RecurrentSize {
  Cell cell;
  std::int64_t steps, batch, inputs, hidden,
      outputs;  // outputs: the size of the state h, less than hidden if projected
  bool projected;
  bool reverse;                 // from the last step to the first
  bool rounds;                  // factors of products to BFloat16; of float, where has_tile_gemm<BFloat16>()
  const std::int64_t* lengths;  // how many steps each sequence of the batch has; null where all have all

  bool gated() const { return cell == Cell::lstm || cell == Cell::gru; }
  /// Blocks of `hidden` rows in the weights, and in what is kept of a step: of a GRU also the state's part of its last.
  std::int64_t blocks() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
  std::int64_t width() const { return (gated() ? 4 : 1) * hidden; }
};

/// Matrices as in PyTorch: input (blocks hidden, inputs), state (blocks hidden, outputs), biases (blocks hidden) and
/// projection (outputs, hidden); biases may be null, and the projection is where there is none.
template <class T>
struct RecurrentWeights {
  T *input, *state, *input_bias, *state_bias, *projection;
};

/// What a run keeps, each (steps, batch, ...): the gates (width), the cells of an LSTM (hidden) and what is projected
/// (hidden), null where there is none, and the states (outputs). A sequence that has ended, or in reverse has not
/// begun, keeps its state.
template <class T>
struct RecurrentRun {
  T *gates, *cells, *unprojected, *states;
};

/// x (steps, batch, inputs); the first states h0 (batch, outputs) and, of an LSTM, c0 (batch, hidden).
template <class T>
void recurrent(const RecurrentSize& size, const RecurrentWeights<const T>& weights, const T* x, const T* h0,
               const T* c0, const RecurrentRun<T>& run);

/// Of the gradients, those that are null are not wanted. `last_cell_grad` (batch, hidden) is that of the cell after the
/// last step and becomes that of c0; h0_grad (batch, outputs) is always given.
template <class T>
void recurrent_backward(const RecurrentSize& size, const RecurrentWeights<const T>& weights, const T* x, const T* h0,
                        const T* c0, const RecurrentRun<const T>& run, const T* states_grad, T* last_cell_grad,
                        const RecurrentWeights<T>& weight_grads, T* x_grad, T* h0_grad);

}  // namespace xgrad::detail
