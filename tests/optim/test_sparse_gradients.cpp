// Gradients of tables that hold the rows that were used alone.
#include <xgrad/xgrad.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include <xgrad/autograd/sparse_rows.hpp>
#include <xgrad/optim/sparse_adam.hpp>

#include "../catch.hpp"
#include "../ops/values.hpp"

using namespace xgrad;
using nlohmann::json;

namespace {

const EmbeddingOptions sparse{.sparse = true};

/// (rows, 3) of float64: cos(1.3 i).
Tensor table_of(std::int64_t rows) {
  return reshape(cos(arange(rows * 3, {.dtype = float64}) * 1.3), {rows, 3}).detach().requires_grad_();
}

template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> optimizer_of(const Tensor& table, const json& values) {
  Options options;
  std::size_t found = 0;
  for_each_field(options, [&]<class Field>(std::string_view name, Field& field) {
    const auto value = values.find(std::string(name));
    if (value == values.end()) return;
    ++found;
    if constexpr (std::same_as<Field, optim::Option<bool>>)
      field = value->get<bool>();
    else
      field = value->get<double>();
  });
  REQUIRE(found == values.size());
  return std::make_unique<Optimizer>(optim::ParamGroups<Options>{table}, options);
}

/// The loss of step t of tests/reference/make_sparse_gradients.py.
Tensor loss_of(const Tensor& table, int t, const EmbeddingOptions& options) {
  Integers first, second;
  for (int k = 0; k < 5; ++k) first.push_back((3 * t * t + k * (k + t)) % 7);
  for (int k = 0; k < 3; ++k) second.push_back((t + 2 * k) % 7);
  const Tensor k = reshape(arange(5, {.dtype = float64}), {5, 1}), j = arange(3, {.dtype = float64});
  return sum(embedding(tensor(first), table, options) * sin(k + 2 * j + 0.5 * t)) +
         sum(square(embedding(tensor(second), table, options))) / 2;
}

bool near(const Doubles& actual, const Doubles& expected) {
  return std::equal(actual.begin(), actual.end(), expected.begin(), expected.end(),
                    [](double a, double b) { return std::abs(a - b) <= 1e-11; });
}

}  // namespace

TEST_CASE("sparse gradients: SGD, Adagrad, SparseAdam and clipping follow PyTorch") {
  const json reference = json::parse(std::ifstream(XGRAD_TESTS_DIR "/reference/sparse_gradients.json"));
  for (const json& run : reference["runs"]) {
    const std::string name = run["optimizer"];
    INFO(run["optimizer"] << run["options"]);
    const Tensor table = table_of(7);
    const auto optimizer = name == "SGD" ? optimizer_of<optim::SGD, optim::SGDOptions>(table, run["options"])
                           : name == "Adagrad"
                               ? optimizer_of<optim::Adagrad, optim::AdagradOptions>(table, run["options"])
                               : optimizer_of<optim::SparseAdam, optim::SparseAdamOptions>(table, run["options"]);
    for (int t = 1; t <= 20; ++t) {
      optimizer->zero_grad();
      loss_of(table, t, sparse).backward();
      REQUIRE(sparse_grad(table).has_value());
      if (!run["max_norm"].is_null()) optim::clip_grad_norm_({table}, run["max_norm"].get<double>());
      optimizer->step();
      REQUIRE(sparse_grad(table).has_value());
      if (const auto expected = run["table"].find(std::to_string(t)); expected != run["table"].end())
        CHECK(near(values<double>(table), expected->get<Doubles>()));
    }
  }
}

