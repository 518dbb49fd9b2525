// What the engine tells about itself: pictures, counts, timelines, hooks, and errors that say who and where.
#include <xgrad/xgrad.hpp>

#include <map>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "../catch.hpp"
#include "../locale.hpp"
#include "../temporary_directory.hpp"
#include "../trace.hpp"

using namespace xgrad;
using Catch::Contains;

namespace {

constexpr TensorOptions leaf64{.dtype = float64, .requires_grad = true};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

struct Net {
  nn::Linear fc1{4, 3};
  nn::Linear fc2{3, 2};
  Tensor operator()(const Tensor& x) { return fc2(relu(fc1(x))); }
};

// Its name could break out of a quoted text.
struct Quoted {
  static constexpr const char* name = "a \"b\"\\";
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return grad; }
};

}  // namespace

TEST_CASE("to_dot: operations with shapes, leaves with names, and what depends on what") {
  Net net;
  const Tensor loss = mean(square(net(ones({5, 4}))));
  const std::string dot = to_dot(loss, nn::named_parameters(net));
  CHECK_THAT(dot, Catch::StartsWith("digraph {\n") && Catch::EndsWith("}\n"));
  CHECK_THAT(dot, Contains("label=\"fc1.weight\\n(3, 4)\", shape=ellipse") && Contains("label=\"fc2.bias\\n(2,)\""));
  CHECK_THAT(dot, Contains("label=\"relu\\n(5, 3)\"") && Contains("label=\"mean\\n()\""));
  CHECK(count(dot, "shape=ellipse") == 4);
  CHECK(count(dot, " -> ") == 8);  // two linear of two parameters each, a chain of five operations
  CHECK(count(dot, "penwidth") == 1);
  CHECK(count(dot, "#fde0c5") == 0);
  CHECK(dot == to_dot(loss, nn::named_parameters(net)));
  CHECK_THROWS_WITH(to_dot(ones({2})),
                    "to_dot: the tensor of shape (2,) does not require a gradient, so no graph leads to it");
}

TEST_CASE("to_dot: the backward graph has a colour of its own, and several outputs their numbers") {
  Tensor x = ones({3}, leaf64);
  const Tensor g = grad(sum(exp(x) * x), {x}, {.create_graph = true})[0];
  const std::string dot = to_dot(g, {{"x", x}});
  CHECK(count(dot, "#fde0c5") == 4);  // the gradient times exp(x) and times x, that times exp(x), and the sum
  CHECK_THAT(dot, Contains("label=\"x\\n(3,) float64\"") && Contains("orange: backward"));
  CHECK_THAT(dot, Contains("label=\"exp\\n(3,) float64\""));
  const std::vector<Tensor> parts = split(x, 2);
  CHECK_THAT(to_dot(parts[1] * 2.0), Contains("[label=\"output 1\"]") && Contains("(2,) float64\\n(1,) float64"));
  CHECK_THAT(to_dot(apply(Quoted{}, x)), Contains("label=\"a \\\"b\\\"\\\\\\n(3,) float64\""));
}

TEST_CASE("graph_stats: operations, leaves, and the memory that is held for backward") {
  const Tensor x = ones({1000}, {.requires_grad = true}), w = ones({1000}, {.requires_grad = true});
  const Tensor h = x * w;       // saves x and w
  const Tensor y = sum(h * h);  // saves h, twice
  GraphStats stats = graph_stats(y);
  CHECK(stats.operations == 3);
  CHECK(stats.leaves == 2);
  CHECK(stats.saved_tensors == 4);
  CHECK(stats.saved_bytes == 3 * 4000);
  y.backward();
  stats = graph_stats(y);
  CHECK(stats.operations == 3);
  CHECK(stats.saved_tensors == 0);
  CHECK(graph_stats(ones({2})).leaves == 0);
}

TEST_CASE("live_nodes: back where it was when the tensors are gone, whichever thread made them") {
  const std::int64_t before = live_nodes();
  {
    Tensor x = ones({3}, {.requires_grad = true}), y;
    CHECK(live_nodes() == before + 1);
    std::thread([&] { y = sum(exp(x)); }).join();
    CHECK(live_nodes() == before + 3);
    std::thread([moved = std::move(y)]() mutable { moved = Tensor(); }).join();
    CHECK(live_nodes() == before + 1);
  }
  CHECK(live_nodes() == before);
}

