#pragma once
// Language models from directories in Hugging Face's layout: config.json and model.safetensors.

#include <xgrad/io/file.hpp>

#include <nlohmann/json.hpp>
#include <string>

#include "gpt2.hpp"
#include "llama.hpp"

namespace models {

inline nlohmann::json read_config(const std::string& directory) {
  const std::string path = directory + "/config.json";
  nlohmann::json config = nlohmann::json::parse(xgrad::io::read_file(path), nullptr, false);
  xgrad::check(config.is_object(), path, ": this is no JSON object");
  return config;
}

inline GPT2 load_gpt2(const std::string& directory) {
  const nlohmann::json config = read_config(directory);
  GPT2Options options;
  const auto read = [&](const char* name, auto& option) { option = config.value(name, option); };
  read("vocab_size", options.vocab_size);
  read("n_positions", options.n_positions);
  read("n_embd", options.n_embd);
  read("n_layer", options.n_layer);
  read("n_head", options.n_head);
  read("layer_norm_epsilon", options.layer_norm_epsilon);
  read("resid_pdrop", options.dropout);
  GPT2 gpt2(options);
  // The first files of GPT-2 have neither the prefix nor the head, and masks, which are constants.
  xgrad::NamedTensors values;
  for (auto& [name, value] : xgrad::load_safetensors(directory + "/model.safetensors")) {
    if (name == "lm_head.weight" || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")) continue;
    values.emplace_back(name.starts_with("transformer.") ? name : "transformer." + name, value);
  }
  xgrad::nn::load_state_dict(gpt2, values);
  return gpt2;
}

inline Llama load_llama(const std::string& directory) {
  const nlohmann::json config = read_config(directory);
  LlamaOptions options;
  const auto read = [&](const char* name, auto& option) { option = config.value(name, option); };
  read("vocab_size", options.vocab_size);
  read("hidden_size", options.hidden_size);
  read("intermediate_size", options.intermediate_size);
  read("num_hidden_layers", options.num_hidden_layers);
  read("num_attention_heads", options.num_attention_heads);
  options.num_key_value_heads = config.value("num_key_value_heads", options.num_attention_heads);
  read("rms_norm_eps", options.rms_norm_eps);
  read("rope_theta", options.rope_theta);
  if (config.contains("rope_parameters"))
    options.rope_theta = config["rope_parameters"].value("rope_theta", options.rope_theta);
  Llama llama(options);
  if (config.value("tie_word_embeddings", false)) llama.lm_head.weight = llama.model.embed_tokens.weight;
  xgrad::load(llama, directory + "/model.safetensors");
  return llama;
}

}  // namespace models
