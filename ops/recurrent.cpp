#include "recurrent.hpp"

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/recurrent.hpp"
#include "../kernels/tile_gemm.hpp"
#include "activation.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "normalization.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

using detail::Cell;

constexpr std::size_t input_count = 8;
using Inputs = std::array<Tensor, input_count>;  // x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr; some undefined

template <class T>
T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

/// One layer in one direction: all states (T, N, P) and, of an LSTM, the last cell (N, H).
struct Recurrent {
  const char* name;
  Cell cell;
  bool reverse, rounds;  // rounds: the factors of products, which had 16 bits, are rounded to them
  Saved lengths = {};    // (N,); undefined where all sequences have all steps
  std::array<Saved, input_count> inputs = {};
  Saved gates = {}, cells = {}, unprojected = {}, states = {};

  bool is_lstm() const { return cell == Cell::lstm; }
  detail::RecurrentSize size(const Tensor& x, const Tensor& w_hh, const Tensor& w_hr, const Tensor& ends) const {
    const std::int64_t blocks = cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
    return {cell,         x.size(0),      x.size(1), x.size(2), w_hh.size(0) / blocks,
            w_hh.size(1), w_hr.defined(), reverse,   rounds,    data_or_null<std::int64_t>(ends)};
  }
  template <class T, class Tensors>
  static detail::RecurrentWeights<T> weights_of(const Tensors& all) {
    const auto at = [&](std::size_t i) { return data_or_null<std::remove_const_t<T>>(all[i]); };
    return {at(3), at(4), at(5), at(6), at(7)};
  }

