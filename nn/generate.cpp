#include "generate.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "../array/random.hpp"
#include "../autograd/create.hpp"
#include "../autograd/node.hpp"
#include "../kernels/token_choice.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"
#include "../ops/softmax.hpp"

namespace xgrad::nn {

namespace {

constexpr std::uint64_t row_stream = std::uint64_t{7} << 60;  // apart from the streams of threads and data sets

using Tokens = std::vector<std::int64_t>;

void check_options(const GenerateOptions& options) {
  check(options.length >= 0, "generate: length ", options.length, " is negative");
  check(options.temperature >= 0 && std::isfinite(options.temperature), "generate: temperature ", options.temperature,
        "; it must not be negative");
  check(options.top_k >= 0, "generate: top_k ", options.top_k, " is negative");
  check(options.top_p > 0 && options.top_p <= 1, "generate: top_p is ", options.top_p, "; it must lie between 0 and 1");
  check(options.repetition_penalty > 0 && std::isfinite(options.repetition_penalty), "generate: repetition_penalty ",
        options.repetition_penalty, "; it must be positive");
  check(options.beams >= 1 && options.beams <= 1000, "generate: ", options.beams, " beams; there must be 1 to 1000");
  check(options.beams == 1 || !options.cached || options.reorder != nullptr,
        "generate: beam search with a cache needs `reorder`, which tells the cache what its rows become");
}

Tensor as_tensor(const std::vector<Tokens>& rows, std::size_t begin) {
  const std::size_t length = rows.empty() ? 0 : rows.front().size() - begin;
  const Tensor out =
      empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(length)}, {.dtype = int64});
  std::int64_t* to = out.data<std::int64_t>();
  for (const Tokens& row : rows) to = std::copy(row.begin() + static_cast<std::ptrdiff_t>(begin), row.end(), to);
  return out;
}

/// The model, and what it has been told.
class Caller {
 public:
  Caller(const std::function<Tensor(const Tensor&)>& model, const GenerateOptions& options)
      : model_(model), options_(options) {}

  /// Logits (N, V) of what comes after these rows, float32 and row-major.
  Tensor operator()(const std::vector<Tokens>& rows) {
    const Tensor tokens = as_tensor(rows, options_.cached ? told_ : 0);
    told_ = rows.front().size();
    const auto n = static_cast<std::int64_t>(rows.size());
    Tensor logits = model_(tokens);
    check(logits.defined() && is_floating(logits.dtype()) && (logits.dim() == 2 || logits.dim() == 3) &&
              logits.size(0) == n && logits.size(1) > 0 && logits.size(-1) > 0,
          "generate: the model gave ", logits.defined() ? logits.shape() : Shape{}, " for tokens ", tokens.shape(),
          "; logits have the shape (N, L, V) or (N, V)");
    if (logits.dim() == 3) logits = select(logits, 1, -1);
    const std::int64_t symbols = logits.size(1);
    check(!options_.end_token || (*options_.end_token >= 0 && *options_.end_token < symbols), "generate: end_token ",
          options_.end_token.value_or(0), " is out of range for logits of ", symbols, " tokens");
    if (options_.repetition_penalty != 1)
      for (const Tokens& row : rows)
        for (const std::int64_t token : row)
          check(token >= 0 && token < symbols, "generate: token ", token, " is out of range for logits of ", symbols,
                " tokens");
    return logits.to(float32).contiguous();
  }

 private:
  const std::function<Tensor(const Tensor&)>& model_;
  const GenerateOptions& options_;
  std::size_t told_ = 0;
};

std::span<const float> row_of(const Tensor& logits, std::size_t row) {
  const auto symbols = static_cast<std::size_t>(logits.size(1));
  return {logits.data<float>() + row * symbols, symbols};
}

[[noreturn]] void fail_of_logits(std::size_t row) {
  fail("generate: logits of row ", row, " are NaN or infinite, or all of them -infinite");
}

void sample(Caller& model, std::vector<Tokens>& rows, const GenerateOptions& options) {
  const std::uint64_t seed = options.seed ? *options.seed : options.temperature ? default_generator().next() : 0;
  detail::TokenChoice choose({options.temperature, options.top_k, options.top_p, options.repetition_penalty});
  std::vector<Generator> generators;
  for (std::size_t row = 0; row < rows.size(); ++row) generators.emplace_back(seed, row_stream + row);
  std::vector<bool> ended(rows.size());
  for (std::int64_t step = 0; step < options.length; ++step) {
    const Tensor logits = model(rows);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const double uniform = static_cast<double>(generators[row].next() >> 11U) * 0x1p-53;
      std::int64_t next = ended[row] ? *options.end_token : choose(row_of(logits, row), rows[row], uniform);
      if (next < 0) fail_of_logits(row);
      ended[row] = options.end_token == next;
      rows[row].push_back(next);
    }
    if (std::find(ended.begin(), ended.end(), false) == ended.end()) break;
  }
}

/// Beam search of all rows at once.
class BeamSearch {
 public:
  BeamSearch(const std::vector<Tokens>& prompts, const GenerateOptions& options)
      : options_(options), beams_(static_cast<std::size_t>(options.beams)), prompt_(prompts.front().size()) {
    for (const Tokens& prompt : prompts) searches_.push_back({{{prompt, 0}}, {}});
  }

