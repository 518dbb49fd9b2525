// libtorch's side of benchmarks/compare: libtorch_worker THREADS
#include <torch/torch.h>

#include <cstdlib>

#include "worker.hpp"

namespace {

using benchmarks::Workload;
using torch::Tensor;

Tensor numbers(torch::IntArrayRef shape, std::uint32_t stream, float scale = 1, bool requires_grad = false) {
  const Tensor t = torch::empty(shape);
  benchmarks::fill(t.data_ptr<float>(), t.numel(), stream, scale);
  return t.requires_grad_(requires_grad);
}

Tensor labels(std::int64_t n, std::int64_t classes) {
  const Tensor t = torch::empty({n}, torch::kInt64);
  benchmarks::fill_labels(t.data_ptr<std::int64_t>(), n, classes);
  return t;
}

std::vector<Tensor> fill_parameters(const torch::nn::Module& model) {
  std::vector<Tensor> all;
  for (const auto& item : model.named_parameters()) {
    const std::string& name = item.key();
    const Tensor& tensor = item.value();
    const bool is_weight = name.size() >= 6 && name.compare(name.size() - 6, 6, "weight") == 0;
    benchmarks::fill_parameter(tensor.data_ptr<float>(), tensor.numel(), static_cast<std::uint32_t>(all.size()),
                               tensor.numel() / tensor.size(0), tensor.dim() >= 2, is_weight);
    all.push_back(tensor);
  }
  return all;
}

void append(std::vector<float>& values, const Tensor& tensor) {
  const Tensor dense = tensor.detach().contiguous();
  values.insert(values.end(), dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel());
}

std::vector<float> loss_and_gradients(const Tensor& loss, const std::vector<Tensor>& leaves) {
  std::vector<float> values{*loss.data_ptr<float>()};
  for (const Tensor& leaf : leaves) append(values, leaf.grad());
  return values;
}

/// As set_to_none=True in Python; the optimizer's own zero_grad() of 1.13 fills with zeros, which takes longer.
void zero_grad(const Tensor& leaf) { leaf.mutable_grad().reset(); }

struct BatchNormNet : torch::nn::Module {
  torch::nn::Linear fc1 = register_module("fc1", torch::nn::Linear(784, 256));
  torch::nn::BatchNorm1d bn1 = register_module("bn1", torch::nn::BatchNorm1d(256));
  torch::nn::Linear fc2 = register_module("fc2", torch::nn::Linear(256, 128));
  torch::nn::BatchNorm1d bn2 = register_module("bn2", torch::nn::BatchNorm1d(128));
  torch::nn::Linear out = register_module("out", torch::nn::Linear(128, 10));

  Tensor forward(const Tensor& x) { return out(torch::relu(bn2(fc2(torch::relu(bn1(fc1(x))))))); }
};

struct ConvolutionalNet : torch::nn::Module {
  torch::nn::Conv2d conv1 = register_module("conv1", convolution(1, 16));
  torch::nn::BatchNorm2d bn1 = register_module("bn1", torch::nn::BatchNorm2d(16));
  torch::nn::Conv2d conv2 = register_module("conv2", convolution(16, 32));
  torch::nn::BatchNorm2d bn2 = register_module("bn2", torch::nn::BatchNorm2d(32));
  torch::nn::Linear out = register_module("out", torch::nn::Linear(32 * 7 * 7, 10));

  Tensor forward(const Tensor& image) {
    const Tensor x = image.contiguous(torch::MemoryFormat::ChannelsLast);
    const Tensor h = torch::max_pool2d(torch::relu(bn1(conv1(x))), 2);
    return out(torch::max_pool2d(torch::relu(bn2(conv2(h))), 2).flatten(1));
  }

 private:
  static torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1).bias(false));
  }
};

struct TinyNet : torch::nn::Module {
  torch::nn::Linear fc1 = register_module("fc1", torch::nn::Linear(4, 16));
  torch::nn::Linear fc2 = register_module("fc2", torch::nn::Linear(16, 16));
  torch::nn::Linear out = register_module("out", torch::nn::Linear(16, 2));

  Tensor forward(const Tensor& x) { return out(torch::relu(fc2(torch::relu(fc1(x))))); }
};

template <class Net>
Workload training(torch::IntArrayRef input, std::int64_t classes, bool with_adam) {
  struct State {
    Net net;
    std::vector<Tensor> parameters = fill_parameters(net);
    torch::optim::Adam adam{parameters, torch::optim::AdamOptions(benchmarks::learning_rate)};
    Tensor x, y, loss;
  };
  auto state = std::make_shared<State>();
  state->x = numbers(input, benchmarks::inputs_stream);
  state->y = labels(input[0], classes);
  return {[state, with_adam] {
            for (const Tensor& parameter : state->parameters) zero_grad(parameter);
            state->loss = torch::nn::functional::cross_entropy(state->net.forward(state->x), state->y);
            state->loss.backward();
            if (with_adam) state->adam.step();
          },
          [state] { return loss_and_gradients(state->loss, state->parameters); }};
}

Workload formula() {
  struct State {
    Tensor x = numbers({4 << 20}, benchmarks::inputs_stream, 4, true);
    Tensor upstream = numbers({4 << 20}, benchmarks::upstream_stream), y, gradient;
  };
  auto state = std::make_shared<State>();
  return {[state] {
            state->y = state->x * torch::sigmoid(state->x) + 0.5 * torch::tanh(state->x);
            state->gradient = torch::autograd::grad({state->y}, {state->x}, {state->upstream})[0];
          },
          [state] {
            std::vector<float> values{*state->y.data_ptr<float>()};
            append(values, state->gradient);
            return values;
          }};
}

