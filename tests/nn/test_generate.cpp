#include <xgrad/array/random.hpp>
#include <xgrad/autograd/create.hpp>
#include <xgrad/autograd/primitives.hpp>
#include <xgrad/nn/generate.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/softmax.hpp>

#include <cmath>
#include <functional>
#include <limits>

#include "../catch.hpp"

using namespace xgrad;
using Numbers = std::vector<std::int64_t>;
using Model = std::function<Tensor(const Tensor&)>;

namespace {

Numbers numbers(const Tensor& x) { return x.to_vector<std::int64_t>(); }

/// The logits of what follows a token are a row of a table.
Model bigram(const Tensor& table) {
  return [table](const Tensor& tokens) {
    return reshape(index_select(table, 0, flatten(tokens)), {tokens.size(0), tokens.size(1), table.size(1)});
  };
}

Model always(const std::vector<double>& logits) {
  const Tensor row = tensor(logits, {.dtype = float32});
  return [row](const Tensor& tokens) { return expand(row, {tokens.size(0), tokens.size(1), row.size(0)}); };
}

/// Logits depend on all tokens so far, through a sum that is kept.
struct Summing {
  Tensor table, out, sum = {};

  Tensor operator()(const Tensor& tokens) {
    const Tensor rows =
        reshape(index_select(table, 0, flatten(tokens)), {tokens.size(0), tokens.size(1), table.size(1)});
    Tensor sums = cumsum(rows, 1);
    if (sum.defined()) sums = sums + unsqueeze(sum, 1);
    sum = select(sums, 1, -1);
    return matmul(sums, out);
  }
};

/// The most probable continuation of all.
struct Exhaustive {
  const Tensor log_probabilities;  // of a bigram table
  const std::int64_t length, end;
  const double length_penalty;
  double best = -std::numeric_limits<double>::infinity();
  Numbers best_tokens = {};

  void search(Numbers& tokens, std::int64_t added, double score) {
    if (added == length || (added > 0 && tokens.back() == end)) {
      const double compared = score / std::pow(static_cast<double>(added), length_penalty);
      if (compared > best) {
        best = compared;
        best_tokens = tokens;
        best_tokens.resize(tokens.size() + static_cast<std::size_t>(length - added), end);
      }
      return;
    }
    const std::int64_t symbols = log_probabilities.size(1);
    const std::vector<double> all = log_probabilities.to_vector<double>();
    for (std::int64_t next = 0; next < symbols; ++next) {
      const double step = all[static_cast<std::size_t>(tokens.back() * symbols + next)];
      tokens.push_back(next);
      search(tokens, added + 1, score + step);
      tokens.pop_back();
    }
  }
};

}  // namespace

TEST_CASE("generate: temperature 0 takes the most probable token, the first of equal ones") {
  const Model model = bigram(tensor({{0., 5., 1.}, {0., 1., 2.}, {3., 3., 1.}}));
  CHECK(numbers(nn::generate(model, tensor({0}), {.length = 4, .temperature = 0})) == Numbers{0, 1, 2, 0, 1});
  const Tensor batch = nn::generate(model, tensor({{1, 0}, {0, 2}}), {.length = 2, .temperature = 0});
  CHECK(batch.shape() == Shape{2, 4});
  CHECK(numbers(batch) == Numbers{1, 0, 1, 2, 0, 2, 0, 1});
  CHECK(numbers(nn::generate(model, tensor({0}), {.length = 0})) == Numbers{0});
  CHECK(nn::generate(model, zeros({0, 3}, {.dtype = int64})).shape() == Shape{0, 3});
}

TEST_CASE("generate: tokens come as often as they are probable, and those that top_k and top_p leave out never") {
  const std::vector<double> probabilities{0.1, 0.4, 0.2, 0.3};
  std::vector<double> logits;
  for (const double p : probabilities) logits.push_back(std::log(p));
  const auto expect = [&](const std::vector<double>& expected, nn::GenerateOptions options) {
    options.length = 4000;
    options.seed = 5;
    std::vector<double> counts(4);
    for (const std::int64_t token : numbers(nn::generate(always(logits), tensor({0}), options)))
      ++counts[static_cast<std::size_t>(token)];
    --counts[0];  // the prompt
    for (std::size_t i = 0; i < 4; ++i) {
      INFO(i);
      CHECK(counts[i] / 4000 == Approx(expected[i]).margin(expected[i] == 0 ? 0 : 0.035));
    }
  };
  expect(probabilities, {});
  expect({0, 4. / 7, 0, 3. / 7}, {.top_k = 2});
  expect({0, 0.4 / 0.9, 0.2 / 0.9, 0.3 / 0.9}, {.top_p = 0.75});
  expect({0, 1, 0, 0}, {.top_p = 0.3});
  expect({0, 0.16 / 0.29, 0.04 / 0.29, 0.09 / 0.29}, {.temperature = 0.5, .top_k = 3});
}

