// Learns to rewrite dates, "tuesday 3 march 1998" as "1998-03-03", with a recurrent encoder, a recurrent decoder and
// attention between them. Draws what the decoder attends to as translate_dates.png.
//   translate_dates [--dates N] [--epochs N] [--seed N] [--threads N]
#include <xgrad/data/byte_text.hpp>
#include <xgrad/data/sequences.hpp>
#include <xgrad/nn/attention.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/generate.hpp>
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/xgrad.hpp>

#include <array>
#include <chrono>
#include <CLI/CLI.hpp>
#include <iostream>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t width = 128, begin = 11, output_length = 10;  // outputs: the digits, 10 for '-', and the begin

struct Date {
  std::string written, iso;
};

Date random_date(Generator& generator) {
  constexpr std::array months{"january", "february", "march",     "april",   "may",      "june",
                              "july",    "august",   "september", "october", "november", "december"};
  constexpr std::array weekdays{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
  std::int64_t days = 0, form = 0;
  generator.integers(&days, 1, -20000, 30000);  // since 1970
  generator.integers(&form, 1, 0, 4);
  const std::chrono::sys_days moment{std::chrono::days(days)};
  const std::chrono::year_month_day date(moment);
  const std::string year = std::to_string(static_cast<int>(date.year()));
  const std::string month = months[static_cast<unsigned>(date.month()) - 1];
  const std::string day = std::to_string(static_cast<unsigned>(date.day()));
  const std::string weekday = weekdays[std::chrono::weekday(moment).c_encoding()];
  const auto two = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const std::array forms{weekday + " " + day + " " + month + " " + year, month + " " + day + ", " + year,
                         day + ". " + month.substr(0, 3) + " " + year,
                         weekday.substr(0, 3) + ", " + month.substr(0, 3) + " " + day + ", " + year};
  return {forms[static_cast<std::size_t>(form)],
          year + "-" + two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day()))};
}

Tensor output_tokens(const std::string& iso) {
  std::vector<std::int64_t> tokens;
  for (const char c : iso) tokens.push_back(c == '-' ? 10 : c - '0');
  return tensor(tokens);
}

struct Translator {
  nn::Embedding letter{128, 32}, symbol{12, 32};
  nn::GRU encoder{32, width / 2, {.batch_first = true, .bidirectional = true}};
  nn::GRU decoder{32, width, {.batch_first = true}};
  nn::MultiheadAttention attention{width, 1};
  nn::Linear out{2 * width, 11};

  /// Bytes (N, S), with 0 behind the shorter ones, to (N, S, width).
  Tensor encode(const Tensor& x) const { return encoder(letter(x), {}, sum((x != 0).to(int64), 1)).output; }

  /// What comes after the symbols so far: (N, T) to logits (N, T, 11). The state goes on; the weights get what was
  /// attended to, (N, T, S).
  Tensor decode(const Tensor& x, const Tensor& memory, const Tensor& before, Tensor* state = nullptr,
                Tensor* weights = nullptr) const {
    const auto [h, after] = decoder(symbol(before), state ? *state : Tensor());
    if (state) *state = after;
    const Tensor seen = attention(h, memory, memory, {.key_padding_mask = x == 0, .weights = weights});
    return out(concat({h, seen}, 2));
  }

  /// With the right symbols before each.
  Tensor operator()(const Tensor& x, const Tensor& y) const {
    const Tensor first = full({y.size(0), 1}, begin, {.dtype = int64});
    return decode(x, encode(x), concat({first, narrow(y, 1, 0, output_length - 1)}, 1));
  }

  Tensor translate(const Tensor& x) const {
    const NoGrad no_grad;
    const Tensor memory = encode(x);
    Tensor state;
    const Tensor all =
        nn::generate([&](const Tensor& before) { return decode(x, memory, before, &state); },
                     full({x.size(0), 1}, begin, {.dtype = int64}), {.length = output_length, .temperature = 0});
    return narrow(all, 1, 1, output_length);
  }
};