  std::vector<Tensor> forward(const std::vector<Tensor>& given) {
    Inputs in;
    for (std::size_t i = 0; i < input_count; ++i) {
      inputs[i] = given[i];
      in[i] = given[i].defined() ? *detail::dense(given[i]) : Tensor();
    }
    const Tensor ends = lengths;
    const detail::RecurrentSize s = size(in[0], in[4], in[7], ends);
    const auto make = [&](std::int64_t width) { return detail::empty({s.steps, s.batch, width}, in[0].dtype()); };
    const Tensor kept = make(s.width()), all_cells = is_lstm() ? make(s.hidden) : Tensor(),
                 made = s.projected ? make(s.hidden) : Tensor(), all = make(s.outputs);
    Tensor last_cell;
    dispatch_floating(name, in[0].dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::recurrent<T>(s, weights_of<const T>(in), in[0].data<T>(), in[1].data<T>(), data_or_null<T>(in[2]),
                           {kept.data<T>(), data_or_null<T>(all_cells), data_or_null<T>(made), all.data<T>()});
    });
    gates = kept, cells = all_cells, unprojected = made, states = all;
    std::vector<Tensor> out{all};
    if (is_lstm()) {
      const NoGrad no_grad;
      out.push_back(select(all_cells, 0, reverse ? 0 : -1).clone());
    }
    return out;
  }

  std::vector<Tensor> backward(const std::vector<Tensor>& grads, Needs needs) const {
    Inputs in;
    for (std::size_t i = 0; i < input_count; ++i) in[i] = inputs[i].defined() ? inputs[i].get() : Tensor();
    if (is_grad_enabled()) {
      Tensor grad = reshape(grads[0], {-1});
      if (is_lstm()) grad = concat({grad, reshape(grads[1], {-1})});
      const Inputs found =
          detail::composed_backward([this](const auto&... all) { return composed(Inputs{all...}); }, in, grad, needs);
      return {found.begin(), found.end()};
    }
    std::vector<Tensor> out(input_count);
    Inputs memory;
    for (std::size_t i = 0; i < input_count; ++i) {
      if (!in[i].defined()) continue;
      memory[i] = *detail::dense(in[i]);
      if (needs[i] || i == 1 || i == 2) out[i] = detail::empty(in[i].shape(), in[i].dtype());
    }
    if (out[2].defined()) detail::overwrite(out[2], grads[1]);
    const Tensor ends = lengths, all_gates = gates, all_cells = cells, made = unprojected, all = states,
                 above = *detail::dense(grads[0]);
    dispatch_floating(name, above.dtype(), [&](auto zero) {
      using T = decltype(zero);
      detail::recurrent_backward<T>(
          size(memory[0], memory[4], memory[7], ends), weights_of<const T>(memory), memory[0].data<T>(),
          memory[1].data<T>(), data_or_null<T>(memory[2]),
          {all_gates.data<T>(), data_or_null<T>(all_cells), data_or_null<T>(made), all.data<T>()}, above.data<T>(),
          data_or_null<T>(out[2]), weights_of<T>(out), data_or_null<T>(out[0]), out[1].data<T>());
    });
    return out;
  }

 private:
  /// The same from other operations: the states, and of an LSTM the last cell, as one vector.
  Tensor composed(const Inputs& in) const {
    const auto& [x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr] = in;
    const std::int64_t steps = x.size(0), hidden = w_hh.size(0) / (cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1);
    const std::vector<Tensor> from_inputs = unbind(linear(x, w_ih, b_ih), 0);
    std::vector<Tensor> all(static_cast<std::size_t>(steps));
    Tensor h = h0, c = c0;
    for (std::int64_t i = 0; i < steps; ++i) {
      const std::int64_t step = reverse ? steps - 1 - i : i;
      const Tensor& a = from_inputs[static_cast<std::size_t>(step)];
      const Tensor b = linear(h, w_hh, b_hh);
      Tensor next, next_cell;
      if (cell == Cell::lstm) {
        const std::vector<Tensor> g = split(a + b, hidden, -1);
        next_cell = sigmoid(g[1]) * c + sigmoid(g[0]) * tanh(g[2]);
        next = sigmoid(g[3]) * tanh(next_cell);
        if (w_hr.defined()) next = linear(next, w_hr);
      } else if (cell == Cell::gru) {
        const std::vector<Tensor> p = split(a, hidden, -1), q = split(b, hidden, -1);
        const Tensor fresh = tanh(p[2] + sigmoid(p[0] + q[0]) * q[2]);
        next = fresh + sigmoid(p[1] + q[1]) * (h - fresh);
      } else {
        next = cell == Cell::tanh ? tanh(a + b) : relu(a + b);
      }
      if (lengths.defined()) {
        const Tensor active = unsqueeze(lengths.get() > step, 1);
        next = where(active, next, h);
        if (c.defined()) next_cell = where(active, next_cell, c);
      }
      h = next, c = next_cell;
      all[static_cast<std::size_t>(step)] = h;
    }
    const Tensor states_in_time = reshape(stack(all), {-1});
    return cell == Cell::lstm ? concat({states_in_time, reshape(c, {-1})}) : states_in_time;
  }
};

constexpr const char* names[] = {"rnn", "rnn", "lstm", "gru"};
const char* name_of(Cell cell) { return names[static_cast<std::size_t>(cell)]; }
std::int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

/// The weights of one layer in one direction; some undefined.
struct LayerWeights {
  Tensor w_ih, w_hh, b_ih, b_hh, w_hr;
};

void expect_shape(const char* op, const char* what, const Tensor& tensor, const Shape& shape, DType dtype) {
  check(tensor.shape() == shape && tensor.dtype() == dtype, op, ": ", what, " has shape ", tensor.shape(),
        " and dtype ", tensor.dtype(), "; ", shape, " of ", dtype, ", the dtype of the input, is needed");
}