  std::vector<Tokens> run(Caller& model) {
    for (std::int64_t step = 0; step < options_.length; ++step) {
      std::vector<Tokens> rows;
      for (const Search& search : searches_)
        for (const Beam& beam : search.running) rows.push_back(beam.tokens);
      if (rows.empty()) break;
      const Tensor log_probabilities = penalized(model(rows), rows);
      std::size_t first = 0;
      std::vector<std::int64_t> from;
      for (Search& search : searches_) {
        const std::size_t running = search.running.size();
        advance(search, log_probabilities, first, from);
        first += running;
      }
      if (options_.reorder && !from.empty()) options_.reorder(tensor(from));
    }
    std::vector<Tokens> best;
    std::size_t longest = 0;
    for (Search& search : searches_) {
      for (const Beam& beam : search.running) end(search, beam);
      best.push_back(search.ended.front().tokens);
      longest = std::max(longest, best.back().size());
    }
    for (Tokens& tokens : best) tokens.resize(longest, options_.end_token.value_or(0));
    return best;
  }

 private:
  struct Beam {
    Tokens tokens;
    double score;  // log probability of what was added
  };
  struct Search {
    std::vector<Beam> running, ended;  // the scores of `ended`, the best first, are final
  };
  struct Candidate {
    double score;
    std::size_t beam;
    std::int64_t token;
  };

  double final_score(const Beam& beam) const {
    const auto added = static_cast<double>(beam.tokens.size() - prompt_);
    return added == 0 ? 0 : beam.score / std::pow(added, options_.length_penalty);
  }
  void end(Search& search, const Beam& beam) const {
    const double score = final_score(beam);
    const auto worse =
        std::find_if(search.ended.begin(), search.ended.end(), [&](const Beam& other) { return other.score < score; });
    search.ended.insert(worse, Beam{beam.tokens, score});
  }

  Tensor penalized(const Tensor& logits, const std::vector<Tokens>& rows) const {
    const Tensor out = log_softmax(logits, 1).to(float64).contiguous();
    const auto symbols = static_cast<std::size_t>(out.size(1));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::span<double> all(out.data<double>() + row * symbols, symbols);
      if (std::any_of(all.begin(), all.end(), [](double value) { return std::isnan(value); })) fail_of_logits(row);
      detail::penalize_repetition(all, rows[row], options_.repetition_penalty);
    }
    return out;
  }

  /// One token more for the beams whose rows begin at `first`; `from` gets the row that each new one goes on from.
  void advance(Search& search, const Tensor& log_probabilities, std::size_t first, std::vector<std::int64_t>& from) {
    const auto symbols = static_cast<std::size_t>(log_probabilities.size(1));
    std::vector<Candidate> candidates;
    for (std::size_t beam = 0; beam < search.running.size(); ++beam)
      for (std::size_t token = 0; token < symbols; ++token)
        candidates.push_back(
            {search.running[beam].score + log_probabilities.data<double>()[(first + beam) * symbols + token], beam,
             static_cast<std::int64_t>(token)});
    const auto better = [](const Candidate& a, const Candidate& b) {
      if (a.score != b.score) return a.score > b.score;
      return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
    };
    // Twice as many as there are beams: at most one of each beam ends, so enough go on.
    const std::size_t kept = std::min(candidates.size(), 2 * beams_);
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept), candidates.end(),
                      better);
    std::vector<Beam> next;
    std::vector<std::int64_t> rows;  // of the last call, from which these go on
    for (std::size_t i = 0; i < kept && next.size() < beams_; ++i) {
      const Candidate& candidate = candidates[i];
      Beam beam{search.running[candidate.beam].tokens, candidate.score};
      beam.tokens.push_back(candidate.token);
      if (options_.end_token == candidate.token) {
        if (i < beams_) end(search, beam);
      } else {
        next.push_back(std::move(beam));
        rows.push_back(static_cast<std::int64_t>(first + candidate.beam));
      }
    }
    search.running = std::move(next);
    const bool can_improve = search.running.empty() || search.ended.size() < beams_ ||
                             search.ended[beams_ - 1].score < final_score(search.running.front());
    if (can_improve)
      from.insert(from.end(), rows.begin(), rows.end());
    else
      search.running.clear();
  }

  const GenerateOptions& options_;
  const std::size_t beams_, prompt_;
  std::vector<Search> searches_;
};

}  // namespace

Tensor generate(const std::function<Tensor(const Tensor&)>& model, const Tensor& prompt,
                const GenerateOptions& options) {
  check_options(options);
  check(model != nullptr, "generate: the model is empty");
  check(prompt.defined() && detail::kind_of(prompt.dtype()) == detail::Kind::integer,
        "generate: a prompt is of integers");
  check((prompt.dim() == 1 || prompt.dim() == 2) && prompt.size(-1) > 0, "generate: the prompt ", prompt.shape(),
        " is not (L,) or (N, L), with at least one token");
  return detail::with_memory_for("generate", [&] {
    const NoGrad no_grad;
    const bool single = prompt.dim() == 1;
    const auto length = static_cast<std::size_t>(prompt.size(-1));
    const Tokens flat = prompt.detach().to(int64).to_vector<std::int64_t>();
    std::vector<Tokens> rows;
    for (auto at = flat.begin(); at != flat.end(); at += static_cast<std::ptrdiff_t>(length))
      rows.emplace_back(at, at + static_cast<std::ptrdiff_t>(length));
    if (!rows.empty()) {
      Caller caller(model, options);
      if (options.beams > 1)
        rows = BeamSearch(rows, options).run(caller);
      else
        sample(caller, rows, options);
    }
    if (rows.empty()) return prompt.detach().to(int64);
    const Tensor out = as_tensor(rows, 0);
    return single ? select(out, 0, 0) : out;
  });
}

}  // namespace xgrad::nn