TEST_CASE("sparse gradients: the dense one's rows, bit by bit, for any number of threads and all options") {
  const int before = num_threads();
  Generator generator(3);
  const Tensor at = randint(0, 4000, {60, 50}, {.generator = &generator}),
               g = randn({60, 50, 40}, {.generator = &generator}), of_bags = randn({60, 40}, {.generator = &generator}),
               weights = rand({60, 50}, {.generator = &generator});
  const auto gradient = [&](bool rows, int threads, auto run) {
    set_num_threads(threads);
    const Tensor table = ones({5000, 40}, {.requires_grad = true});
    run(table, rows);
    const std::optional<SparseRows> found = sparse_grad(table);
    CHECK(found.has_value() == rows);
    if (found) CHECK(found->indices.numel() < 4000);
    return values<float>(table.grad());
  };
  const auto check_all = [&](auto run) {
    const Floats dense = gradient(false, 1, run);
    for (const int threads : {1, 2, 4}) CHECK(gradient(true, threads, run) == dense);
  };
  for (const bool by_frequency : {false, true})
    check_all([&](const Tensor& table, bool rows) {
      embedding(at, table, {.padding_idx = 7, .scale_grad_by_freq = by_frequency, .sparse = rows}).backward(g);
    });
  for (const BagMode mode : {BagMode::sum, BagMode::mean})
    check_all([&](const Tensor& table, bool rows) {
      embedding_bag(at, table, {}, {.mode = mode, .padding_idx = 7, .sparse = rows}).backward(of_bags);
    });
  check_all([&](const Tensor& table, bool rows) {
    const Tensor factors = weights.detach().clone().requires_grad_();
    embedding_bag(at, table, {}, {.mode = BagMode::sum, .per_sample_weights = factors, .sparse = rows})
        .backward(of_bags);
    CHECK(factors.grad().defined());
  });
  check_all([&](const Tensor& table, bool rows) {
    embedding(zeros({0}, {.dtype = int64}), table, {.sparse = rows}).backward(zeros({0, 40}));
  });
  set_num_threads(before);
}

TEST_CASE("sparse gradients: rows and dense gradients add up in any order") {
  const Tensor table = table_of(7), expected_table = table_of(7);
  const Tensor linear = randn({3, 7}, {.dtype = float64});
  const auto loss = [&](const Tensor& w, char kind, const EmbeddingOptions& options) {
    if (kind == 'd') return sum(matmul(w, linear));                           // dense
    if (kind == 'b') return loss_of(w, 1, options) + sum(matmul(w, linear));  // both in one pass
    return loss_of(w, 2, options);
  };
  for (const std::string_view kinds : {"ss", "sd", "ds", "b", "sb", "bs", "sds"}) {
    INFO(kinds);
    table.zero_grad();
    expected_table.zero_grad();
    for (const char kind : kinds) {
      loss(table, kind, sparse).backward();
      loss(expected_table, kind, {}).backward();
    }
    CHECK(sparse_grad(table).has_value() == (kinds == "ss"));
    CHECK(near(values<double>(table.grad()), values<double>(expected_table.grad())));
    CHECK(!sparse_grad(table).has_value());  // grad() keeps what it made
  }
  // A gradient that repeats its elements, and one that lies otherwise in memory.
  for (const Tensor& first :
       {expand(ones({1, 1}, {.dtype = float64}), {7, 3}), transpose(ones({3, 7}, {.dtype = float64}), 0, 1)}) {
    table.set_grad(first);
    loss(table, 's', sparse).backward();
    expected_table.zero_grad();
    loss(expected_table, 's', {}).backward();
    CHECK(near(values<double>(table.grad()), values<double>(expected_table.grad() + 1)));
  }
}