void check_weights(const char* op, Cell cell, const LayerWeights& w, std::int64_t inputs, DType dtype) {
  check(w.w_ih.dim() == 2 && w.w_hh.dim() == 2, op, ": w_ih has shape ", w.w_ih.shape(), " and w_hh ", w.w_hh.shape(),
        "; matrices are needed");
  const std::int64_t rows = w.w_hh.size(0), gates = gates_of(cell);
  check(rows % gates == 0, op, ": w_hh has shape ", w.w_hh.shape(), "; its rows are ", gates, " gates of one size");
  const std::int64_t hidden = rows / gates, outputs = w.w_hr.defined() ? w.w_hr.size(0) : hidden;
  expect_shape(op, "w_ih", w.w_ih, {rows, inputs}, dtype);
  expect_shape(op, "w_hh", w.w_hh, {rows, outputs}, dtype);
  if (w.b_ih.defined()) expect_shape(op, "b_ih", w.b_ih, {rows}, dtype);
  if (w.b_hh.defined()) expect_shape(op, "b_hh", w.b_hh, {rows}, dtype);
  if (w.w_hr.defined()) expect_shape(op, "w_hr", w.w_hr, {outputs, hidden}, dtype);
}

/// What an LSTM ends with in c; in the others c is undefined.
struct LayerResult {
  Tensor states, h, c;
};

LayerResult run_layer(Cell cell, bool reverse, const Tensor& x, const Tensor& h0, const Tensor& c0,
                      const LayerWeights& w, const Tensor& lengths) {
  if (x.size(0) == 0) {
    const std::int64_t outputs = w.w_hh.size(1);
    return {zeros({0, x.size(1), outputs}, {.dtype = x.dtype()}), h0, c0};
  }
  std::vector<Tensor> in;
  for (const Tensor* tensor : {&x, &h0, &c0, &w.w_ih, &w.w_hh, &w.b_ih, &w.b_hh, &w.w_hr})
    in.push_back(*detail::widened(*tensor));
  const bool rounds = x.dtype() == bfloat16 && detail::has_tile_gemm<BFloat16>();
  std::vector<Tensor> out = apply(Recurrent{name_of(cell), cell, reverse, rounds, lengths}, in);
  for (Tensor& tensor : out) tensor = detail::narrowed(std::move(tensor), x.dtype());
  return {out[0], select(out[0], 0, reverse ? 0 : -1), cell == Cell::lstm ? out[1] : Tensor()};
}

struct Result {
  Tensor output, h, c;
};

/// The weights as layers and directions, in their order.
std::vector<LayerWeights> by_layer(const char* op, const std::vector<Tensor>& weights, std::int64_t parts,
                                   bool may_project) {
  const auto count = static_cast<std::int64_t>(weights.size());
  const std::int64_t each = parts > 0 ? count / parts : 0;
  check(parts > 0 && count == each * parts && each >= 2 && each <= (may_project ? 5 : 4), op, ": ", count,
        " weights for ", parts, " layers and directions; each has w_ih and w_hh, then perhaps b_ih and b_hh",
        may_project ? ", then perhaps w_hr" : "");
  check(may_project || each != 3, op, ": 3 weights a layer; b_ih and b_hh go together");
  std::vector<LayerWeights> all;
  for (std::int64_t i = 0; i < count; i += each) {
    const Tensor* w = weights.data() + i;
    LayerWeights one{w[0], w[1], {}, {}, {}};
    if (each >= 4) one.b_ih = w[2], one.b_hh = w[3];
    if (each % 2 == 1) one.w_hr = w[each - 1];
    all.push_back(one);
  }
  return all;
}

Tensor checked_lengths(const char* op, const Tensor& lengths, std::int64_t steps, std::int64_t batch) {
  if (!lengths.defined()) return {};
  check(lengths.shape() == Shape{batch} && detail::kind_of(lengths.dtype()) == detail::Kind::integer, op,
        ": lengths have shape ", lengths.shape(), " and dtype ", lengths.dtype(), "; (", batch,
        ",) of integers is needed");
  Tensor own = lengths.to(int64).clone();
  for (const std::int64_t length : own.span<const std::int64_t>())
    check(length >= 0 && length <= steps, op, ": a length of ", length, " in sequences of ", steps, " steps");
  return own;
}