TEST_CASE("profile: a trace of forward and backward, with shapes, threads and call sites, properly nested") {
  const TemporaryDirectory directory;
  const auto path = directory.path("trace.json");
  Tensor x = ones({4, 3}, leaf64), w = ones({3, 2}, leaf64);
  exp(x);  // before: not in it
  {
    Profile profile(path);
    const Tensor y = sum(apply(Quoted{}, matmul(x, w)));
    y.backward();
    optim::SGD({w}, {.lr = 0.1}).step();
    std::thread([&] { sum(exp(w)).backward(); }).join();
    profile.finish();
    tanh(x);  // after: not in it
  }
  const nlohmann::json events = events_of(path);
  std::map<std::string, nlohmann::json> by_name;
  std::map<int, std::vector<std::pair<double, double>>> bars;
  for (const auto& event : events) {
    by_name.try_emplace(event.at("name").get<std::string>(), event);  // the first: matmul's backward calls matmul again
    CHECK(event.at("ph") == "X");
    bars[event.at("tid").get<int>()].emplace_back(event.at("ts").get<double>(), event.at("dur").get<double>());
  }
  CHECK(by_name.contains("matmul"));
  CHECK_FALSE(by_name.contains("tanh"));
  REQUIRE(by_name.contains("matmul backward"));
  REQUIRE(by_name.contains("a \"b\"\\"));
  CHECK(by_name["matmul"]["args"]["inputs"] == "(4, 3), (3, 2)");
  CHECK(by_name["matmul"]["args"]["outputs"] == "(4, 2)");
  CHECK(by_name["matmul"]["cat"] == "forward");
  CHECK_THAT(by_name["matmul"]["args"]["called at"].get<std::string>(), Contains("test_graph.cpp:"));
  CHECK(by_name["matmul backward"]["args"]["gradients of outputs"] == "(4, 2)");
  CHECK(by_name["matmul backward"]["args"]["gradients of inputs"] == "(4, 3), (3, 2)");
  CHECK_THAT(by_name["matmul backward"]["args"]["called at"].get<std::string>(), Contains("test_graph.cpp:"));
  CHECK(by_name.contains("optimizer step"));
  CHECK(bars.size() == 2);
  CHECK(by_name["exp"]["tid"] != by_name["matmul"]["tid"]);
  for (auto& [thread, of_thread] : bars)  // two bars of a thread lie one in the other, or apart
    for (const auto& [start, length] : of_thread)
      for (const auto& [other, other_length] : of_thread) {
        const double end = start + length, other_end = other + other_length;
        constexpr double rounding = 0.002;
        CHECK((end <= other + rounding || other_end <= start + rounding ||
               (start <= other + rounding && other_end <= end + rounding) ||
               (other <= start + rounding && end <= other_end + rounding)));
      }
}

TEST_CASE("profile: a trace is JSON in every locale") {
  const Locale german("de_DE.UTF-8");
  const TemporaryDirectory directory;
  const auto path = directory.path("trace.json");
  {
    const Profile profile(path);
    exp(ones({2}));
  }
  REQUIRE(events_of(path).size() == 1);
  CHECK(events_of(path)[0].at("dur").get<double>() > 0);
}

TEST_CASE("profile: errors, and an exception inside") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(Profile("/nowhere/trace.json"),
                    "Profile: cannot write /nowhere/trace.json: No such file or directory");
  {
    Profile full("/dev/full");
    exp(ones({2}));
    CHECK_THROWS_WITH(full.finish(), "Profile: writing /dev/full failed: No space left on device");
  }
  const auto path = directory.path("trace.json");
  try {
    const Profile profile(path);
    CHECK_THROWS_WITH(Profile(path), "Profile: another Profile is running; only one can at a time");
    matmul(ones({2, 3}), ones({3, 2}));
    matmul(ones({2, 3}), ones({2, 3}));
  } catch (const Error&) {
  }
  CHECK(events_of(path).size() == 1);
  CHECK_THROWS_WITH(Profile(path + std::string("\0.json", 6)), Contains("has a zero byte in it"));
  const Profile again(path);
}