TEST_CASE("sparse gradients: what grad(), set_grad(), hooks, freezing and a failed pass do to them") {
  const Tensor table = table_of(7);
  const auto pass = [&] { sum(embedding(tensor({4, 1, 4}), table, sparse)).backward(); };
  CHECK(!sparse_grad(table).has_value());
  pass();
  std::optional<SparseRows> rows = sparse_grad(table);
  REQUIRE(rows.has_value());
  CHECK(values<std::int64_t>(rows->indices) == Integers{1, 4});
  CHECK(values<double>(rows->values) == Doubles{1, 1, 1, 2, 2, 2});
  rows->values.mul_(2);  // no copy
  CHECK(values<double>(sparse_grad(table)->values) == Doubles{2, 2, 2, 4, 4, 4});
  pass();
  CHECK(values<double>(sparse_grad(table)->values) == Doubles{3, 3, 3, 6, 6, 6});
  optim::clip_grad_value_({table}, 4);
  CHECK(values<double>(sparse_grad(table)->values) == Doubles{3, 3, 3, 4, 4, 4});
  CHECK(values<double>(table.grad()) == Doubles{0, 0, 0, 3, 3, 3, 0, 0, 0, 0, 0, 0, 4, 4, 4, 0, 0, 0, 0, 0, 0});
  table.grad().mul_(2);
  pass();
  CHECK(values<double>(table.grad())[12] == 10);

  table.zero_grad();
  CHECK(!table.grad().defined());
  pass();
  table.zero_grad();
  CHECK(!sparse_grad(table).has_value());
  CHECK(!table.grad().defined());

  {
    Shape seen;
    const HookHandle hook = table.register_hook([&](const Tensor& gradient) {
      seen = gradient.shape();
      return gradient * 3;
    });
    pass();
    CHECK(seen == Shape{7, 3});
    CHECK(!sparse_grad(table).has_value());
    CHECK(values<double>(table.grad())[3] == 3);
  }
  table.zero_grad();
  pass();
  CHECK(sparse_grad(table).has_value());  // the hook is gone

  Tensor frozen = table;
  const Tensor loss = sum(embedding(tensor({2}), table, sparse));
  frozen.requires_grad_(false);
  loss.backward();
  CHECK(values<std::int64_t>(sparse_grad(table)->indices) == Integers{1, 4});
  frozen.requires_grad_();

  const Tensor other = ones({1, 3}, {.dtype = float64, .requires_grad = true});
  const HookHandle fails = other.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("no"); });
  CHECK_THROWS_AS(sum(embedding(tensor({2}), table, sparse) * other).backward(), std::runtime_error);
  CHECK(values<std::int64_t>(sparse_grad(table)->indices) == Integers{1, 4});
}

TEST_CASE("sparse gradients: recorded passes, grad(), and tables that are no leaves have dense ones") {
  const Tensor table = table_of(7), dense = table_of(7);
  const auto second = [](const Tensor& w, const EmbeddingOptions& options) {
    const Tensor first = grad(sum(pow(embedding(tensor({4, 1, 4}), w, options), 3)), w, {.create_graph = true});
    return grad(sum(square(first)), w);
  };
  CHECK(values<double>(second(table, sparse)) == values<double>(second(dense, {})));
  sum(square(embedding(tensor({4, 1, 4}), table, sparse))).backward({.create_graph = true});
  CHECK(table.grad().requires_grad());
  CHECK(!sparse_grad(table).has_value());
  table.zero_grad();
  sum(embedding(tensor({4}), table * 2, sparse)).backward();
  CHECK(values<double>(table.grad())[12] == 2);
}

TEST_CASE("sparse gradients: optimizers and options that cannot take them say so before anything changes") {
  const nn::Embedding embed(5, 2, {.sparse = true});
  const Tensor other = ones({2}, {.requires_grad = true});
  const auto pass = [&] { (sum(embed(tensor({3, 3}))) + sum(other)).backward(); };
  pass();
  const Floats before = values<float>(embed.weight);
  const auto expect = [&](optim::Optimizer&& optimizer, const std::string& message) {
    CHECK_THROWS_WITH(optimizer.step(), Catch::StartsWith(message));
    CHECK(values<float>(embed.weight) == before);
    CHECK(values<float>(other) == Floats{1, 1});
  };
  const std::string taken =
      "optimizer: parameter 1 of shape (5, 2) has a sparse gradient; SGD without momentum and weight decay, Adagrad "
      "without weight decay and SparseAdam take it";
  const std::vector<Tensor> both{other, embed.weight};
  expect(optim::Adam(both), taken);
  expect(optim::SGD(both, {.lr = 1, .momentum = 0.9}), taken);
  expect(optim::Adagrad(both, {.weight_decay = 0.1}), taken);
  expect(optim::Muon({embed.weight}), "optimizer: parameter 0 of shape (5, 2) has a sparse gradient");
  expect(optim::SparseAdam({embed.weight, other}),
         "optimizer: parameter 1 of shape (2,) has a dense gradient, and SparseAdam takes sparse ones");
  optim::SGD(both, {.lr = 1}).step();
  CHECK(values<float>(other) == Floats{0, 0});
  CHECK(values<float>(embed.weight)[6] == before[6] - 2);

  CHECK_THROWS_WITH(embedding(tensor({0}), zeros({2, 2}, {.dtype = bfloat16}), sparse),
                    Catch::StartsWith("embedding: weight is bfloat16; sparse is for float32 and float64"));
  CHECK_THROWS_WITH(embedding(tensor({0}), transpose(zeros({2, 3}), 0, 1), sparse),
                    Catch::StartsWith("embedding: with sparse, rows of weight are updated as they lie"));
  CHECK_THROWS_WITH(embedding_bag(tensor({{0}}), zeros({2, 2}), {}, {.mode = BagMode::max, .sparse = true}),
                    Catch::StartsWith("embedding_bag: sparse is not for mode max"));
  CHECK_THROWS_WITH(optim::SparseAdam({embed.weight}, {.beta1 = 1}), Catch::StartsWith("SparseAdam: beta1 and beta2"));
}