/// A state of all layers, zeros where undefined; with an axis of batches.
Tensor first_state(const char* op, const char* what, const Tensor& given, bool batched, const Shape& shape,
                   DType dtype) {
  if (!given.defined()) return zeros(shape, {.dtype = dtype});
  const Tensor state = batched ? given : given.dim() == 2 ? unsqueeze(given, 1) : given;
  expect_shape(op, what, state, shape, dtype);
  return state;
}

Result run(Cell cell, const Tensor& sequences, const Tensor& first_h, const Tensor& first_c,
           const std::vector<Tensor>& parameters, const RecurrentOptions& options) {
  const char* const op = name_of(cell);
  using detail::in_autocast_dtype;
  return detail::with_memory_for(op, [&]() -> Result {
    const Tensor input = in_autocast_dtype(sequences), h_0 = in_autocast_dtype(first_h),
                 c_0 = in_autocast_dtype(first_c);
    std::vector<Tensor> weights;
    for (const Tensor& parameter : parameters) weights.push_back(*in_autocast_dtype(parameter));
    check(input.dim() == 2 || input.dim() == 3, op, ": input has shape ", input.shape(),
          "; (steps, batch, features) or (steps, features) is needed");
    check(is_floating(input.dtype()), op, ": input is ", input.dtype(), "; convert it with .to(float32)");
    check(options.num_layers > 0, op, ": num_layers is ", options.num_layers, "; it must be positive");
    check(options.dropout >= 0 && options.dropout <= 1, op, ": dropout is ", options.dropout,
          "; it must lie between 0 and 1");
    const bool batched = input.dim() == 3;
    Tensor x = !batched ? unsqueeze(input, 1) : options.batch_first ? transpose(input, 0, 1) : input;
    const std::int64_t steps = x.size(0), batch = x.size(1), directions = options.bidirectional ? 2 : 1,
                       parts = options.num_layers * directions;
    const DType dtype = x.dtype();
    const std::vector<LayerWeights> layers = by_layer(op, weights, parts, cell == Cell::lstm);
    std::int64_t features = x.size(2), outputs = 0, hidden = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      check_weights(op, cell, layers[i], features, dtype);
      outputs = layers[i].w_hh.size(1), hidden = layers[i].w_hh.size(0) / gates_of(cell);
      check(outputs == layers[0].w_hh.size(1) && layers[i].w_hh.size(0) == layers[0].w_hh.size(0), op,
            ": w_hh has shape ", layers[i].w_hh.shape(), " in one layer and ", layers[0].w_hh.shape(), " in another");
      if ((static_cast<std::int64_t>(i) + 1) % directions == 0) features = directions * outputs;
    }
    const Tensor lengths = checked_lengths(op, options.lengths, steps, batch);
    const std::vector<Tensor> h0 = unbind(first_state(op, "h_0", h_0, batched, {parts, batch, outputs}, dtype));
    const std::vector<Tensor> c0 = cell == Cell::lstm
                                       ? unbind(first_state(op, "c_0", c_0, batched, {parts, batch, hidden}, dtype))
                                       : std::vector<Tensor>(h0.size());
    Tensor ended;  // where a sequence has no step
    if (lengths.defined()) {
      ended = unsqueeze(unsqueeze(arange(steps, {.dtype = int64}), 1) >= unsqueeze(lengths, 0), 2);
      x = masked_fill(x, ended, 0);
    }
    std::vector<Tensor> h, c;
    for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
      if (layer > 0 && options.dropout > 0) x = dropout(x, options.dropout, options.training);
      std::vector<Tensor> states;
      for (std::int64_t direction = 0; direction < directions; ++direction) {
        const auto i = static_cast<std::size_t>(layer * directions + direction);
        const LayerResult made = run_layer(cell, direction == 1, x, h0[i], c0[i], layers[i], lengths);
        states.push_back(made.states), h.push_back(made.h), c.push_back(made.c);
      }
      x = directions == 2 ? concat(states, -1) : states[0];
      if (lengths.defined()) x = masked_fill(x, ended, 0);
    }
    const auto all = [&](const std::vector<Tensor>& of_layers) {
      const Tensor stacked = stack(of_layers);
      return batched ? stacked : squeeze(stacked, 1);
    };
    return {!batched              ? squeeze(x, 1)
            : options.batch_first ? transpose(x, 0, 1)
                                  : x,
            all(h), cell == Cell::lstm ? all(c) : Tensor()};
  });
}

