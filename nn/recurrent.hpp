#pragma once
// Recurrent layers, with the names and first values of PyTorch's: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0,
// weight_hr_l0, weight_ih_l0_reverse, ..., uniform in [-1/sqrt(hidden_size), 1/sqrt(hidden_size)).

#include "../ops/recurrent.hpp"
#include "module.hpp"

namespace xgrad::nn {

struct RecurrentLayerOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  // sequences are (N, T, features), else (T, N, features); states are (layers, N, hidden)
  double dropout = 0;        // between the layers, in training
  bool bidirectional = false;
  std::int64_t proj_size = 0;  // of the states of an LSTM, which are projected to that size; 0 for none
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;  // of an RNN
  DType dtype = float32;
};

/// What RNN, LSTM and GRU share.
struct RecurrentLayer {
  auto fields() { return xgrad::fields("weights", parameter(weights), "training", training); }

  std::int64_t input_size, hidden_size;
  RecurrentLayerOptions options;
  NamedTensors weights;  // by layer and direction: weights["weight_ih_l0"]
  bool training = true;

 protected:
  RecurrentLayer(const char* op, std::int64_t input_size, std::int64_t hidden_size, std::int64_t gates,
                 const RecurrentLayerOptions& options);
  std::vector<Tensor> flat_weights() const;
  xgrad::RecurrentOptions call_options(const Tensor& lengths) const;
};

/// See rnn(). `lengths` (N,) says how many steps each sequence has; the states begin as 0 where undefined.
struct RNN : RecurrentLayer {
  /// Throws Error for sizes that are not positive, a dropout beyond [0, 1], an integer dtype, and a proj_size.
  RNN(std::int64_t input, std::int64_t hidden, const RecurrentLayerOptions& o = {})
      : RecurrentLayer("RNN", input, hidden, 1, o) {}
  RecurrentResult operator()(Operand input, const Tensor& h_0 = {}, const Tensor& lengths = {}) const;
};

/// See lstm(): `auto [output, state] = lstm(x)`.
struct LSTM : RecurrentLayer {
  /// Throws Error for sizes that are not positive, a dropout beyond [0, 1], an integer dtype, and a proj_size that is
  /// not less than the hidden size.
  LSTM(std::int64_t input, std::int64_t hidden, const RecurrentLayerOptions& o = {})
      : RecurrentLayer("LSTM", input, hidden, 4, o) {}
  LSTMResult operator()(Operand input, const LSTMState& state = {}, const Tensor& lengths = {}) const;
};

/// See gru().
struct GRU : RecurrentLayer {
  /// Throws Error for sizes that are not positive, a dropout beyond [0, 1], an integer dtype, and a proj_size.
  GRU(std::int64_t input, std::int64_t hidden, const RecurrentLayerOptions& o = {})
      : RecurrentLayer("GRU", input, hidden, 3, o) {}
  RecurrentResult operator()(Operand input, const Tensor& h_0 = {}, const Tensor& lengths = {}) const;
};

struct RecurrentCellOptions {
  bool bias = true;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;  // of an RNNCell
  DType dtype = float32;
};

/// What RNNCell, LSTMCell and GRUCell share.
struct RecurrentCell {
  auto fields() {
    return xgrad::fields("weight_ih", parameter(weight_ih), "weight_hh", parameter(weight_hh), "bias_ih",
                         parameter(bias_ih), "bias_hh", parameter(bias_hh));
  }

  Tensor weight_ih, weight_hh;  // (gates hidden, input), (gates hidden, hidden)
  Tensor bias_ih, bias_hh;      // undefined without bias
  RNNNonlinearity nonlinearity;

 protected:
  RecurrentCell(const char* op, std::int64_t input_size, std::int64_t hidden_size, std::int64_t gates,
                const RecurrentCellOptions& options);
};

/// See rnn_cell(). Throws Error for sizes that are not positive, and an integer dtype, as do the others.
struct RNNCell : RecurrentCell {
  RNNCell(std::int64_t input, std::int64_t hidden, const RecurrentCellOptions& o = {})
      : RecurrentCell("RNNCell", input, hidden, 1, o) {}
  Tensor operator()(Operand x, const Tensor& h = {}) const;
};
/// See lstm_cell().
struct LSTMCell : RecurrentCell {
  LSTMCell(std::int64_t input, std::int64_t hidden, const RecurrentCellOptions& o = {})
      : RecurrentCell("LSTMCell", input, hidden, 4, o) {}
  LSTMState operator()(Operand x, const LSTMState& state = {}) const;
};
/// See gru_cell().
struct GRUCell : RecurrentCell {
  GRUCell(std::int64_t input, std::int64_t hidden, const RecurrentCellOptions& o = {})
      : RecurrentCell("GRUCell", input, hidden, 3, o) {}
  Tensor operator()(Operand x, const Tensor& h = {}) const;
};

}  // namespace xgrad::nn
