#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/derivatives.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/nn/transformer.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/attention.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/embedding.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "../catch.hpp"
#include "../reference/digests.hpp"

using namespace xgrad;
using nlohmann::json;
using reference::check_digest;
using reference::numbers;
using reference::shape_of;

namespace {

Tensor integers_below(const Shape& shape, int stream, std::int64_t below) {
  const Tensor x = numbers(shape, stream);
  Tensor out = empty(shape, {.dtype = int64});
  for (std::int64_t i = 0; i < x.numel(); ++i)
    out.data<std::int64_t>()[i] =
        std::min(below - 1, static_cast<std::int64_t>((x.data<double>()[i] + 1) / 2 * static_cast<double>(below)));
  return out;
}

Tensor flags(const Shape& shape, int stream) { return numbers(shape, stream) > 0.1; }

template <class T>
std::optional<T> maybe(const json& value) {
  return value.is_null() ? std::optional<T>() : value.get<T>();
}

/// What a call gives, and what its gradients are asked of.
struct Made {
  std::vector<Tensor> outputs, inputs;
};

Tensor input(const Shape& shape, int stream) { return numbers(shape, stream).requires_grad_(); }

/// Numbers for the parameters, whose names must be PyTorch's.
template <class M>
std::vector<Tensor> filled(M& module, const json& call) {
  std::vector<Tensor> parameters;
  std::vector<std::string> names;
  int stream = 0;
  for (auto& [name, tensor] : nn::named_parameters(module)) {
    tensor.detach().copy_(numbers(tensor.shape(), ++stream).mul_(0.5));
    parameters.push_back(tensor);
    names.push_back(name);
  }
  REQUIRE(names == call["parameters"].get<std::vector<std::string>>());
  return parameters;
}

Made attention(const json& call) {
  Made made{{}, {input(shape_of(call, "q"), 1), input(shape_of(call, "k"), 2), input(shape_of(call, "v"), 3)}};
  AttentionOptions options{
      .causal = call["causal"], .query_offset = call["query_offset"], .enable_gqa = call["enable_gqa"]};
  if (call["scale"] != 0) options.scale = call["scale"].get<double>();
  if (call["window"] != 0) options.window = call["window"].get<std::int64_t>();
  if (call["mask"] == "bool") options.mask = flags(shape_of(call, "mask_shape"), 4);
  if (call["mask"] == "added") made.inputs.push_back(options.mask = input(shape_of(call, "mask_shape"), 4));
  made.outputs = {scaled_dot_product_attention(made.inputs[0], made.inputs[1], made.inputs[2], options)};
  return made;
}

Made bag(const json& call) {
  const Tensor weight = input(shape_of(call, "weight"), 1);
  Made made{{}, {weight}};
  const std::string mode = call["mode"];
  EmbeddingBagOptions options{.mode = mode == "sum"    ? BagMode::sum
                                      : mode == "mean" ? BagMode::mean
                                                       : BagMode::max,
                              .padding_idx = maybe<std::int64_t>(call["padding_idx"]),
                              .include_last_offset = call["include_last_offset"],
                              .max_norm = maybe<double>(call["max_norm"]),
                              .norm_type = call["norm_type"]};
  if (call["per_sample_weights"]) made.inputs.push_back(options.per_sample_weights = input(shape_of(call, "input"), 3));
  const Tensor offsets =
      call["offsets"].is_null() ? Tensor() : tensor(call["offsets"].get<std::vector<std::int64_t>>());
  made.outputs = {embedding_bag(integers_below(shape_of(call, "input"), 2, weight.size(0)), weight, offsets, options)};
  return made;
}

template <class Layer>
Made recurrent(const json& call) {
  constexpr bool is_lstm = std::is_same_v<Layer, nn::LSTM>;
  const std::int64_t hidden = call["hidden_size"], projected = call["proj_size"], batch = call["batch"],
                     steps = call["steps"];
  Layer layer(call["input_size"], hidden,
              {.num_layers = call["num_layers"],
               .bias = call["bias"],
               .batch_first = call["batch_first"],
               .bidirectional = call["bidirectional"],
               .proj_size = projected,
               .nonlinearity = call["nonlinearity"] == "relu" ? RNNNonlinearity::relu : RNNNonlinearity::tanh,
               .dtype = float64});
  const std::vector<Tensor> parameters = filled(layer, call);
  Shape front = call["batch_first"] && batch > 0 ? Shape{batch, steps} : Shape{steps};
  Shape states{call["num_layers"].get<std::int64_t>() * (call["bidirectional"] ? 2 : 1)};
  if (batch > 0) {
    if (front.size() == 1) front.push_back(batch);
    states.push_back(batch);
  }
  const auto with = [](Shape shape, std::int64_t size) {
    shape.push_back(size);
    return shape;
  };
  const Tensor x = input(with(front, call["input_size"]), 20),
               h = input(with(states, projected > 0 ? projected : hidden), 21), c = input(with(states, hidden), 22);
  Made made{{}, {x}};
  const bool given = call["given_state"];
  if (given) made.inputs.push_back(h);
  if (given && is_lstm) made.inputs.push_back(c);
  made.inputs.insert(made.inputs.end(), parameters.begin(), parameters.end());
  const Tensor lengths =
      call["lengths"].is_null() ? Tensor() : tensor(call["lengths"].get<std::vector<std::int64_t>>());
  if constexpr (is_lstm) {
    const auto [y, last] = layer(x, given ? LSTMState{h, c} : LSTMState(), lengths);
    made.outputs = {y, last.h, last.c};
  } else {
    const auto [y, last] = layer(x, given ? h : Tensor(), lengths);
    made.outputs = {y, last};
  }
  return made;
}

template <class Cell>
Made cell(const json& call) {
  constexpr bool is_lstm = std::is_same_v<Cell, nn::LSTMCell>;
  const std::int64_t hidden = call["hidden_size"], batch = call["batch"];
  Cell one(call["input_size"], hidden,
           {.bias = call["bias"],
            .nonlinearity = call["nonlinearity"] == "relu" ? RNNNonlinearity::relu : RNNNonlinearity::tanh,
            .dtype = float64});
  const std::vector<Tensor> parameters = filled(one, call);
  const auto shape = [&](std::int64_t size) { return batch > 0 ? Shape{batch, size} : Shape{size}; };
  const Tensor x = input(shape(call["input_size"]), 20), h = input(shape(hidden), 21), c = input(shape(hidden), 22);
  Made made{{}, {x}};
  const bool given = call["given_state"];
  if (given) made.inputs.push_back(h);
  if (given && is_lstm) made.inputs.push_back(c);
  made.inputs.insert(made.inputs.end(), parameters.begin(), parameters.end());
  if constexpr (is_lstm) {
    const auto [next, next_c] = one(x, given ? LSTMState{h, c} : LSTMState());
    made.outputs = {next, next_c};
  } else {
    made.outputs = {one(x, given ? h : Tensor())};
  }
  return made;
}

Made multihead(const json& call) {
  const std::int64_t width = call["embed_dim"], heads = call["num_heads"], batch = call["batch"],
                     queries = call["queries"], keys = call["keys"];
  nn::MultiheadAttention module(width, heads,
                                {.bias = call["bias"],
                                 .kdim = maybe<std::int64_t>(call["kdim"]),
                                 .vdim = maybe<std::int64_t>(call["vdim"]),
                                 .dtype = float64});
  const std::vector<Tensor> parameters = filled(module, call);
  Made made{{}, {input({batch, queries, width}, 20)}};
  const bool to_itself = call["to_itself"];
  if (!to_itself) {
    made.inputs.push_back(input({batch, keys, maybe<std::int64_t>(call["kdim"]).value_or(width)}, 21));
    made.inputs.push_back(input({batch, keys, maybe<std::int64_t>(call["vdim"]).value_or(width)}, 22));
  }
  const auto visible = [](const Tensor& mask) {  // the first key is seen by all
    const std::int64_t columns = mask.size(-1);
    for (std::int64_t i = 0; i < mask.numel(); i += columns) mask.data<bool>()[i] = false;
    return mask;
  };
  Tensor weights;
  nn::MultiheadAttentionCall how{.weights = &weights};
  const Shape shape = call["per_head"] ? Shape{batch * heads, queries, keys} : Shape{queries, keys};
  if (call["mask"] == "bool") how.attn_mask = visible(flags(shape, 23));
  if (call["mask"] == "added") how.attn_mask = numbers(shape, 23);
  if (call["padding"]) how.key_padding_mask = visible(flags({batch, keys}, 24));
  const Tensor y =
      to_itself ? module(made.inputs[0], how) : module(made.inputs[0], made.inputs[1], made.inputs[2], how);
  made.outputs = {y, weights};
  made.inputs.insert(made.inputs.end(), parameters.begin(), parameters.end());
  return made;
}

Made transformer(const json& call) {
  const bool is_encoder = call["op"] == "Encoder", gelu_wanted = call["activation"] == "gelu";
  const std::int64_t width = call["d_model"], heads = call["nhead"], layers = call["num_layers"], batch = call["batch"];
  nn::TransformerLayerOptions options{.dim_feedforward = call["dim_feedforward"],
                                      .dropout = 0,
                                      .layer_norm_eps = call["layer_norm_eps"],
                                      .norm_first = call["norm_first"],
                                      .bias = call["bias"],
                                      .dtype = float64};
  if (gelu_wanted) options.activation = [](const Tensor& x) { return gelu(x); };
  std::optional<nn::LayerNorm> norm;
  if (options.norm_first) norm.emplace(width, nn::LayerNormOptions{.dtype = float64});
  const Tensor x = input({batch, call["steps"], width}, 20), memory = input({batch, call["memory"], width}, 21);
  const nn::MultiheadAttentionCall how{.causal = call["causal"]};
  Made made{{}, {x}};
  const auto run = [&](auto module) {
    const std::vector<Tensor> parameters = filled(module, call);
    if constexpr (std::is_invocable_v<decltype(module), Tensor, Tensor, nn::MultiheadAttentionCall>) {
      made.inputs.push_back(memory);
      made.outputs = {module(x, memory, how)};
    } else {
      made.outputs = {module(x, how)};
    }
    made.inputs.insert(made.inputs.end(), parameters.begin(), parameters.end());
  };
  if (is_encoder) {
    const nn::TransformerEncoderLayer layer(width, heads, options);
    layers == 0 ? run(layer) : run(nn::TransformerEncoder(layer, layers, norm));
  } else {
    const nn::TransformerDecoderLayer layer(width, heads, options);
    layers == 0 ? run(layer) : run(nn::TransformerDecoder(layer, layers, norm));
  }
  return made;
}

Made make(const json& call) {
  static const std::pair<std::string, Made (*)(const json&)> known[] = {
      {"attention", attention},       {"embedding_bag", bag},           {"multihead", multihead},
      {"RNN", recurrent<nn::RNN>},    {"LSTM", recurrent<nn::LSTM>},    {"GRU", recurrent<nn::GRU>},
      {"RNNCell", cell<nn::RNNCell>}, {"LSTMCell", cell<nn::LSTMCell>}, {"GRUCell", cell<nn::GRUCell>},
      {"Encoder", transformer},       {"Decoder", transformer}};
  for (const auto& [name, function] : known)
    if (call["op"] == name) return function(call);
  throw std::runtime_error("no function for " + call["op"].get<std::string>());
}

}  // namespace

