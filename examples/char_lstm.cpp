// Trains an LSTM of two layers on the bytes of a text, by default the fortunes of Debian's package `fortunes`; writes
// some after every epoch. With a checkpoint, it goes on where it was stopped.
//   char_lstm [TEXT] [--checkpoint FILE] [--epochs N] [--windows N] [--batch-size N] [--seed N] [--threads N]
//   [--bfloat16]
#include "text_training.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t width = 256, length = 64, symbols = 256;

struct CharLSTM {
  nn::Embedding token{symbols, width / 4};
  nn::LSTM lstm{width / 4, width, {.num_layers = 2, .batch_first = true, .dropout = 0.1}};
  nn::Linear out{width, symbols};

  Tensor operator()(const Tensor& tokens, LSTMState* state = nullptr) {  // (N, L) to (N, L, symbols)
    auto [h, after] = lstm(token(tokens), state ? *state : LSTMState{});
    if (state) *state = after;
    return out(h);
  }
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Trains an LSTM on the bytes of a text");
  TextOptions options;
  options.windows = 4000;
  options.batch_size = 32;
  options.add_to(app);
  CLI11_PARSE(app, argc, argv);
  set_num_threads(options.threads);
  manual_seed(static_cast<std::uint64_t>(options.seed));

  CharLSTM net;
  optim::AdamW adam(net, {.lr = 4e-3, .weight_decay = 0.01});
  const double bits = train_on_text(net, length, adam, options, [&] {
    LSTMState state;
    return data::ByteText::decode(nn::generate([&](const Tensor& tokens) { return net(tokens, &state); },
                                               data::ByteText::encode("The "),
                                               {.length = 200, .temperature = 0.8, .top_k = 40}));
  });
  return bits < 8 ? 0 : 1;  // 8 bits tell any byte
} catch (const Error& error) {
  std::cerr << "char_lstm: " << error.what() << '\n';
  return 1;
}
