#include <xgrad/ops/recurrent.hpp>

#include "registry.hpp"

namespace xgrad::detail {

namespace {

/// Weights of one layer: gates, inputs, hidden; with a projection, hidden is that of the cells.
std::vector<Tensor> weights(std::int64_t gates, std::int64_t inputs, std::int64_t hidden, bool bias = true,
                            std::int64_t projected = 0, std::uint64_t seed = 10) {
  std::vector<Tensor> all{sample_normal({gates * hidden, inputs}, seed),
                          sample_normal({gates * hidden, projected > 0 ? projected : hidden}, seed + 1)};
  if (bias)
    all.push_back(sample_normal({gates * hidden}, seed + 2)), all.push_back(sample_normal({gates * hidden}, seed + 3));
  if (projected > 0) all.push_back(sample_normal({projected, hidden}, seed + 4));
  return all;
}

std::vector<Tensor> joined(std::vector<Tensor> first, const std::vector<Tensor>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The inputs from the given one on.
std::vector<Tensor> from(const std::vector<Tensor>& x, std::ptrdiff_t first) { return {x.begin() + first, x.end()}; }

/// The reference, where "L" stands for the rest of a call: biases, layers, dropout, training, directions, batches
/// first.
std::string torch(std::string call, const char* options) { return call.replace(call.find('L'), 1, options); }

constexpr const char* one_layer = "True, 1, 0.0, False, False, False";

OpSample of_rnn(const std::string& reference, std::vector<Tensor> inputs, const RecurrentOptions& options = {},
                RNNNonlinearity nonlinearity = RNNNonlinearity::tanh) {
  return {reference, std::move(inputs), [=](const std::vector<Tensor>& x) {
            const auto [y, h] = rnn(x[0], x[1], from(x, 2), options, nonlinearity);
            return std::vector<Tensor>{y, h};
          }};
}
OpSample of_gru(const std::string& reference, std::vector<Tensor> inputs, const RecurrentOptions& options = {}) {
  return {reference, std::move(inputs), [=](const std::vector<Tensor>& x) {
            const auto [y, h] = gru(x[0], x[1], from(x, 2), options);
            return std::vector<Tensor>{y, h};
          }};
}
OpSample of_lstm(const std::string& reference, std::vector<Tensor> inputs, const RecurrentOptions& options = {}) {
  return {reference, std::move(inputs), [=](const std::vector<Tensor>& x) {
            const auto [y, state] = lstm(x[0], {x[1], x[2]}, from(x, 3), options);
            return std::vector<Tensor>{y, state.h, state.c};
          }};
}

/// Two sequences, of 3 steps and of 1, each by itself.
std::string two_lengths(const std::string& call) {
  return "(lambda a, b: (torch.cat([a[0], F.pad(b[0], (0, 0, 0, 0, 0, 2))], 1), torch.cat([a[1], b[1]], 1)))(" +
         torch(call + "(x[0][:, :1], x[1][:, :1], x[2:], L)", one_layer) + ", " +
         torch(call + "(x[0][:1, 1:], x[1][:, 1:], x[2:], L)", one_layer) + ")";
}

std::vector<Tensor> steps(std::int64_t length, std::int64_t batch, std::int64_t inputs, std::int64_t hidden,
                          std::int64_t layers = 1) {
  return {sample_normal({length, batch, inputs}), sample_normal({layers, batch, hidden}, 2)};
}

std::vector<OpError> rnn_errors() {
  const auto call = [](const Shape& x, const Tensor& h, std::vector<Tensor> w, const RecurrentOptions& options = {}) {
    return [=] { rnn(ones(x), h, w, options); };
  };
  const std::vector<Tensor> w{ones({3, 2}), ones({3, 3})};
  return {{call({3}, {}, w), "rnn: input has shape (3,)"},
          {call({4, 1, 5}, {}, w), "rnn: w_ih has shape (3, 2) and dtype float32; (3, 5) of float32"},
          {call({4, 1, 2}, ones({1, 2, 3}), w), "rnn: h_0 has shape (1, 2, 3) and dtype float32; (1, 1, 3)"},
          {call({4, 1, 2}, {}, {w[0]}), "rnn: 1 weights for 1 layers and directions"},
          {call({4, 1, 2}, {}, {w[0], ones({3, 2})}), "rnn: w_hh has shape (3, 2)"},
          {call({4, 1, 2}, {}, w, {.num_layers = 0}), "rnn: num_layers is 0"},
          {call({4, 1, 2}, {}, w, {.dropout = 2}), "rnn: dropout is 2"},
          {call({4, 1, 2}, {}, w, {.lengths = tensor({1, 2})}), "rnn: lengths have shape (2,)"},
          {call({4, 1, 2}, {}, w, {.lengths = tensor({5})}), "rnn: a length of 5 in sequences of 4 steps"},
          {[=] {
             rnn(zeros({4, 1, 2}, {.dtype = int64}), {}, w);
           },
           "rnn: input is int64"}};
}

}  // namespace

std::span<const OpInfo> recurrent_ops() {
  static const OpInfo ops[] = {
      {"rnn", "sequences", "h_t = tanh(w_ih x_t + b_ih + w_hh h_(t-1) + b_hh)", true,
       [] {
         return std::vector<OpSample>{
             of_rnn(torch("torch.rnn_tanh(x[0], x[1], x[2:], L)", one_layer),
                    joined(steps(3, 2, 2, 2), weights(1, 2, 2))),
             of_rnn(torch("torch.rnn_relu(x[0], x[1], x[2:], L)", "False, 1, 0.0, False, False, False"),
                    joined(steps(2, 2, 3, 2), weights(1, 3, 2, false)), {}, RNNNonlinearity::relu),
             of_rnn(two_lengths("torch.rnn_tanh"), joined(steps(3, 2, 2, 2), weights(1, 2, 2)),
                    {.lengths = tensor({3, 1})}),
             of_rnn("(x[0].new_zeros(2, 0, 2) + 0 * x[2].sum(), x[1] + 0)",
                    joined(steps(2, 0, 2, 2), weights(1, 2, 2)))};
       },
       rnn_errors},
      {"lstm", "sequences", "c_t = f c_(t-1) + i g, h_t = o tanh(c_t)", true,
       [] {
         const std::string call = "torch.lstm(x[0], x[1:3], x[3:], L)";
         const auto with_cells = [](std::vector<Tensor> x, std::int64_t hidden, const std::vector<Tensor>& w) {
           x.push_back(sample_normal({x[1].size(0), x[1].size(1), hidden}, 3));
           return joined(std::move(x), w);
         };
         return std::vector<OpSample>{
             of_lstm(torch(call, one_layer), with_cells(steps(3, 2, 2, 2), 2, weights(4, 2, 2))),
             of_lstm(torch(call, "False, 1, 0.0, False, False, False"),
                     with_cells(steps(2, 2, 1, 1), 2, weights(4, 1, 2, false, 1))),
             of_lstm(torch(call, "True, 1, 0.0, False, True, False"),
                     with_cells(steps(2, 1, 2, 1, 2), 1, joined(weights(4, 2, 1), weights(4, 2, 1, true, 0, 30))),
                     {.bidirectional = true}),
             of_lstm("(x[0].new_zeros(2, 0, 1) + 0 * x[3].sum(), x[1] + 0, x[2] + 0)",
                     with_cells(steps(2, 0, 2, 1), 1, weights(4, 2, 1)))};
       },
       [] {
         const std::vector<Tensor> w{ones({8, 2}), ones({8, 2})};
         return std::vector<OpError>{{[=] {
                                        lstm(ones({3, 1, 2}), {{}, ones({1, 1, 3})}, w);
                                      },
                                      "lstm: c_0 has shape (1, 1, 3)"},
                                     {[=] {
                                        lstm(ones({3, 1, 2}), {}, {w[0], ones({7, 2})});
                                      },
                                      "lstm: w_hh has shape (7, 2); its rows are 4 gates"},
                                     {[=] {
                                        lstm(ones({3, 1, 2}), {}, {w[0], w[1], ones({1, 3})});
                                      },
                                      "lstm: w_hh has shape (8, 2)"}};
       }},
      {"gru", "sequences", "h_t = (1 - z) n + z h_(t-1)", true,
       [] {
         return std::vector<OpSample>{
             of_gru(torch("torch.gru(x[0], x[1], x[2:], L)", one_layer), joined(steps(3, 2, 2, 2), weights(3, 2, 2))),
             of_gru(two_lengths("torch.gru"), joined(steps(3, 2, 2, 1), weights(3, 2, 1)), {.lengths = tensor({3, 1})}),
             of_gru("(x[0].new_zeros(2, 0, 1) + 0 * x[2].sum(), x[1] + 0)",
                    joined(steps(2, 0, 2, 1), weights(3, 2, 1)))};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        gru(ones({3, 1, 2}), {}, {ones({6, 2}), ones({6, 2}), ones({6})});
                                      },
                                      "gru: 3 weights a layer"},
                                     {[] {
                                        gru(ones({3, 1, 2}), {}, {ones({6, 2}), ones({6, 2}, {.dtype = float64})});
                                      },
                                      "gru: w_hh has shape (6, 2) and dtype float64"}};
       }},
      {"rnn_cell", "sequences", "tanh(w_ih x + b_ih + w_hh h + b_hh)", true,
       [] {
         const auto cell = [](auto& x) { return rnn_cell(x[0], x[1], x[2], x[3], x[4], x[5]); };
         const auto of = [=](std::int64_t batch) {
           return sample("torch.rnn_tanh_cell(*x)",
                         joined({sample_normal({batch, 3}), sample_normal({batch, 2}, 2)}, weights(1, 3, 2)), cell);
         };
         return std::vector<OpSample>{of(2), of(0)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        rnn_cell(ones({2, 3}), {}, ones({4, 3}), ones({4, 3}));
                                      },
                                      "rnn: w_hh has shape (4, 3)"},
                                     {[] {
                                        rnn_cell(ones({2, 3, 1}), {}, ones({4, 3}), ones({4, 4}));
                                      },
                                      "rnn: input has shape (2, 3, 1)"}};
       }},
      {"lstm_cell", "sequences", "c' = f c + i g, h' = o tanh(c')", true,
       [] {
         const auto of = [](std::int64_t batch) {
           return OpSample{
               "torch.lstm_cell(x[0], x[1:3], *x[3:])",
               joined({sample_normal({batch, 3}), sample_normal({batch, 2}, 2), sample_normal({batch, 2}, 3)},
                      weights(4, 3, 2)),
               [](const std::vector<Tensor>& x) {
                 const auto [h, c] = lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]);
                 return std::vector<Tensor>{h, c};
               }};
         };
         return std::vector<OpSample>{of(2), of(0)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        lstm_cell(ones({2, 3}), {ones({2, 1}), {}}, ones({8, 3}), ones({8, 2}));
                                      },
                                      "lstm: h has shape (2, 1)"}};
       }},
      {"gru_cell", "sequences", "(1 - z) n + z h", true,
       [] {
         const auto cell = [](auto& x) { return gru_cell(x[0], x[1], x[2], x[3], x[4], x[5]); };
         const auto of = [=](std::int64_t batch) {
           return sample("torch.gru_cell(*x)",
                         joined({sample_normal({batch, 3}), sample_normal({batch, 2}, 2)}, weights(3, 3, 2)), cell);
         };
         return std::vector<OpSample>{of(2), of(0)};
       },
       [] {
         return std::vector<OpError>{{[] {
                                        gru_cell(ones({2, 3}), {}, ones({6, 2}), ones({6, 2}));
                                      },
                                      "gru: w_ih has shape (6, 2)"}};
       }}};
  return ops;
}

}  // namespace xgrad::detail