TEST_CASE("layers of sequences agree with PyTorch over a grid of options") {
  std::ifstream file(XGRAD_TESTS_DIR "/reference/sequences.jsonl");
  int calls = 0;
  for (std::string line; std::getline(file, line); ++calls) {
    const json call = json::parse(line);
    INFO(line.substr(0, line.find("\"results\"")));
    const Made made = make(call);
    std::size_t at = 0;
    for (const Tensor& output : made.outputs) check_digest(output, call["results"][at++]);
    std::vector<Tensor> upstream;
    for (std::size_t i = 0; i < made.outputs.size(); ++i)
      upstream.push_back(numbers(made.outputs[i].shape(), 9 + static_cast<int>(i)));
    const std::vector<Tensor> gradients =
        grad(made.outputs, made.inputs, {.allow_unused = true, .grad_outputs = upstream});
    for (std::size_t i = 0; i < gradients.size(); ++i)
      check_digest(gradients[i].defined() ? gradients[i] : zeros_like(made.inputs[i]), call["results"][at++]);
    REQUIRE(at == call["results"].size());
  }
  CHECK(calls == 318);
}

TEST_CASE("sequences: an error inside a module names the line of its call") {
  const Tensor flat = ones({3}), memory = ones({1, 2, 8});
  const nn::TransformerDecoderLayer layer(8, 2);
  const std::function<void()> calls[] = {
      [&] { nn::Embedding(4, 2)(flat); },
      [&] { nn::EmbeddingBag(4, 2)(flat); },
      [&] { nn::LSTM(4, 2)(flat); },
      [&] { nn::GRUCell(4, 2)(flat); },
      [&] { nn::MultiheadAttention(8, 2)(flat); },
      [&] { nn::MultiheadAttention(8, 2)(memory, flat, flat); },
      [&] { nn::TransformerEncoder(nn::TransformerEncoderLayer(8, 2), 1)(flat); },
      [&] {
        layer(ones({1, 2, 8}), flat);
      },
      [&] { nn::SwiGLU(4, 2)(flat); },
      [&] { nn::PositionalEncoding()(flat); },
  };
  for (const auto& call : calls) {
    std::string message = "none";
    try {
      call();
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK_THAT(message, Catch::Contains("test_sequences.cpp:"));
  }
}