std::string as_text(const Tensor& tokens) {
  std::string text;
  for (const std::int64_t token : tokens.to_vector<std::int64_t>())
    text += token == 10 ? '-' : static_cast<char>('0' + token);
  return text;
}

void draw_attention(const Translator& translator, const Date& date) {
  const NoGrad no_grad;
  const Tensor x = unsqueeze(data::ByteText::encode(date.written), 0), y = translator.translate(x);
  Tensor weights;
  translator.decode(x, translator.encode(x),
                    concat({full({1, 1}, begin, {.dtype = int64}), narrow(y, 1, 0, output_length - 1)}, 1), nullptr,
                    &weights);
  const std::string found = as_text(y);
  std::cout << date.written << " -> " << found << '\n';
  Gnuplot plot("translate_dates.png", 900, 440);
  plot.define("weights", select(weights, 0, 0));
  plot << "set palette gray negative\nset cbrange [0:1]\nset cblabel 'attention'\nset yrange [9.5:-0.5]\n"
       << "set title 'Which letters each digit comes from'\nset tics out nomirror scale 0.5\nset xtics (";
  for (std::size_t i = 0; i < date.written.size(); ++i)
    plot << (i ? ", " : "") << "'" << std::string(1, date.written[i]) << "' " << static_cast<double>(i);
  plot << ")\nset ytics (";
  for (std::size_t i = 0; i < found.size(); ++i)
    plot << (i ? ", " : "") << "'" << std::string(1, found[i]) << "' " << static_cast<double>(i);
  plot << ")\nplot [-0.5:" << static_cast<double>(date.written.size()) - 0.5
       << "] $weights matrix with image notitle\n";
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Learns to rewrite dates");
  std::int64_t dates = 20000, epochs = 2, seed = 0;
  int threads = num_threads();
  app.add_option("--dates", dates, "to learn from")->capture_default_str();
  app.add_option("--epochs", epochs)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--threads", threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  set_num_threads(threads);
  manual_seed(static_cast<std::uint64_t>(seed));

  Generator generator(static_cast<std::uint64_t>(seed), 1);
  const auto make = [&](std::int64_t count) {
    std::vector<Tensor> x, y;
    for (std::int64_t i = 0; i < count; ++i) {
      const Date date = random_date(generator);
      x.push_back(data::ByteText::encode(date.written));
      y.push_back(output_tokens(date.iso));
    }
    return data::Sequences(std::move(x), std::move(y));
  };
  const data::Sequences learnt = make(dates), others = make(500);
  data::DataLoader loader(data::Buckets(learnt, learnt.lengths(), {.batch_size = 64}), {.shuffle = true, .seed = 0});

  Translator translator;
  optim::Adam adam(translator, {.lr = 3e-3});
  double first_loss = 0, loss = 0;
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (const auto& [x, y] : progress(loader)) {
      adam.zero_grad();
      const Tensor error = cross_entropy(flatten(translator(x, y), 0, 1), flatten(y));
      error.backward();
      optim::clip_grad_norm_(adam.parameters(), 1.0);
      adam.step();
      loss = error.item();
      if (first_loss == 0) first_loss = loss;
      total += loss;
    }
    std::int64_t right = 0;
    for (const auto& [x, y] : data::DataLoader(others, 100))
      right += sum((sum((translator.translate(x) == y).to(int64), 1) == output_length).to(int64)).item<std::int64_t>();
    std::cout << "epoch " << epoch << ": loss " << total / static_cast<double>(loader.size()) << ", " << right / 5.0
              << " % of other dates are right\n";
  }
  draw_attention(translator, random_date(generator));
  return loss < first_loss ? 0 : 1;
} catch (const Error& error) {
  std::cerr << "translate_dates: " << error.what() << '\n';
  return 1;
}
