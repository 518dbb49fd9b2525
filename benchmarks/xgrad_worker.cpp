// xgrad's side of benchmarks/compare: xgrad_worker THREADS [bfloat16]
#include <xgrad/autograd/autocast.hpp>
#include <xgrad/xgrad.hpp>

#include <cstdlib>

#include "../examples/models/mobilenet_v2.hpp"
#include "../examples/models/resnet.hpp"
#include "numerics.hpp"
#include "worker.hpp"

namespace {

using namespace xgrad;
using benchmarks::Workload;

/// Whether models run under Autocast to bfloat16, and what has no gradients in bfloat16.
bool in_bfloat16 = false;

Tensor numbers(const Shape& shape, std::uint32_t stream, float scale = 1, bool requires_grad = false) {
  Tensor t = empty(shape);
  benchmarks::fill(t.data<float>(), t.numel(), stream, scale);
  return t.requires_grad_(requires_grad);
}

Tensor labels(std::int64_t n, std::int64_t classes) {
  Tensor t = empty({n}, {.dtype = int64});
  benchmarks::fill_labels(t.data<std::int64_t>(), n, classes);
  return t;
}

template <class Model>
std::vector<Tensor> fill_parameters(const Model& model) {
  std::vector<Tensor> all;
  for (const auto& [name, tensor] : nn::named_parameters(model)) {
    benchmarks::fill_parameter(tensor.template data<float>(), tensor.numel(), static_cast<std::uint32_t>(all.size()),
                               tensor.numel() / tensor.size(0), tensor.dim() >= 2, name.ends_with("weight"));
    all.push_back(tensor);
  }
  return all;
}

void append(std::vector<float>& values, const Tensor& tensor) {
  const Tensor dense = tensor.detach().to(float32).contiguous();
  values.insert(values.end(), dense.data<float>(), dense.data<float>() + dense.numel());
}

std::vector<float> loss_and_gradients(const Tensor& loss, const std::vector<Tensor>& leaves) {
  std::vector<float> values;
  append(values, narrow(flatten(loss.detach()), 0, 0, 1));
  for (const Tensor& leaf : leaves) append(values, leaf.grad());
  return values;
}

struct BatchNormNet {
  nn::Linear fc1{784, 256};
  nn::BatchNorm1d bn1{256};
  nn::Linear fc2{256, 128};
  nn::BatchNorm1d bn2{128};
  nn::Linear out{128, 10};

