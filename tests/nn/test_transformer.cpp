#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/engine.hpp>
#include <xgrad/core/parallel.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/nn/transformer.hpp>
#include <xgrad/ops/comparison.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/position.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>

#include "../catch.hpp"
#include "../ops/values.hpp"

using namespace xgrad;

namespace {

bool close(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && allclose(a, b, {.atol = 1e-5}); }

}  // namespace

TEST_CASE("MultiheadAttention: with a cache, step by step, as without") {
  manual_seed(1);
  const nn::RotaryEmbedding rotary(4);
  for (const std::int64_t kv_heads : {1, 2, 4}) {
    const nn::MultiheadAttention attention(16, 4, {.num_kv_heads = kv_heads});
    const Tensor x = randn({2, 40, 16});
    for (const auto& window : {std::optional<std::int64_t>(), std::optional<std::int64_t>(7)}) {
      const NoGrad no_grad;
      const nn::MultiheadAttentionCall call{.causal = true, .window = window, .rotary = &rotary};
      const Tensor whole = attention(x, call);
      nn::KVCache cache;
      auto cached = call;
      cached.cache = &cache;
      std::vector<Tensor> parts{attention(narrow(x, 1, 0, 5), cached)};
      for (std::int64_t i = 5; i < 39; ++i) parts.push_back(attention(narrow(x, 1, i, 1), cached));
      CHECK(cache.length() == 39);
      nn::KVCache copy = cache;  // goes on by itself
      auto other = call;
      other.cache = &copy;
      attention(narrow(x, 1, 0, 1), other);
      parts.push_back(attention(narrow(x, 1, 39, 1), cached));
      CHECK(close(cat(parts, 1), whole));
      CHECK((copy.length() == 40 && cache.length() == 40));
    }
  }
}

TEST_CASE("KVCache: grows in place, by doubling, while nobody else holds it") {
  nn::KVCache cache;
  const Tensor x = randn({2, 3, 1, 4});
  int moves = 0;
  for (int i = 0; i < 100; ++i) {
    const void* const before = cache.key.defined() ? cache.key.impl().data : nullptr;
    cache.append(x, x);
    moves += cache.key.impl().data != before;
  }
  CHECK(moves == 4);  // room for 16, 34, 70, 142
  const nn::KVCache copy = cache;
  cache.append(zeros_like(x), zeros_like(x));
  CHECK((copy.length() == 100 && cache.length() == 101));
  CHECK(cache.key.impl().data != copy.key.impl().data);
  CHECK(close(narrow(cache.value, 2, 0, 100), copy.value));
}

TEST_CASE("KVCache: gradients flow through it, and what does not fit is an error") {
  nn::MultiheadAttention attention(4, 2);
  nn::KVCache cache;
  const Tensor x = randn({1, 2, 4}, {.requires_grad = true});
  attention(x, {.causal = true, .cache = &cache});
  sum(attention(x.detach(), {.causal = true, .cache = &cache})).backward();
  CHECK(x.grad().defined());
  CHECK_THROWS_WITH(
      attention(randn({2, 1, 4}), {.cache = &cache}),
      Catch::StartsWith("KVCache: keys (2, 2, 1, 2) and values (2, 2, 1, 2) for a cache of (1, 2, 4, 2)"));
  CHECK(cache.length() == 4);
}

TEST_CASE("MultiheadAttention: a single sequence, weights, errors") {
  const nn::MultiheadAttention attention(4, 2);
  const Tensor x = randn({3, 4});
  Tensor weights;
  const Tensor y = attention(x, {.causal = true, .weights = &weights});
  CHECK(close(unsqueeze(y, 0), attention(unsqueeze(x, 0), {.causal = true})));
  CHECK(weights.shape() == Shape{3, 3});
  CHECK(weights.at({0, 1}) == 0);
  CHECK(close(sum(weights, 1), ones({3})));
  CHECK_THROWS_WITH(nn::MultiheadAttention(5, 2),
                    Catch::StartsWith("MultiheadAttention: embed_dim is 5 and num_heads 2"));
  CHECK_THROWS_WITH(attention(x, {.attn_mask = ones({1, 3, 3})}),
                    Catch::StartsWith("MultiheadAttention: attn_mask has shape (1, 3, 3)"));
  CHECK_THROWS_WITH(attention(x, {.key_padding_mask = ones({1, 3})}),
                    Catch::StartsWith("MultiheadAttention: key_padding_mask has shape (1, 3) and dtype float32"));
}