TEST_CASE("profile: operations of eight threads, while it starts and ends", "[threads]") {
  const TemporaryDirectory directory;
  std::vector<std::thread> threads;
  std::atomic<bool> stop = false;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      while (!stop) {
        Tensor x = ones({4}, leaf64);
        sum(exp(x) * x).backward();
      }
    });
  for (int i = 0; i < 5; ++i) {
    const auto path = directory.path("trace.json");
    { const Profile profile(path); }
    events_of(path);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

TEST_CASE("hooks after accumulation see the sum of all passes, once per pass and leaf") {
  Tensor x = full({2}, 3, leaf64);
  std::vector<double> seen;
  auto hook = x.register_post_accumulate_grad_hook([&](const Tensor& g) { seen.push_back(g.data<double>()[0]); });
  const Tensor y = sum(x * x + x);
  y.backward({}, {.retain_graph = true});
  y.backward({}, {.retain_graph = true});
  CHECK(seen == std::vector<double>{7, 14});
  grad(y, {x}, {.retain_graph = true});  // accumulates nothing
  CHECK(seen.size() == 2);
  hook.remove();
  y.backward();
  CHECK(seen.size() == 2);
  CHECK_THROWS_WITH(y.register_post_accumulate_grad_hook([](const Tensor&) {}),
                    "register_post_accumulate_grad_hook: this tensor of shape () is no leaf that requires a gradient, "
                    "so none is accumulated in it; register_hook takes any tensor");
}

TEST_CASE("hooks after accumulation: an optimizer step within backward; what a hook throws comes out") {
  Tensor w = full({2}, 1, leaf64), other = full({2}, 1, leaf64);
  const auto memory = memory_stats();
  {
    const auto hook = w.register_post_accumulate_grad_hook([w](const Tensor& g) mutable {
      const NoGrad no_grad;
      w.sub_(0.1 * g);
      w.zero_grad();
    });
    sum(w * 2.0).backward();
    CHECK(w.data<double>()[0] == Approx(0.8));
    CHECK_FALSE(w.grad().defined());
    const auto breaks = other.register_post_accumulate_grad_hook([](const Tensor&) { throw std::runtime_error("no"); });
    CHECK_THROWS_WITH(sum(other * 2.0).backward(), "no");
    CHECK(other.grad().data<double>()[1] == 2);
    other.zero_grad();
  }
  sum(w * 1.0).backward();
  CHECK(w.data<double>()[0] == Approx(0.8));
  w.zero_grad();
  CHECK(memory_stats().live_bytes <= memory.live_bytes + 2048);  // the lists of hooks of two leaves
}

TEST_CASE("hooks of a leaf, before and after accumulation, in eight threads", "[threads]") {
  Tensor w = full({16}, 1, leaf64);
  std::atomic<int> before = 0, after = 0;
  const auto first = w.register_hook([&](const Tensor& g) { return ++before, g * 2.0; });
  const auto second = w.register_post_accumulate_grad_hook([&](const Tensor&) { ++after; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([w] {
      for (int i = 0; i < 50; ++i) sum(w * 2.0).backward();
    });
  for (auto& thread : threads) thread.join();
  CHECK(before == 400);
  CHECK(after == 400);
  CHECK(w.grad().data<double>()[3] == 1600);
}

TEST_CASE("version errors name the operation that saved, the one that changed, and both lines") {
  Tensor x = full({2}, 3, leaf64);
  Tensor h = x * 1.0;
  const int saved = __LINE__ + 1;
  const Tensor y = sum(h * h);
  const int changed = __LINE__ + 1;
  h.add_(1.0);
  const std::string file = __FILE__;
  CHECK_THROWS_WITH(y.backward(), "mul: a tensor of shape (2,) saved for backward was changed in place by add_ at " +
                                      file + ":" + std::to_string(changed) +
                                      ": it has version 1, it was saved at 0; clone it before the change, or change a "
                                      "copy; called at " +
                                      file + ":" + std::to_string(saved));
}

TEST_CASE("version errors name an optimizer, an initialiser and loaded values") {
  Tensor w = full({2}, 3, leaf64);
  const Tensor x = w * w;
  sum(w * 1.0).backward();
  optim::SGD sgd({w}, {.lr = 0.1});
  sgd.step();
  CHECK_THROWS_WITH(sum(x).backward(), Contains("was changed in place by an optimizer's step():"));
  const Tensor y = w * w;
  nn::init::constant_(w, 1);
  CHECK_THROWS_WITH(sum(y).backward(), Contains("was changed in place by constant_:"));
}

TEST_CASE("anomaly mode: a custom operation is named, with the line that applied it") {
  Tensor x = tensor({1, -1}, leaf64);
  const AnomalyMode anomaly;
  struct LogOf {
    Saved x = {};
    Tensor forward(const Tensor& input) {
      x = input;
      const NoGrad no_grad;
      return log(input);
    }
    Tensor backward(const Tensor& grad) const { return grad / x; }
  };
  const std::string line = "test_graph.cpp:" + std::to_string(__LINE__ + 1);
  const auto broken = [&] { return apply(LogOf{}, x); };
  CHECK_THROWS_WITH(broken(), Contains("LogOf: output 0 of shape (2,) has nan at (1,); called at ") && Contains(line));
  const Tensor zero = zeros({2}, leaf64);
  struct Root {
    Saved y = {};
    Tensor forward(const Tensor& input) {
      const NoGrad no_grad;
      return input * 0.0;
    }
    Tensor backward(const Tensor& grad) const { return grad / zeros_like(grad); }
  };
  const std::string applied = "test_graph.cpp:" + std::to_string(__LINE__ + 1);
  const Tensor y = apply(Root{}, zero);
  CHECK_THROWS_WITH(
      sum(y).backward(),
      Contains("Root: backward gave a gradient for input 0 of shape (2,) that has inf") && Contains(applied));
}