  Tensor operator()(const Tensor& x) const { return out(bn2.relu(fc2(bn1.relu(fc1(x))))); }
};

struct ConvolutionalNet {
  nn::Conv2d conv1{1, 16, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{16};
  nn::Conv2d conv2{16, 32, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{32};
  nn::Linear out{32 * 7 * 7, 10};

  Tensor operator()(const Tensor& x) const {
    const Tensor h = max_pool2d(bn1.relu(conv1(x)), 2);
    return out(flatten(max_pool2d(bn2.relu(conv2(h)), 2), 1));
  }
};

struct TinyNet {
  nn::Linear fc1{4, 16}, fc2{16, 16}, out{16, 2};

  Tensor operator()(const Tensor& x) const { return out(relu(fc2(relu(fc1(x))))); }
};

/// ResNet-18 for images of 32x32: its first convolution is of 3x3, and nothing is pooled after it.
struct ResNet18 {
  nn::Conv2d conv1{3, 64, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{64};
  std::vector<models::BasicBlock> layer1 = models::stage<models::BasicBlock>(64, 64, 2, 1),
                                  layer2 = models::stage<models::BasicBlock>(64, 128, 2, 2),
                                  layer3 = models::stage<models::BasicBlock>(128, 256, 2, 2),
                                  layer4 = models::stage<models::BasicBlock>(256, 512, 2, 2);
  nn::Linear fc{512, 10};

  Tensor operator()(const Tensor& x) {
    using models::through;
    return fc(mean(through(layer4, through(layer3, through(layer2, through(layer1, bn1.relu(conv1(x)))))), {2, 3}));
  }
};

/// A step of training on one batch, or gradients alone.
template <class Optimizer = void, class Net>
Workload training(Net net, const Shape& input, std::int64_t classes) {
  struct NoRate {
    double lr;
  };
  struct NoOptimizer {
    NoOptimizer(const std::vector<Tensor>& parameters, NoRate) : parameters_(parameters) {}
    void zero_grad() const {
      for (const Tensor& parameter : parameters_) parameter.zero_grad();
    }
    void step() const {}
    std::vector<Tensor> parameters_;
  };
  struct State {
    Net net;
    std::vector<Tensor> parameters = fill_parameters(net);
    std::conditional_t<std::is_void_v<Optimizer>, NoOptimizer, Optimizer> optimizer{parameters,
                                                                                    {.lr = benchmarks::learning_rate}};
    Tensor x = {}, y = {}, loss = {};
  };
  auto state = std::make_shared<State>(State{std::move(net)});
  state->x = numbers(input, benchmarks::inputs_stream);
  state->y = labels(input[0], classes);
  return {[state] {
            state->optimizer.zero_grad();
            {
              const Autocast autocast(bfloat16, {.enabled = in_bfloat16});
              state->loss = cross_entropy(state->net(state->x), state->y);
            }
            state->loss.backward();
            state->optimizer.step();
          },
          [state] { return loss_and_gradients(state->loss, state->parameters); }};
}

/// All gradients of a model whose output is weighted by an upstream gradient.
template <class Net>
Workload gradients(Net net, const Shape& input) {
  struct State {
    Net net;
    std::vector<Tensor> leaves = fill_parameters(net);
    Tensor x = {}, y = {}, upstream = {};
  };
  auto state = std::make_shared<State>(State{std::move(net)});
  state->x = numbers(input, benchmarks::inputs_stream, 1, true);
  state->leaves.push_back(state->x);
  const Autocast autocast(bfloat16, {.enabled = in_bfloat16});
  const Tensor y = state->net(state->x);
  state->upstream = numbers(y.shape(), benchmarks::upstream_stream).to(y.dtype());
  return {[state] {
            for (const Tensor& leaf : state->leaves) leaf.zero_grad();
            {
              const Autocast autocast_here(bfloat16, {.enabled = in_bfloat16});
              state->y = state->net(state->x);
            }
            state->y.backward(state->upstream);
          },
          [state] { return loss_and_gradients(state->y, state->leaves); }};
}

struct Recurrent {
  nn::LSTM lstm{256, 256, {.num_layers = 2, .batch_first = true}};

  Tensor operator()(const Tensor& x) const { return lstm(x).output; }
};

/// x sigmoid(x) + tanh(x) / 2 on 4M numbers, and its gradient.
template <class F>
Workload formula(const F& f) {
  struct State {
    Tensor x = numbers({4 << 20}, benchmarks::inputs_stream, 4, true);
    Tensor upstream = numbers({4 << 20}, benchmarks::upstream_stream);
    Tensor y = {}, gradient = {};
  };
  auto state = std::make_shared<State>();
  return {[state, f] {
            state->y = f(state->x);
            state->gradient = grad(state->y, {state->x}, {.grad_outputs = {state->upstream}})[0];
          },
          [state] {
            std::vector<float> values{*state->y.template data<float>()};
            append(values, state->gradient);
            return values;
          }};
}

Workload adam_alone() {
  struct State {
    std::vector<Tensor> parameters, before;
    std::unique_ptr<optim::Adam> adam;
  };
  auto state = std::make_shared<State>();
  for (std::uint32_t i = 0; i < 10; ++i) {
    state->parameters.push_back(numbers({1'000'000}, 100 + i, 0x1p-10f, true));
    state->parameters.back().set_grad(numbers({1'000'000}, 200 + i));
  }
  state->adam = std::make_unique<optim::Adam>(state->parameters, optim::AdamOptions{.lr = 1e-3});
  return {[state] { state->adam->step(); },
          [state] {
            std::vector<float> values{*state->parameters[0].data<float>()};
            for (std::uint32_t i = 0; i < 10; ++i)
              append(values, state->parameters[i].detach() - numbers({1'000'000}, 100 + i, 0x1p-10f));
            return values;
          }};
}

Workload softmax_cross_entropy() {
  struct State {
    Tensor logits = numbers({256, 32000}, benchmarks::inputs_stream, 4, true), target = labels(256, 32000), loss = {};
  };
  auto state = std::make_shared<State>();
  return {[state] {
            state->logits.zero_grad();
            state->loss = cross_entropy(state->logits, state->target);
            state->loss.backward();
          },
          [state] { return loss_and_gradients(state->loss, {state->logits}); }};
}

/// Of rows (N, L, width), causal.
struct Block {
  std::int64_t width, heads;
  nn::LayerNorm ln1{width};
  nn::Linear qkv{width, 3 * width}, proj{width, width};
  nn::LayerNorm ln2{width};
  nn::Linear fc1{width, 4 * width}, fc2{4 * width, width};

  Tensor operator()(const Tensor& input, nn::KVCache* cache = nullptr) const {
    const Tensor x = input + proj(attention(qkv(ln1(input)), cache));
    return x + fc2(gelu(fc1(ln2(x))));
  }

 private:
  Tensor attention(const Tensor& rows, nn::KVCache* cache) const {
    const std::int64_t n = rows.size(0), length = rows.size(1), seen = cache ? cache->length() : 0;
    const auto parts = split(reshape(rows, {n, length, 3, heads, width / heads}), 1, 2);
    const auto part = [&](std::size_t i) { return transpose(squeeze(parts[i], 2), 1, 2); };
    Tensor key = part(1), value = part(2);
    if (cache) {
      cache->append(key, value);
      key = cache->key, value = cache->value;
    }
    const Tensor mixed = scaled_dot_product_attention(part(0), key, value, {.causal = true, .query_offset = seen});
    return reshape(transpose(mixed, 1, 2), {n, length, width});
  }
};

struct GPT {
  std::int64_t width, length;
  nn::Embedding token{256, width}, position{length, width};
  std::vector<Block> blocks;
  nn::LayerNorm norm{width};

  GPT(std::int64_t depth, std::int64_t columns, std::int64_t heads, std::int64_t longest)
      : width(columns), length(longest) {
    for (std::int64_t i = 0; i < depth; ++i) blocks.push_back({columns, heads});
  }
  auto fields() { return xgrad::fields("token", token, "position", position, "blocks", blocks, "norm", norm); }

  Tensor operator()(const Tensor& symbols, std::vector<nn::KVCache>* caches = nullptr) const {
    const std::int64_t seen = caches ? caches->front().length() : 0;
    Tensor h = token(symbols) + position(arange(seen, seen + symbols.size(1), 1, {.dtype = int64}));
    for (std::size_t i = 0; i < blocks.size(); ++i) h = blocks[i](h, caches ? &caches->at(i) : nullptr);
    return linear(norm(h), token.weight);
  }
};

/// A step of training a GPT on 8 windows of 128 symbols, with AdamW and clipping.
Workload language_model() {
  struct State {
    GPT gpt{4, 192, 6, 128};
    std::vector<Tensor> parameters = fill_parameters(gpt);
    optim::AdamW adam{parameters, {.lr = benchmarks::learning_rate}};
    Tensor x = reshape(labels(8 * 128, 256), {8, 128}), y = flip(flatten(x), {0}), loss = {};
  };
  auto state = std::make_shared<State>();
  return {[state] {
            state->adam.zero_grad();
            {
              const Autocast autocast(bfloat16, {.enabled = in_bfloat16});
              state->loss = cross_entropy(flatten(state->gpt(state->x), 0, 1), state->y);
            }
            state->loss.backward();
            optim::clip_grad_norm_(state->parameters, 1.0);
            state->adam.step();
          },
          [state] { return loss_and_gradients(state->loss, state->parameters); }};
}

/// The token at position 256 of a GPT that has seen 255, by its caches.
Workload decoding() {
  struct State {
    GPT gpt{12, 768, 12, 256};
    std::vector<Tensor> parameters = fill_parameters(gpt);
    std::vector<nn::KVCache> caches = std::vector<nn::KVCache>(12);
    Tensor symbols = reshape(labels(256, 256), {1, 256}), logits = {};
  };
  auto state = std::make_shared<State>();
  const NoGrad no_grad;
  if (in_bfloat16) nn::to(state->gpt, bfloat16);
  state->gpt(narrow(state->symbols, 1, 0, 255), &state->caches);
  return {[state] {
            const NoGrad no_grad_here;
            for (nn::KVCache& cache : state->caches) {
              cache.key = narrow(cache.key, 2, 0, 255);
              cache.value = narrow(cache.value, 2, 0, 255);
            }
            state->logits = state->gpt(narrow(state->symbols, 1, 255, 1), &state->caches);
          },
          [state] {
            std::vector<float> values;
            append(values, state->logits);
            values.insert(values.begin(), values[0]);
            return values;
          }};
}

/// A step of training a table of 10^6 rows of 64 with Adagrad, of which a batch uses 512 x 20. Its gradient is told in
/// the rows that it has.
Workload large_table() {
  struct State {
    Tensor table = numbers({1'000'000, 64}, 100, 1, true);
    optim::Adagrad adagrad{{table}, {.lr = benchmarks::learning_rate}};
    Tensor at = reshape(labels(512 * 20, 1'000'000), {512, 20});
    Tensor upstream = numbers({512, 20, 64}, benchmarks::upstream_stream), y = {};
  };
  auto state = std::make_shared<State>();
  return {[state] {
            state->adagrad.zero_grad();
            state->y = embedding(state->at, state->table, {.sparse = true});
            state->y.backward(state->upstream);
            state->adagrad.step();
          },
          [state] {
            std::vector<float> values{state->y.data<float>()[0]};
            append(values, sparse_grad(state->table)->values);
            return values;
          }};
}

/// What `convolutions` of benchmarks/compare names.
Workload convolution(std::string_view name) {
  std::int64_t rank, images, channels, extent, outputs, kernel, stride, padding, groups;
  char what[16];
  if (std::sscanf(std::string(name).c_str(), "conv%ld-%ld-%ld-%ld-%ld-%ld-%ld-%ld-%ld-%15s", &rank, &images, &channels,
                  &extent, &outputs, &kernel, &stride, &padding, &groups, what) != 10)
    return {};
  const auto shape = [rank](std::int64_t first, std::int64_t second, std::int64_t size) {
    Shape all{first, second};
    for (std::int64_t axis = 0; axis < rank; ++axis) all.push_back(size);
    return all;
  };
  struct State {
    Tensor x, weight, y, upstream, result;
  };
  auto state = std::make_shared<State>();
  const std::string_view wanted = what;
  const float scale = 1 / std::sqrt(static_cast<float>(channels / groups * kernel));
  state->x = numbers(shape(images, channels, extent), benchmarks::inputs_stream);
  state->weight = numbers(shape(outputs, channels / groups, kernel), 100, scale, wanted == "weight");
  const ConvOptions options{.stride = stride, .padding = padding, .groups = groups};
  const auto conv = rank == 1 ? conv1d : rank == 2 ? conv2d : conv3d;
  // As the layer before gives it: the channels innermost, which a pointwise convolution by ones makes of it.
  const Tensor ones_of_x = ones(shape(channels, 1, 1));
  state->x = conv(state->x, ones_of_x, {}, {.groups = channels}).requires_grad_(wanted == "input");
  state->y = conv(state->x, state->weight, {}, options);
  state->upstream =
      conv(numbers(state->y.shape(), benchmarks::upstream_stream), ones(shape(outputs, 1, 1)), {}, {.groups = outputs});
  const auto results = [state] {
    std::vector<float> values{state->result.contiguous().data<float>()[0]};
    append(values, state->result);
    return values;
  };
  if (wanted == "forward") return {[=] { state->result = conv(state->x, state->weight, {}, options); }, results};
  return {[=] {
            const Tensor& leaf = state->x.requires_grad() ? state->x : state->weight;
            state->result = grad(state->y, {leaf}, {.retain_graph = true, .grad_outputs = {state->upstream}})[0];
          },
          results};
}

/// One recorded operation on two tensors of 8 numbers.
Workload one_add(bool with_backward) {
  struct State {
    Tensor a = numbers({8}, 100, 1, true), b = numbers({8}, 101, 1, true);
    Tensor upstream = numbers({8}, benchmarks::upstream_stream), y = {};
  };
  auto state = std::make_shared<State>();
  if (with_backward)
    return {[state] {
              state->a.zero_grad();
              state->b.zero_grad();
              state->y = state->a + state->b;
              state->y.backward(state->upstream);
            },
            [state] {
              return loss_and_gradients(state->y, {state->a, state->b});
            }};
  return {[state] { state->y = state->a + state->b; },
          [state] {
            std::vector<float> values{*state->y.data<float>()};
            append(values, state->y);
            return values;
          }};
}

/// A product of two square matrices.
Workload product(std::int64_t size) {
  struct State {
    Tensor a, b, c = {};
  };
  const auto matrix = [size](std::uint32_t stream) {
    return numbers({size, size}, stream).to(in_bfloat16 ? bfloat16 : float32);
  };
  auto state = std::make_shared<State>(State{matrix(benchmarks::inputs_stream), matrix(benchmarks::upstream_stream)});
  return {[state] { state->c = matmul(state->a, state->b); },
          [state] {
            std::vector<float> values;
            append(values, state->c);
            values.insert(values.begin(), values[0]);
            return values;
          }};
}

Workload make(std::string_view name) {
  if (name == "W1-64") return training<optim::Adam>(BatchNormNet(), {64, 784}, 10);
  if (name == "W1-512") return training<optim::Adam>(BatchNormNet(), {512, 784}, 10);
  if (name == "W2") return training<optim::Adam>(ConvolutionalNet(), {64, 1, 28, 28}, 10);
  if (name == "W3") return training(TinyNet(), {8, 4}, 2);
  if (name == "W3-adam") return training<optim::Adam>(TinyNet(), {8, 4}, 2);
  if (name == "W4") return formula([](const Tensor& x) { return x * sigmoid(x) + 0.5 * tanh(x); });
  if (name == "W4-lambda")
    return formula(elementwise("formula", [](auto x) { return x * sigmoid(x) + 0.5 * tanh(x); }));
  if (name == "W5") return adam_alone();
  if (name == "W6") return softmax_cross_entropy();
  if (name == "W7") return gradients(Block{128, 4}, {8, 128, 128});
  if (name == "W9") return training<optim::SGD>(models::resnet20(), {64, 3, 32, 32}, 10);
  if (name == "W10") return training<optim::SGD>(ResNet18(), {16, 3, 32, 32}, 10);
  if (name == "W11") return gradients(models::InvertedResidual::make(32, 32, 1, 6), {16, 32, 28, 28});
  if (name == "W12") return gradients(Recurrent(), {32, 64, 256});
  if (name == "W13") return language_model();
  if (name == "W14") return decoding();
  if (name == "W15" || name == "W15-sparse") return large_table();
  if (name == "add-forward") return one_add(false);
  if (name == "add") return one_add(true);
  if (name.starts_with("product-")) return product(std::stol(std::string(name.substr(8))));
  if (name.starts_with("num-")) return benchmarks::numerics::make(name.substr(4));
  return convolution(name);
}

}  // namespace

int main(int argc, char** argv) {
  in_bfloat16 = argc == 3 && std::string_view(argv[2]) == "bfloat16";
  if (argc != 2 && !in_bfloat16) return std::fprintf(stderr, "usage: xgrad_worker THREADS [bfloat16]\n"), 2;
  set_num_threads(std::atoi(argv[1]));
  return benchmarks::serve(make);
}
