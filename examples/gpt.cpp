// Trains a small GPT on the bytes of a text, by default the fortunes of Debian's package `fortunes`; writes some after
// every epoch. With a checkpoint, it goes on where it was stopped.
//   gpt [TEXT] [--checkpoint FILE] [--epochs N] [--windows N] [--batch-size N] [--seed N] [--threads N] [--bfloat16]
#include "text_training.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t width = 128, heads = 4, depth = 4, length = 128, symbols = 256;

struct Block {
  nn::LayerNorm norm1{width}, norm2{width};
  nn::MultiheadAttention attention{width, heads, {.dropout = 0.1}};
  nn::Linear up{width, 4 * width}, down{4 * width, width};
  nn::Dropout dropout{0.1};

  Tensor operator()(const Tensor& x, nn::KVCache* cache) {  // (N, L, width)
    const Tensor h = x + dropout(attention(norm1(x), {.causal = true, .cache = cache}));
    return h + dropout(down(gelu(up(norm2(h)))));
  }
};

struct GPT {
  nn::Embedding token{symbols, width}, position{length, width};
  std::vector<Block> blocks = std::vector<Block>(depth);
  nn::LayerNorm norm{width};

  GPT() {  // logits near 0 at first, for the weights of the embedding are those of the last layer
    const NoGrad no_grad;
    token.weight.mul_(0.02);
    position.weight.mul_(0.02);
  }
  auto fields() { return xgrad::fields("token", token, "position", position, "blocks", blocks, "norm", norm); }

  Tensor operator()(const Tensor& tokens, std::vector<nn::KVCache>* caches = nullptr) {  // (N, L) to (N, L, symbols)
    const std::int64_t begin = caches ? caches->front().length() : 0;
    Tensor h = token(tokens) + position(arange(begin, begin + tokens.size(1), 1, {.dtype = int64}));
    for (std::size_t i = 0; i < blocks.size(); ++i) h = blocks[i](h, caches ? &caches->at(i) : nullptr);
    return linear(norm(h), token.weight);
  }
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Trains a small GPT on the bytes of a text");
  TextOptions options;
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  set_num_threads(options.threads);
  manual_seed(static_cast<std::uint64_t>(options.seed));

  GPT gpt;
  optim::AdamW adam({{nn::parameters(gpt, nn::decayed), {.weight_decay = 0.1}},
                     {nn::parameters(gpt, nn::not_decayed), {.weight_decay = 0.0}}},
                    {.lr = 1e-3});
  const double bits = train_on_text(gpt, length, adam, options, [&] {
    std::vector<nn::KVCache> caches(depth);
    return data::ByteText::decode(nn::generate([&](const Tensor& tokens) { return gpt(tokens, &caches); },
                                               data::ByteText::encode("The "),
                                               {.length = 100, .temperature = 0.8, .top_k = 40}));
  });
  return bits < 8 ? 0 : 1;  // 8 bits tell any byte
} catch (const Error& error) {
  std::cerr << "gpt: " << error.what() << '\n';
  return 1;
}