Workload adam_alone() {
  struct State {
    std::vector<Tensor> parameters;
    std::unique_ptr<torch::optim::Adam> adam;
  };
  auto state = std::make_shared<State>();
  for (std::uint32_t i = 0; i < 10; ++i) {
    state->parameters.push_back(numbers({1'000'000}, 100 + i, 0x1p-10f, true));
    state->parameters.back().mutable_grad() = numbers({1'000'000}, 200 + i);
  }
  state->adam = std::make_unique<torch::optim::Adam>(state->parameters, torch::optim::AdamOptions(1e-3));
  return {[state] { state->adam->step(); },
          [state] {
            std::vector<float> values{*state->parameters[0].data_ptr<float>()};
            for (std::uint32_t i = 0; i < 10; ++i)
              append(values, state->parameters[i].detach() - numbers({1'000'000}, 100 + i, 0x1p-10f));
            return values;
          }};
}

Workload softmax_cross_entropy() {
  struct State {
    Tensor logits = numbers({256, 32000}, benchmarks::inputs_stream, 4, true), target = labels(256, 32000), loss;
  };
  auto state = std::make_shared<State>();
  return {[state] {
            zero_grad(state->logits);
            state->loss = torch::nn::functional::cross_entropy(state->logits, state->target);
            state->loss.backward();
          },
          [state] { return loss_and_gradients(state->loss, {state->logits}); }};
}

constexpr std::int64_t batch = 8, length = 128, width = 128, heads = 4;

struct Block : torch::nn::Module {
  torch::nn::LayerNorm ln1 = register_module("ln1", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  torch::nn::Linear qkv = register_module("qkv", torch::nn::Linear(width, 3 * width));
  torch::nn::Linear proj = register_module("proj", torch::nn::Linear(width, width));
  torch::nn::LayerNorm ln2 = register_module("ln2", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  torch::nn::Linear fc1 = register_module("fc1", torch::nn::Linear(width, 4 * width));
  torch::nn::Linear fc2 = register_module("fc2", torch::nn::Linear(4 * width, width));
  Tensor mask = torch::ones({length, length}, torch::kBool).triu(1);

  Tensor forward(const Tensor& input) {
    const Tensor x = input + proj(attention(qkv(ln1(input))));
    return x + fc2(torch::gelu(fc1(ln2(x))));
  }

  Tensor attention(const Tensor& rows) {
    const Tensor parts = rows.view({batch, length, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
    const Tensor q = parts[0], k = parts[1], v = parts[2];
    const Tensor scores = torch::matmul(q, k.transpose(-2, -1)) * (1 / std::sqrt(static_cast<double>(width / heads)));
    const Tensor mixed = torch::matmul(torch::softmax(scores.masked_fill(mask, -INFINITY), -1), v);
    return mixed.transpose(1, 2).reshape({batch, length, width});
  }
};

Workload transformer_block() {
  struct State {
    Block block;
    std::vector<Tensor> leaves = fill_parameters(block);
    Tensor x = numbers({batch, length, width}, benchmarks::inputs_stream, 1, true);
    Tensor upstream = numbers({batch, length, width}, benchmarks::upstream_stream), y;
  };
  auto state = std::make_shared<State>();
  state->leaves.push_back(state->x);
  return {[state] {
            for (const Tensor& leaf : state->leaves) zero_grad(leaf);
            state->y = state->block.forward(state->x);
            state->y.backward(state->upstream);
          },
          [state] { return loss_and_gradients(state->y, state->leaves); }};
}

Workload one_add(bool with_backward) {
  struct State {
    Tensor a = numbers({8}, 100, 1, true), b = numbers({8}, 101, 1, true);
    Tensor upstream = numbers({8}, benchmarks::upstream_stream), y;
  };
  auto state = std::make_shared<State>();
  if (with_backward)
    return {[state] {
              zero_grad(state->a);
              zero_grad(state->b);
              state->y = state->a + state->b;
              state->y.backward(state->upstream);
            },
            [state] {
              return loss_and_gradients(state->y, {state->a, state->b});
            }};
  return {[state] { state->y = state->a + state->b; },
          [state] {
            std::vector<float> values{*state->y.data_ptr<float>()};
            append(values, state->y);
            return values;
          }};
}

Workload make(std::string_view name) {
  if (name == "W1-64") return training<BatchNormNet>({64, 784}, 10, true);
  if (name == "W1-512") return training<BatchNormNet>({512, 784}, 10, true);
  if (name == "W2") return training<ConvolutionalNet>({64, 1, 28, 28}, 10, true);
  if (name == "W3") return training<TinyNet>({8, 4}, 2, false);
  if (name == "W3-adam") return training<TinyNet>({8, 4}, 2, true);
  if (name == "W4" || name == "W4-lambda") return formula();
  if (name == "W5") return adam_alone();
  if (name == "W6") return softmax_cross_entropy();
  if (name == "W7") return transformer_block();
  if (name == "add-forward") return one_add(false);
  if (name == "add") return one_add(true);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: libtorch_worker THREADS\n"), 2;
  torch::set_num_threads(std::atoi(argv[1]));
  return benchmarks::serve(make);
}
