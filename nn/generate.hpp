#pragma once
// Sequences from models that tell how probable each next token is.

#include <cstdint>
#include <functional>
#include <optional>

#include "../autograd/tensor.hpp"

namespace xgrad::nn {

struct GenerateOptions {
  std::int64_t length = 20;  // tokens that are added, at most
  double temperature = 1;    // logits are divided by it; 0: always the most probable token (greedy)
  std::int64_t top_k = 0;    // only so many most probable tokens can be drawn; 0: all
  double top_p = 1;          // only so many most probable tokens as together have this probability
  double repetition_penalty =
      1;  // logits of tokens that were there: positive ones are divided by it, others multiplied
  std::optional<std::int64_t> end_token = {};  // ends a sequence; what would come after it is this token again
  std::optional<std::uint64_t> seed = {};      // of the drawing; without one it comes from default_generator()

  std::int64_t beams = 1;  // more: beam search, which draws nothing, with temperature, top_k and top_p left as they are
  double length_penalty = 1;  // beams that ended are compared by log probability / (tokens added)^length_penalty

  bool cached = true;  // the model remembers what it has seen, and is called with new tokens; else with all of them
  std::function<void(const Tensor& rows)> reorder = {};  // of a model with cache, for beam search: see below
};

/// Tokens as a language model goes on from a prompt.
///
/// The model takes tokens (N, L), int64, and gives logits (N, L, V), of which the last ones count, or (N, V). It is
/// called with the prompt, then with one token a row, until there are `length` new ones or all rows have the end_token.
/// Runs outside the graph; put modules into evaluation mode before. The prompt is of shape (L,) or (N, L), at least one
/// token long; the result is the prompt and what was added, (L + added,) or (N, L + added). What is drawn for a row
/// depends on the seed, the row's number and its logits alone.
///
/// Beam search keeps the `beams` most probable sequences of each row and gives the best one. The rows of its calls are
/// those of all prompts that are not done, at most N * beams; after each call `reorder` is told which of its rows each
/// row of the next one goes on from: caches become `index_select(cache, 0, rows)`.
///
///     std::vector<nn::KVCache> caches(depth);
///     Tensor text = nn::generate([&](const Tensor& tokens) { return gpt(tokens, &caches); }, prompt, {.length = 100});
///
/// Throws Error for a prompt of another shape or dtype or without tokens, options out of range, an end_token that is
/// none, logits of another shape, and logits that are NaN, infinite, or all -infinite.
Tensor generate(const std::function<Tensor(const Tensor& tokens)>& model, const Tensor& prompt,
                const GenerateOptions& options = {});

}  // namespace xgrad::nn
