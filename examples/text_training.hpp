#pragma once
// What the programs have in common that learn a text: where it comes from, the loop, and samples.

#include <xgrad/data/byte_text.hpp>
#include <xgrad/io/file.hpp>
#include <xgrad/nn/attention.hpp>
#include <xgrad/nn/embedding.hpp>
#include <xgrad/nn/generate.hpp>
#include <xgrad/nn/recurrent.hpp>
#include <xgrad/xgrad.hpp>

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

struct TextOptions {
  std::string text = "/usr/share/games/fortunes", checkpoint, record;
  std::int64_t epochs = 4, windows = 2000, batch_size = 16, seed = 0, validation = 65536;
  int threads = xgrad::num_threads();
  bool bfloat16 = false;

  void add_to(CLI::App& app) {
    app.add_option("text", text, "a text file, or a directory, of which files without a dot in their names are read")
        ->capture_default_str();
    app.add_option("--checkpoint", checkpoint, "where the state is kept; a run that finds it goes on from there");
    app.add_option("--record", record,
                   "a file for the initial weights and for what is learnt, in its order: benchmarks/text_torch.py");
    app.add_option("--epochs", epochs)->capture_default_str();
    app.add_option("--windows", windows, "in an epoch")->capture_default_str();
    app.add_option("--batch-size", batch_size)->capture_default_str();
    app.add_option("--validation", validation, "bytes at the end of the text that are not learnt")
        ->capture_default_str();
    app.add_option("--seed", seed)->capture_default_str();
    app.add_option("--threads", threads)->capture_default_str();
    app.add_flag("--bfloat16", bfloat16, "products in 16 bits: faster on processors with matrix instructions");
  }
};

/// The bytes of a file; or of the files in a directory, whose entries, parted by lines of `%` as fortunes are, come in
/// a random order, so that the end of the text is of the kind of the rest.
inline xgrad::data::ByteText read_text(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(path)) return xgrad::data::ByteText(path);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_regular_file() && !entry.path().has_extension()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> entries;
  for (const fs::path& file : files) {
    const std::string whole = xgrad::io::read_file(file.string());
    for (std::size_t begin = 0; begin < whole.size();) {
      const std::size_t end = std::min(whole.find("\n%\n", begin), whole.size());
      entries.push_back(whole.substr(begin, end - begin));
      begin = end + 3;
    }
  }
  std::vector<std::int64_t> order(entries.size());
  xgrad::Generator(0).permutation(order.data(), static_cast<std::int64_t>(order.size()));
  std::string all;
  for (const std::int64_t i : order) all += entries[static_cast<std::size_t>(i)] + "\n%\n";
  return xgrad::data::ByteText::of(all);
}

/// The mean over windows of minus the binary logarithm of the probability of each byte.
template <class Net>
double bits_per_character(Net& net, const xgrad::data::Dataset& windows, std::int64_t batch_size) {
  const xgrad::NoGrad no_grad;
  xgrad::nn::eval(net);
  double bits = 0;
  for (const auto& [x, y] : xgrad::data::DataLoader(windows, batch_size))
    bits +=
        cross_entropy(flatten(net(x), 0, 1), flatten(y), {.reduction = xgrad::Reduction::sum}).item() / std::log(2.0);
  return bits / static_cast<double>(windows.size() * windows.batch(std::vector<std::int64_t>{0}).x.numel());
}

/// Writes what a run begins with, weights and all that it will learn in its order, as safetensors.
template <class Net>
void record(const std::string& path, const Net& net, const xgrad::data::Dataset& validation,
            xgrad::data::DataLoader loader, std::int64_t epochs) {
  using namespace xgrad;
  std::vector<Tensor> x, y;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch)
    for (const auto& [from, to] : loader) {
      x.push_back(from.to(uint8));
      y.push_back(to.to(uint8));
    }
  std::vector<std::int64_t> all(static_cast<std::size_t>(validation.size()));
  std::iota(all.begin(), all.end(), 0);
  const data::Batch held_out = validation.batch(all);
  NamedTensors tensors{{"x", concat(x, 0)},
                       {"y", concat(y, 0)},
                       {"validation_x", held_out.x.to(uint8)},
                       {"validation_y", held_out.y.to(uint8)}};
  for (const auto& [name, tensor] : nn::state_dict(net)) tensors.emplace_back("net." + name, tensor);
  save_safetensors(path, tensors);
}

/// Trains a network that takes bytes (N, length) to logits (N, length, 256). After every epoch it reports the bits per
/// character of what was not learnt, and what `sample` gives. Returns the bits of the last epoch.
template <class Net, class Sample>
double train_on_text(Net& net, std::int64_t length, xgrad::optim::Optimizer& optimizer, const TextOptions& options,
                     const Sample& sample) {
  using namespace xgrad;
  const data::ByteText text = read_text(options.text);
  check(text.size() > 2 * options.validation, "the text of ", text.size(), " bytes has no ", options.validation,
        " for validation");
  const std::int64_t learnt = text.size() - options.validation;
  const data::Windows validation = text.part(learnt, text.size()).windows(length);
  const auto batches = [&] {
    return data::DataLoader(
        text.part(0, learnt).random_windows(length, {.count = options.windows}),
        {.batch_size = options.batch_size, .shuffle = true, .seed = static_cast<std::uint64_t>(options.seed)});
  };
  data::DataLoader loader = batches();
  if (!options.record.empty()) record(options.record, net, validation, batches(), options.epochs);
  const std::int64_t steps = options.epochs * loader.size(), warmup = std::min<std::int64_t>(50, steps / 10 + 1);
  optim::Schedule schedule(optimizer, optim::linear_warmup(warmup) >> optim::cosine(steps - warmup, {.end = 0.1}));
  std::optional<train::Checkpoint> checkpoint;
  if (!options.checkpoint.empty()) {
    checkpoint.emplace(options.checkpoint, net, optimizer, schedule, loader);
    if (checkpoint->restore_if_there()) std::cout << "goes on with epoch " << loader.epoch() + 1 << '\n';
  }
  std::cout << text.size() << " bytes, " << nn::num_parameters(net) << " parameters\n";
  double bits = bits_per_character(net, validation, options.batch_size);
  std::cout << std::fixed << std::setprecision(3) << bits << " bits per character before\n";
  for (std::int64_t epoch = loader.epoch(); epoch < options.epochs; ++epoch) {
    nn::train(net);
    for (const auto& [x, y] : progress(loader)) {
      optimizer.zero_grad();
      Tensor loss;
      {
        const Autocast autocast(bfloat16, {.enabled = options.bfloat16});
        loss = cross_entropy(flatten(net(x), 0, 1), flatten(y));
      }
      loss.backward();
      optim::clip_grad_norm_(optimizer.parameters(), 1.0);
      optimizer.step();
      schedule.step();
      if (checkpoint) checkpoint->save_every(std::chrono::seconds(30));
    }
    bits = bits_per_character(net, validation, options.batch_size);
    std::cout << "epoch " << epoch + 1 << ": " << bits << " bits per character\n" << sample() << "\n\n";
    if (checkpoint) checkpoint->save();
  }
  return bits;
}
