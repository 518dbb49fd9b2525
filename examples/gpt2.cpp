// Loads a GPT-2 from a directory in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or
// vocab.json and merges.txt) and goes on writing a text.
//   gpt2 DIRECTORY [--prompt TEXT] [--length N] [--temperature T] [--top-k K] [--top-p P] [--beams N] [--seed N]
#include <xgrad/nn/generate.hpp>
#include <xgrad/text/byte_pair_encoding.hpp>

#include <chrono>
#include <CLI/CLI.hpp>
#include <iostream>

#include "models/hugging_face.hpp"

using namespace xgrad;

int main(int argc, char** argv) try {
  CLI::App app("Writes a text with GPT-2");
  std::string directory, prompt = "The";
  nn::GenerateOptions options{.length = 100, .temperature = 0.8, .top_k = 40, .seed = 0};
  app.add_option("directory", directory)->required();
  app.add_option("--prompt", prompt)->capture_default_str();
  app.add_option("--length", options.length, "tokens to add")->capture_default_str();
  app.add_option("--temperature", options.temperature, "0: always the most probable token")->capture_default_str();
  app.add_option("--top-k", options.top_k)->capture_default_str();
  app.add_option("--top-p", options.top_p)->capture_default_str();
  app.add_option("--repetition-penalty", options.repetition_penalty)->capture_default_str();
  app.add_option("--beams", options.beams)->capture_default_str();
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);

  const auto tokens = text::BytePairEncoding::load(directory);
  models::GPT2 gpt2 = models::load_gpt2(directory);
  nn::eval(gpt2);
  options.end_token = tokens.token("<|endoftext|>");
  std::vector<nn::KVCache> caches(gpt2.transformer.h.size());
  options.reorder = [&](const Tensor& rows) {
    for (nn::KVCache& cache : caches) cache = {index_select(cache.key, 0, rows), index_select(cache.value, 0, rows)};
  };
  const Tensor begin = tokens.encode(prompt);
  check(begin.numel() + options.length <= gpt2.transformer.wpe.weight.size(0), "the prompt and ", options.length,
        " tokens are more than the ", gpt2.transformer.wpe.weight.size(0), " places of the model");
  const auto start = std::chrono::steady_clock::now();
  const Tensor all = nn::generate([&](const Tensor& x) { return gpt2(x, &caches); }, begin, options);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << tokens.decode(all) << '\n';
  std::cerr << all.numel() - begin.numel() << " tokens in " << seconds.count() << " s\n";
} catch (const Error& error) {
  std::cerr << "gpt2: " << error.what() << '\n';
  return 1;
}