/// One step of one layer.
LayerResult run_cell(Cell cell, const Tensor& input, const Tensor& first_h, const Tensor& first_c,
                     const LayerWeights& parameters) {
  const char* const op = name_of(cell);
  using detail::in_autocast_dtype;
  const Tensor x = in_autocast_dtype(input), h = in_autocast_dtype(first_h), c = in_autocast_dtype(first_c);
  const LayerWeights w{in_autocast_dtype(parameters.w_ih),
                       in_autocast_dtype(parameters.w_hh),
                       in_autocast_dtype(parameters.b_ih),
                       in_autocast_dtype(parameters.b_hh),
                       {}};
  return detail::with_memory_for(op, [&]() -> LayerResult {
    check(x.dim() == 1 || x.dim() == 2, op, ": input has shape ", x.shape(),
          "; (batch, features) or (features,) is needed");
    check(is_floating(x.dtype()), op, ": input is ", x.dtype(), "; convert it with .to(float32)");
    const bool batched = x.dim() == 2;
    const Tensor rows = batched ? x : unsqueeze(x, 0);
    check_weights(op, cell, w, rows.size(1), x.dtype());
    const Shape shape{rows.size(0), w.w_hh.size(1)};
    const auto state = [&](const char* what, const Tensor& given) {
      if (!given.defined()) return zeros(shape, {.dtype = x.dtype()});
      const Tensor own = batched || given.dim() != 1 ? given : unsqueeze(given, 0);
      expect_shape(op, what, own, shape, x.dtype());
      return own;
    };
    LayerResult made =
        run_layer(cell, false, unsqueeze(rows, 0), state("h", h), cell == Cell::lstm ? state("c", c) : Tensor(), w, {});
    if (!batched) {
      made.h = squeeze(made.h, 0);
      if (made.c.defined()) made.c = squeeze(made.c, 0);
    }
    return made;
  });
}

Cell cell_of(RNNNonlinearity nonlinearity) { return nonlinearity == RNNNonlinearity::tanh ? Cell::tanh : Cell::relu; }

}  // namespace

RecurrentResult rnn(const Tensor& input, const Tensor& h_0, const std::vector<Tensor>& weights,
                    const RecurrentOptions& options, RNNNonlinearity nonlinearity) {
  Result made = run(cell_of(nonlinearity), input, h_0, {}, weights, options);
  return {made.output, made.h};
}

LSTMResult lstm(const Tensor& input, const LSTMState& state, const std::vector<Tensor>& weights,
                const RecurrentOptions& options) {
  Result made = run(Cell::lstm, input, state.h, state.c, weights, options);
  return {made.output, {made.h, made.c}};
}

RecurrentResult gru(const Tensor& input, const Tensor& h_0, const std::vector<Tensor>& weights,
                    const RecurrentOptions& options) {
  Result made = run(Cell::gru, input, h_0, {}, weights, options);
  return {made.output, made.h};
}

Tensor rnn_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh, RNNNonlinearity nonlinearity) {
  return run_cell(cell_of(nonlinearity), x, h, {}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
}

LSTMState lstm_cell(const Tensor& x, const LSTMState& state, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                    const Tensor& b_hh) {
  LayerResult made = run_cell(Cell::lstm, x, state.h, state.c, {w_ih, w_hh, b_ih, b_hh, {}});
  return {made.h, made.c};
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  return run_cell(Cell::gru, x, h, {}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
}

}  // namespace xgrad
