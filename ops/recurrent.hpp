#pragma once
// Recurrent networks over sequences, and their cells.
//
// Each layer and direction is one operation over all steps: the products with the inputs of all steps are one, and so
// are the gradients of the weights. Weights are PyTorch's, in its order: for each layer, and each of its directions,
// w_ih (gates H, inputs), w_hh (gates H, P), with bias b_ih and b_hh (gates H,), and with projections w_hr (P, H).
// There are 4 gates in an LSTM (input, forget, cell, output), 3 in a GRU (reset, update, new) and 1 else; P, the size
// of the state, is H without projections. Throws Error for shapes that do not fit, and for dtypes that are not one
// floating dtype.

#include <vector>

#include "../autograd/operand.hpp"

namespace xgrad {

struct RecurrentOptions {
  std::int64_t num_layers = 1;  // each takes the states of the one before as inputs
  bool bidirectional = false;   // a second direction, from the last step to the first; the states stand side by side
  bool batch_first = false;     // sequences are (N, T, features), else (T, N, features)
  double dropout = 0;           // of what a layer gives to the next one,
  bool training = true;         // in training only
  // How many steps each sequence has, (N,) integers: what comes after has no part in it and gives 0. The last states
  // are those at the end of each, and a second direction begins there. All have all steps where undefined.
  Tensor lengths = {};
};

/// The states of the last layer (T, N, directions P), and the last state of each layer and direction (layers
/// directions, N, P).
struct RecurrentResult {
  Tensor output, h_n;
};
/// The state of an LSTM: h (layers directions, N, P) and the cells c (layers directions, N, H).
struct LSTMState {
  Tensor h, c;
};
struct LSTMResult {
  Tensor output;
  LSTMState state;
};

enum class RNNNonlinearity { tanh, relu };

/// h' = tanh(w_ih x + b_ih + w_hh h + b_hh), or with relu. The input is (T, N, features), or (T, features) for a single
/// sequence, whose states have no axis N. h_0 is 0 where undefined.
RecurrentResult rnn(const Tensor& input, const Tensor& h_0, const std::vector<Tensor>& weights,
                    const RecurrentOptions& options = {}, RNNNonlinearity nonlinearity = RNNNonlinearity::tanh);
/// Gates i, f, o = sigmoid(w_ih x + b_ih + w_hh h + b_hh), g = tanh of the same; c' = f c + i g, h' = o tanh(c'), or
/// w_hr times that.
LSTMResult lstm(const Tensor& input, const LSTMState& state, const std::vector<Tensor>& weights,
                const RecurrentOptions& options = {});
/// Gates r, z = sigmoid(w_ih x + b_ih + w_hh h + b_hh), n = tanh(w_ih x + b_ih + r (w_hh h + b_hh)); h' = (1 - z) n + z
/// h.
RecurrentResult gru(const Tensor& input, const Tensor& h_0, const std::vector<Tensor>& weights,
                    const RecurrentOptions& options = {});

/// One step: x (N, features) or (features,), h (N, H) or (H,); biases may be undefined. The result is h'.
Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih = {},
                const Tensor& b_hh = {}, RNNNonlinearity nonlinearity = RNNNonlinearity::tanh);
LSTMState lstm_cell(const Tensor& x, const LSTMState& state, const Tensor& w_ih, const Tensor& w_hh,
                    const Tensor& b_ih = {}, const Tensor& b_hh = {});
Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih = {},
                const Tensor& b_hh = {});

}  // namespace xgrad