namespace {

std::vector<Tensor> watched;  // what the optimizer below keeps

/// Adagrad whose sums can be seen.
struct WatchedAdagrad {
  optim::Option<double> lr = optim::by_default(0.1);

  optim::GradientKind gradients() const { return optim::GradientKind::sparse; }
  NamedTensors buffers(const Tensor& parameter) const {
    watched.push_back(zeros_like(parameter));
    return {{"sum", watched.back()}};
  }
  template <class T>
  void update(const optim::Elements<T>& elements) const {
    const T rate = static_cast<T>(lr);
    elements.each([=](T& p, T g, T& s) {
      s += g * g;
      p -= rate * g / (elementary::sqrt(s) + T(1e-10));
    });
  }
};

/// Allows or forbids every access to the pages of a table that hold none of these rows.
void protect(const Tensor& table, const Integers& rows, int access) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(table.data<float>());
  const std::size_t row = static_cast<std::size_t>(table.size(1)) * sizeof(float);
  std::set<std::size_t> kept;
  for (const std::int64_t used : rows)
    for (std::uintptr_t at = begin + static_cast<std::size_t>(used) * row, end = at + row; at < end; ++at)
      kept.insert(at / page);
  const std::size_t last = (begin + static_cast<std::size_t>(table.size(0)) * row) / page;
  std::size_t others = 0;
  for (std::size_t number = begin / page + 1; number < last; ++number) {
    if (kept.contains(number)) continue;
    REQUIRE(mprotect(reinterpret_cast<void*>(number * page), page, access) == 0);
    ++others;
  }
  REQUIRE(others > 400);
}

}  // namespace

TEST_CASE("sparse gradients: a step of training touches no page of the rows that are not used") {
  const Tensor table = ones({4096, 128}, {.requires_grad = true});
  optim::OptimizerOf<WatchedAdagrad> optimizer({table});
  const Tensor at = tensor({{5, 4000, 5}, {1234, 4000, 17}});
  const auto step = [&] {
    optimizer.zero_grad();
    sum(square(embedding(at, table, sparse))).backward();
    optim::clip_grad_norm_({table}, 1);
    optimizer.step();
  };
  step();  // makes the state
  REQUIRE(watched.size() == 1);
  const std::vector<Tensor> tables{table, watched[0]};
  for (const Tensor& one : tables) protect(one, {5, 17, 1234, 4000}, PROT_NONE);
  reset_peak_memory();
  const std::size_t live = memory_stats().live_bytes;
  step();
  CHECK(memory_stats().peak_bytes - live < 100'000);
  for (const Tensor& one : tables) protect(one, {5, 17, 1234, 4000}, PROT_READ | PROT_WRITE);
  CHECK(table.at({4000, 0}) < 1);
  CHECK(table.at({4001, 0}) == 1);
  watched.clear();
}