TEST_CASE("generate: what a row gets depends on the seed and its number alone") {
  manual_seed(0);
  const Model model = bigram(randn({20, 20}));
  const Tensor prompt = tensor({{1}, {2}, {3}});
  const nn::GenerateOptions seeded{.length = 30, .seed = 1};
  const Numbers all = numbers(nn::generate(model, prompt, seeded));
  CHECK(numbers(nn::generate(model, prompt, seeded)) == all);
  CHECK(numbers(nn::generate(model, narrow(prompt, 0, 0, 2), seeded)) == Numbers(all.begin(), all.begin() + 62));
  CHECK(numbers(nn::generate(model, prompt, {.length = 30, .seed = 2})) != all);
  CHECK(numbers(nn::generate(model, prompt, {.length = 30, .seed = 1, .cached = false})) == all);
  const auto unseeded = [&] {
    manual_seed(7);
    return numbers(nn::generate(model, prompt, {.length = 30}));
  };
  CHECK(unseeded() == unseeded());
}

TEST_CASE("generate: a penalty of repetition, and an end") {
  CHECK(numbers(nn::generate(always({3, 5, -1, 4}), tensor({1}),
                             {.length = 4, .temperature = 0, .repetition_penalty = 10})) == Numbers{1, 3, 0, 1, 1});
  const Model chain = bigram(tensor({{0., 9., 0.}, {0., 0., 9.}, {9., 0., 0.}}));
  CHECK(numbers(nn::generate(chain, tensor({{0}, {1}}), {.length = 9, .temperature = 0, .end_token = 2})) ==
        Numbers{0, 1, 2, 1, 2, 2});
}

TEST_CASE("generate: beam search finds the most probable sequence where beams are many enough") {
  manual_seed(3);
  for (const double length_penalty : {0., 1., 2.}) {
    const Tensor table = randn({4, 4}) * 2;
    const Tensor prompt = tensor({{0}, {3}});
    const Tensor found =
        nn::generate(bigram(table), prompt,
                     {.length = 4, .end_token = 2, .beams = 300, .length_penalty = length_penalty, .cached = false});
    for (std::int64_t row = 0; row < 2; ++row) {
      Exhaustive all{log_softmax(table, 1).to(float64), 4, 2, length_penalty};
      Numbers tokens{row == 0 ? 0 : 3};
      all.search(tokens, 0, 0);
      all.best_tokens.resize(static_cast<std::size_t>(found.size(1)), 2);
      CHECK(numbers(select(found, 0, row)) == all.best_tokens);
    }
  }
}

TEST_CASE("generate: a model that remembers gives the same as one that is told everything again") {
  manual_seed(4);
  const Tensor table = randn({6, 8}), out = randn({8, 6}), prompt = tensor({{0, 1, 2}, {3, 4, 5}});
  for (const std::int64_t beams : {1, 3}) {
    nn::GenerateOptions options{.length = 6, .temperature = 0, .end_token = 5, .beams = beams};
    Summing remembers{table, out};
    options.reorder = [&](const Tensor& rows) { remembers.sum = index_select(remembers.sum, 0, rows); };
    const Numbers with =
        numbers(nn::generate([&](const Tensor& tokens) { return remembers(tokens); }, prompt, options));
    options.cached = false;
    options.reorder = {};
    const Numbers without = numbers(nn::generate(
        [&](const Tensor& tokens) {
          return Summing{table, out}(tokens);
        },
        prompt, options));
    CHECK(with == without);
  }
}

TEST_CASE("generate: what cannot be is an Error") {
  const Model model = always({1, 2});
  const Tensor prompt = tensor({0});
  const auto refuses = [&](const nn::GenerateOptions& options, const std::string& message) {
    CHECK_THROWS_WITH(nn::generate(model, prompt, options), Catch::StartsWith("generate: " + message));
  };
  refuses({.length = -1}, "length -1 is negative");
  refuses({.temperature = -1}, "temperature -1");
  refuses({.temperature = std::nan("")}, "temperature");
  refuses({.top_k = -1}, "top_k -1 is negative");
  refuses({.top_p = 0}, "top_p is 0");
  refuses({.repetition_penalty = 0}, "repetition_penalty 0");
  refuses({.end_token = 2}, "end_token 2 is out of range for logits of 2 tokens");
  refuses({.beams = 0}, "0 beams");
  refuses({.beams = 2}, "beam search with a cache needs `reorder`");
  CHECK_THROWS_WITH(nn::generate(model, ones({1})), Catch::StartsWith("generate: a prompt is of integers"));
  CHECK_THROWS_WITH(nn::generate(model, zeros({0}, {.dtype = int64})),
                    Catch::StartsWith("generate: the prompt (0,) is not"));
  CHECK_THROWS_WITH(nn::generate(model, tensor({7}), {.repetition_penalty = 2}),
                    Catch::StartsWith("generate: token 7 is out of range"));
  CHECK_THROWS_WITH(nn::generate([](const Tensor& x) { return x; }, prompt),
                    Catch::StartsWith("generate: the model gave (1, 1) for tokens (1, 1)"));
  CHECK_THROWS_WITH(nn::generate(always({std::nan(""), 1}), prompt),
                    Catch::StartsWith("generate: logits of row 0 are NaN"));
  CHECK_THROWS_WITH(nn::generate(Model(), prompt), Catch::StartsWith("generate: the model is empty"));
}
