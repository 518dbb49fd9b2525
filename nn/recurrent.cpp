#include "recurrent.hpp"

#include <cmath>

#include "../autograd/create.hpp"
#include "init.hpp"
#include "module_error.hpp"

namespace xgrad::nn {

namespace {

Tensor new_weight(const Shape& shape, std::int64_t hidden, DType dtype) {
  Tensor made = empty(shape, {.dtype = dtype, .requires_grad = true});
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  return init::uniform_(made, -bound, bound);
}

void check_sizes(const char* op, std::int64_t input, std::int64_t hidden) {
  check(input > 0 && hidden > 0 && hidden <= INT64_MAX / 4, op, ": input_size is ", input, " and hidden_size ", hidden,
        "; both must be positive");
}

}  // namespace

RecurrentLayer::RecurrentLayer(const char* op, std::int64_t inputs, std::int64_t hidden, std::int64_t gates,
                               const RecurrentLayerOptions& o)
    : input_size(inputs), hidden_size(hidden), options(o) {
  check_sizes(op, inputs, hidden);
  check(o.num_layers > 0, op, ": num_layers is ", o.num_layers, "; it must be positive");
  check(o.dropout >= 0 && o.dropout <= 1, op, ": dropout is ", o.dropout, "; it must lie between 0 and 1");
  check(o.proj_size == 0 || gates == 4, op, ": only an LSTM has a proj_size");
  check(o.proj_size >= 0 && o.proj_size < hidden, op, ": proj_size is ", o.proj_size,
        "; it must be less than hidden_size, ", hidden);
  const std::int64_t outputs = o.proj_size > 0 ? o.proj_size : hidden, directions = o.bidirectional ? 2 : 1;
  for (std::int64_t layer = 0; layer < o.num_layers; ++layer)
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::string suffix = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      const auto add = [&](const char* name, const Shape& shape) {
        weights.emplace_back(name + suffix, new_weight(shape, hidden, o.dtype));
      };
      add("weight_ih", {gates * hidden, layer == 0 ? inputs : directions * outputs});
      add("weight_hh", {gates * hidden, outputs});
      if (o.bias) add("bias_ih", {gates * hidden}), add("bias_hh", {gates * hidden});
      if (o.proj_size > 0) add("weight_hr", {o.proj_size, hidden});
    }
}

std::vector<Tensor> RecurrentLayer::flat_weights() const {
  std::vector<Tensor> all;
  for (const auto& [name, tensor] : weights) all.push_back(tensor);
  return all;
}

xgrad::RecurrentOptions RecurrentLayer::call_options(const Tensor& lengths) const {
  return {.num_layers = options.num_layers,
          .bidirectional = options.bidirectional,
          .batch_first = options.batch_first,
          .dropout = options.dropout,
          .training = training,
          .lengths = lengths};
}

RecurrentResult RNN::operator()(Operand input, const Tensor& h_0, const Tensor& lengths) const {
  return detail::locate(weights[0].second,
                        [&] { return rnn(*input, h_0, flat_weights(), call_options(lengths), options.nonlinearity); });
}

LSTMResult LSTM::operator()(Operand input, const LSTMState& state, const Tensor& lengths) const {
  return detail::locate(weights[0].second, [&] { return lstm(*input, state, flat_weights(), call_options(lengths)); });
}

RecurrentResult GRU::operator()(Operand input, const Tensor& h_0, const Tensor& lengths) const {
  return detail::locate(weights[0].second, [&] { return gru(*input, h_0, flat_weights(), call_options(lengths)); });
}

RecurrentCell::RecurrentCell(const char* op, std::int64_t inputs, std::int64_t hidden, std::int64_t gates,
                             const RecurrentCellOptions& o)
    : nonlinearity(o.nonlinearity) {
  check_sizes(op, inputs, hidden);
  weight_ih = new_weight({gates * hidden, inputs}, hidden, o.dtype);
  weight_hh = new_weight({gates * hidden, hidden}, hidden, o.dtype);
  if (!o.bias) return;
  bias_ih = new_weight({gates * hidden}, hidden, o.dtype);
  bias_hh = new_weight({gates * hidden}, hidden, o.dtype);
}

Tensor RNNCell::operator()(Operand x, const Tensor& h) const {
  return detail::locate(weight_ih,
                        [&] { return rnn_cell(*x, h, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity); });
}
LSTMState LSTMCell::operator()(Operand x, const LSTMState& state) const {
  return detail::locate(weight_ih, [&] { return lstm_cell(*x, state, weight_ih, weight_hh, bias_ih, bias_hh); });
}
Tensor GRUCell::operator()(Operand x, const Tensor& h) const {
  return detail::locate(weight_ih, [&] { return gru_cell(*x, h, weight_ih, weight_hh, bias_ih, bias_hh); });
}

}  // namespace xgrad::nn