TEST_CASE("rope: products depend on the distance of places only") {
  const Tensor q = randn({1, 8}), k = randn({1, 8});
  for (const bool interleaved : {false, true}) {
    const auto product = [&](std::int64_t a, std::int64_t b) {
      return matmul(rope(q, {.interleaved = interleaved, .offset = a}),
                    transpose(rope(k, {.interleaved = interleaved, .offset = b}), 0, 1));
    };
    CHECK(close(product(3, 1), product(12, 10)));
    CHECK_FALSE(close(product(3, 1), product(3, 2)));
  }
}

TEST_CASE("weights are tied by sharing a tensor") {
  const nn::Embedding token(5, 3);
  const Tensor logits = linear(token(tensor({1, 4})), token.weight);
  sum(logits).backward();
  const Tensor alone = token.weight.detach().requires_grad_();
  sum(linear(embedding(tensor({1, 4}), token.weight.detach()), alone)).backward();
  CHECK(close(narrow(token.weight.grad(), 0, 0, 1), narrow(alone.grad(), 0, 0, 1)));  // a row that is only in the head
  CHECK_FALSE(close(token.weight.grad(), alone.grad()));
}

TEST_CASE("transformers drop in training only, and their layers begin equal") {
  manual_seed(2);
  nn::TransformerEncoder encoder(nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 16, .dropout = 0.5}), 2);
  const Tensor x = randn({1, 3, 8});
  CHECK_FALSE(close(encoder(x), encoder(x)));
  nn::eval(encoder);
  CHECK(close(encoder(x), encoder(x)));
  CHECK(close(encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight));
  CHECK(nn::parameters(encoder).size() == 24);
  std::vector<nn::KVCache> caches(1);
  CHECK_THROWS_WITH(encoder(x, {}, &caches), Catch::StartsWith("TransformerEncoder: 1 caches for 2 layers"));
}

TEST_CASE("recurrent layers: dropout between layers, lengths, clone, and the same bits for any number of threads") {
  manual_seed(4);
  nn::LSTM lstm(3, 40, {.num_layers = 2, .dropout = 0.5, .bidirectional = true});
  const Tensor x = randn({6, 20, 3});
  CHECK_FALSE(close(lstm(x).output, lstm(x).output));
  nn::eval(lstm);
  CHECK(close(lstm(x).output, nn::clone(lstm)(x).output));
  CHECK(lstm.weights["weight_hh_l1_reverse"].shape() == Shape{160, 40});

  // What comes after the end of a sequence has no part in it, NaN or not.
  Tensor odd = x.clone();
  for (std::int64_t i = 0; i < 3; ++i) odd.data<float>()[(5 * 20 + 7) * 3 + i] = NAN;
  std::vector<std::int64_t> lengths(20, 6);
  lengths[7] = 5;
  const Tensor ends = tensor(lengths);
  const auto [want, state] = lstm(x, {}, ends);
  const auto [got, other] = lstm(odd, {}, ends);
  CHECK(values<float>(got) == values<float>(want));
  CHECK(values<float>(other.c) == values<float>(state.c));
  nn::zero_grad(lstm);
  sum(got).backward();
  for (const Tensor& parameter : nn::parameters(lstm)) CHECK(all(isfinite(parameter.grad())).item<bool>());

  const int before = num_threads();
  const auto run = [&](int threads) {
    set_num_threads(threads);
    nn::zero_grad(lstm);
    sum(lstm(x).output).backward();
    std::vector<Floats> found;
    for (const Tensor& parameter : nn::parameters(lstm)) found.push_back(values<float>(parameter.grad()));
    return found;
  };
  const auto one = run(1);
  CHECK((run(2) == one && run(4) == one));
  set_num_threads(before);
}

TEST_CASE("recurrent layers: sizes are checked, and 16-bit floats are computed in float32") {
  CHECK_THROWS_WITH(nn::GRU(3, 4, {.proj_size = 2}), Catch::StartsWith("GRU: only an LSTM has a proj_size"));
  CHECK_THROWS_WITH(nn::LSTM(3, 4, {.proj_size = 4}), Catch::StartsWith("LSTM: proj_size is 4"));
  CHECK_THROWS_WITH(nn::RNN(0, 4), Catch::StartsWith("RNN: input_size is 0"));
  const nn::GRU gru(2, 3, {.dtype = bfloat16});
  const auto [y, h] = gru(ones({2, 1, 2}, {.dtype = bfloat16}));
  CHECK((y.dtype() == bfloat16 && h.dtype() == bfloat16));
  const nn::LSTM lstm(2, 3);
  CHECK(lstm(ones({4, 0, 2})).output.shape() == Shape{4, 0, 3});
  const Tensor c = randn({1, 2, 3});
  const auto [none, state] = lstm(ones({0, 2, 2}), {{}, c});  // without steps the state stays
  CHECK(none.shape() == Shape{0, 2, 3});
  CHECK((values<float>(state.c) == values<float>(c) && values<float>(state.h) == Floats(6, 0)));
}
